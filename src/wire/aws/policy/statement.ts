import { parseArn } from '../arn.ts';
import { Wildcard } from '../wildcard.ts';
import type { Condition, Context } from './condition.ts';

/** Who asks: an account and, if it has one, a user of it; or a service, such as `sns.amazonaws.com`. */
export type Principal =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'account'; readonly account: string; readonly arn: string }
  | { readonly kind: 'service'; readonly service: string };

/** A request, as policies see it. */
export interface PolicyRequest {
  readonly principal: Principal;
  /** `sqs:SendMessage` */
  readonly action: string;
  /** The ARN of a queue or a topic. */
  readonly resource: string;
  readonly context: Context;
}

/** Names or patterns that something must match, or must not. */
export class Matches {
  readonly #patterns: readonly Wildcard[];
  readonly #isNegated: boolean;

  constructor(patterns: readonly string[], isNegated: boolean) {
    this.#patterns = patterns.map((pattern) => new Wildcard(pattern));
    this.#isNegated = isNegated;
  }

  include(text: string): boolean {
    return this.#patterns.some((pattern) => pattern.matches(text)) !== this.#isNegated;
  }
}

/** The principals that a statement is about. */
export interface Principals {
  readonly isNegated: boolean;
  /** Everybody, without credentials too. */
  readonly isAll: boolean;
  /** Accounts as twelve digits or ARNs of `root`, users as ARNs. */
  readonly aws: readonly string[];
  readonly services: readonly string[];
}

/** A statement of a policy: whom it allows or denies what, and when. */
export interface Statement {
  readonly id: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly principals: Principals;
  /** In lower case. */
  readonly actions: Matches;
  readonly resources: Matches;
  readonly conditions: readonly Condition[];
}

/** Whether a statement is about a request. */
export function applies(statement: Statement, request: PolicyRequest): boolean {
  return (
    isAbout(statement.principals, request.principal) &&
    statement.actions.include(request.action.toLowerCase()) &&
    statement.resources.include(request.resource) &&
    statement.conditions.every(({ holds }) => holds(request.context))
  );
}

function isAbout(principals: Principals, principal: Principal): boolean {
  return isAmong(principals, principal) !== principals.isNegated;
}

function isAmong({ isAll, aws, services }: Principals, principal: Principal): boolean {
  if (isAll) return true;
  if (principal.kind === 'anonymous') return false;
  if (principal.kind === 'service') return services.includes(principal.service);
  return aws.some(
    (one) => one === principal.arn || one === principal.account || accountOf(one) === principal.account,
  );
}

/** `arn:aws:iam::123456789012:root` is the whole account. */
function accountOf(text: string): string | undefined {
  const arn = parseArn(text);
  return arn?.service === 'iam' && arn.resource === 'root' ? arn.account : undefined;
}
