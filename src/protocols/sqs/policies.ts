import {
  type Context,
  evaluatePolicy,
  parsePolicy,
  PolicyError,
  type Policy,
  type Verdict,
} from '../../wire/aws/index.ts';
import type { Caller } from './caller.ts';

/** What a caller asks for, as policies see it. */
export interface Wish {
  /** `sqs:SendMessage` */
  readonly action: string;
  /** The ARN of a queue or a topic. */
  readonly resource: string;
  readonly nowMs: number;
}

/** What the policy of a queue or a topic says of a caller; `none` if there is no policy. */
export function policyVerdict(text: string | undefined, caller: Caller, wish: Wish): Verdict {
  const policy = text === undefined ? undefined : readPolicy(text);
  if (!policy) return 'none';
  return evaluatePolicy(policy, {
    principal: { kind: 'account', account: caller.account, arn: arnOfUser(caller) },
    action: wish.action,
    resource: wish.resource,
    context: contextOf(caller, wish.nowMs),
  });
}

/** `arn:aws:iam::000000000000:user/ada` */
export function arnOfUser({ account, user }: Caller): string {
  return `arn:aws:iam::${account}:user/${user}`;
}

/** Policies that were read, by their text. */
const policies = new Map<string, Policy>();
const policiesMax = 1_000;
/** What stands for a text that is no policy: it was set while nobody had to log in. */
const deniesAll: Policy = parsePolicy(
  '{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}',
);

function readPolicy(text: string): Policy {
  let policy = policies.get(text);
  if (policy) return policy;
  try {
    policy = parsePolicy(text);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    policy = deniesAll;
  }
  if (policies.size >= policiesMax) policies.clear();
  policies.set(text, policy);
  return policy;
}

function contextOf(caller: Caller, nowMs: number): Context {
  return new Map([
    ['aws:currenttime', [new Date(nowMs).toISOString()]],
    ['aws:principalarn', [arnOfUser(caller)]],
    ['aws:securetransport', [String(caller.origin.startsWith('https:'))]],
    ['aws:sourceip', [caller.address]],
    ['aws:username', [caller.user ?? '']],
  ]);
}
