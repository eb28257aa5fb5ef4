import { FilterError, FilterPolicy, type FilterScope } from '../../wire/aws/index.ts';
import { nameInArn } from '../sqs/queue-address.ts';
import { invalidParameter } from './errors.ts';
import type { Texts } from './topic-store.ts';

const known: ReadonlySet<string> = new Set([
  'DeliveryPolicy',
  'FilterPolicy',
  'FilterPolicyScope',
  'RawMessageDelivery',
  'RedrivePolicy',
]);

/**
 * The attributes of a subscription after a change; empty values take attributes away. `parameter` is where
 * the client has written them. Throws InvalidParameter.
 */
export function changedAttributes(
  before: Texts,
  changes: ReadonlyMap<string, string>,
  parameter: 'Attributes' | 'AttributeName',
): Texts {
  const after: { [name: string]: string } = { ...before };
  for (const [name, value] of changes) {
    if (!known.has(name)) throw invalidParameter(parameter);
    // An empty policy filters nothing.
    if (value === '' || (name === 'FilterPolicy' && value.trim() === '{}')) delete after[name];
    else after[name] = value;
  }
  check(after);
  return after;
}

function check(attributes: Texts): void {
  const {
    RawMessageDelivery: raw = 'false',
    FilterPolicyScope: scope = 'MessageAttributes',
    FilterPolicy: filter,
    RedrivePolicy: redrive,
    DeliveryPolicy: delivery,
  } = attributes;
  if (raw !== 'true' && raw !== 'false')
    throw invalidParameter(
      'Attributes',
      `RawMessageDelivery: Invalid value [${raw.slice(0, 100)}]. Must be true or false.`,
    );
  if (scope !== 'MessageAttributes' && scope !== 'MessageBody')
    throw invalidParameter(
      'Attributes',
      `FilterPolicyScope: Invalid value [${scope.slice(0, 100)}]. Please use either MessageBody or MessageAttributes`,
    );
  if (filter !== undefined) checkFilter(filter, scope);
  if (redrive !== undefined) checkRedrivePolicy(redrive);
  if (delivery !== undefined && parseObject(delivery) === undefined)
    throw invalidParameter('DeliveryPolicy', 'failed to parse JSON.');
}

function checkFilter(text: string, scope: FilterScope): void {
  try {
    void new FilterPolicy(text, scope);
  } catch (error) {
    if (error instanceof FilterError) throw invalidParameter(`FilterPolicy: ${error.message}`);
    throw error;
  }
}

function checkRedrivePolicy(text: string): void {
  const policy = parseObject(text);
  if (!policy) throw invalidParameter('RedrivePolicy: failed to parse JSON.');
  const arn: unknown = 'deadLetterTargetArn' in policy ? policy.deadLetterTargetArn : undefined;
  if (typeof arn !== 'string' || nameInArn(arn) === undefined)
    throw invalidParameter('RedrivePolicy: deadLetterTargetArn is an invalid arn');
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
