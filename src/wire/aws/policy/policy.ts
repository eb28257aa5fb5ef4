import { nestsDeeper } from '../../../util/index.ts';
import { parseArn } from '../arn.ts';
import { type Condition, parseCondition } from './condition.ts';
import { applies, Matches, type PolicyRequest, type Principals, type Statement } from './statement.ts';

/** What a policy may be made of: the quotas of SQS. */
const policyLimits = {
  bytesMax: 8_192,
  statementsMax: 20,
  principalsMax: 50,
  conditionsMax: 10,
} as const;

/** An access policy of a queue or a topic: statements that allow and deny. */
export interface Policy {
  readonly statements: readonly Statement[];
}

/** What a policy says of a request: a denial wins; `none` is nothing at all. */
export type Verdict = 'allow' | 'deny' | 'none';

export function evaluatePolicy({ statements }: Policy, request: PolicyRequest): Verdict {
  let verdict: Verdict = 'none';
  for (const statement of statements) {
    if (!applies(statement, request)) continue;
    if (statement.effect === 'Deny') return 'deny';
    verdict = 'allow';
  }
  return verdict;
}

/** A policy that cannot be read. The message says what is wrong with it, as a sentence. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

/** Reads a policy from its JSON. Throws a PolicyError. */
export function parsePolicy(text: string): Policy {
  const bytes = Buffer.from(text);
  if (bytes.length > policyLimits.bytesMax)
    throw new PolicyError(`The policy has more than ${policyLimits.bytesMax} bytes.`);
  let value: unknown;
  try {
    if (nestsDeeper(bytes, 16)) throw new PolicyError('The policy is nested too deeply.');
    value = JSON.parse(text);
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause;
    throw new PolicyError('The policy is not valid JSON.', { cause });
  }
  const policy = tableOf(value, 'The policy');
  checkKeys(policy, ['Version', 'Id', 'Statement'], 'The policy');
  const { Version: version = '2008-10-17', Statement: statements = [] } = policy;
  if (version !== '2012-10-17' && version !== '2008-10-17')
    throw new PolicyError('The policy has an unknown Version; it must be 2012-10-17 or 2008-10-17.');
  const list: readonly unknown[] = Array.isArray(statements) ? statements : [statements];
  const { statementsMax, principalsMax, conditionsMax } = policyLimits;
  if (list.length > statementsMax)
    throw new PolicyError(`The policy has more than ${statementsMax} statements.`);
  const parsed = list.map(parseStatement);
  let principals = 0;
  let conditions = 0;
  for (const statement of parsed) {
    principals += statement.principals.aws.length + statement.principals.services.length;
    conditions += statement.conditions.length;
  }
  if (principals > principalsMax)
    throw new PolicyError(`The policy has more than ${principalsMax} principals.`);
  if (conditions > conditionsMax)
    throw new PolicyError(`The policy has more than ${conditionsMax} conditions.`);
  return { statements: parsed };
}

interface Table {
  readonly [key: string]: unknown;
}

const statementKeys = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

function parseStatement(value: unknown): Statement {
  const statement = tableOf(value, 'A statement');
  checkKeys(statement, statementKeys, 'A statement');
  const { Sid: id, Effect: effect, Condition: conditions } = statement;
  if (effect !== 'Allow' && effect !== 'Deny')
    throw new PolicyError('The Effect of a statement must be Allow or Deny.');
  if (id !== undefined && typeof id !== 'string') throw new PolicyError('A Sid must be a text.');
  const actions = oneOf(statement, 'Action', 'NotAction');
  const resources = oneOf(statement, 'Resource', 'NotResource');
  return {
    id,
    effect,
    principals: parsePrincipals(statement),
    actions: new Matches(
      textsOf(actions.value, actions.key).map((text) => text.toLowerCase()),
      actions.isNegated,
    ),
    resources: new Matches(textsOf(resources.value, resources.key), resources.isNegated),
    conditions: conditions === undefined ? [] : parseConditions(tableOf(conditions, 'A Condition')),
  };
}

function parsePrincipals(statement: Table): Principals {
  const { key, value, isNegated } = oneOf(statement, 'Principal', 'NotPrincipal');
  if (value === '*') return { isNegated, isAll: true, aws: [], services: [] };
  const table = tableOf(value, key);
  checkKeys(table, ['AWS', 'Service', 'Federated', 'CanonicalUser'], key);
  const aws = table['AWS'] === undefined ? [] : textsOf(table['AWS'], key);
  for (const text of aws)
    if (text !== '*' && !/^\d{12}$/.test(text) && parseArn(text) === undefined)
      throw new PolicyError('A Principal must be *, an account of twelve digits or an ARN.');
  return {
    isNegated,
    isAll: aws.includes('*'),
    aws,
    services: table['Service'] === undefined ? [] : textsOf(table['Service'], key),
  };
}

function parseConditions(table: Table): Condition[] {
  return Object.entries(table).flatMap(([operator, keys]) =>
    Object.entries(tableOf(keys, `The condition ${operator.slice(0, 100)}`)).map(([key, value]) => {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (!list.every((one) => ['string', 'number', 'boolean'].includes(typeof one)))
        throw new PolicyError('The values of a condition must be texts, numbers or true and false.');
      const condition = parseCondition(operator, key, list.map(String));
      if (!condition)
        throw new PolicyError(
          `The condition ${operator.slice(0, 100)} is unknown, or a value does not fit it.`,
        );
      return condition;
    }),
  );
}

/** The one of two keys that a statement has. */
function oneOf(
  statement: Table,
  name: string,
  negation: string,
): { readonly key: string; readonly value: unknown; readonly isNegated: boolean } {
  const isNegated = statement[negation] !== undefined;
  if ((statement[name] !== undefined) === isNegated)
    throw new PolicyError(`A statement must have ${name} or ${negation}.`);
  const key = isNegated ? negation : name;
  return { key, value: statement[key], isNegated };
}

function textsOf(value: unknown, key: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0 || !list.every((one): one is string => typeof one === 'string' && one !== ''))
    throw new PolicyError(`${key} must be a text or a list of texts.`);
  return list;
}

function tableOf(value: unknown, what: string): Table {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PolicyError(`${what} must be an object.`);
  return value as Table;
}

function checkKeys(table: Table, known: readonly string[], what: string): void {
  for (const key of Object.keys(table))
    if (!known.includes(key)) throw new PolicyError(`${what} has an unknown element ${key.slice(0, 100)}.`);
}
