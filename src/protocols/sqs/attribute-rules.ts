import { AwsError, parsePolicy, PolicyError } from '../../wire/aws/index.ts';
import { sqsLimits } from './limits.ts';

/** The values that an attribute of a queue may have. */
type Rule =
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'policy' }
  | { readonly kind: 'text' };

/** An attribute that clients can set. */
interface SettableAttribute {
  readonly rule: Rule;
  /** Its value in a queue that was created without it; absent: it has none. */
  readonly default?: string;
  /** Only FIFO queues have it. */
  readonly isFifo?: true;
  /** An empty value removes it. */
  readonly isRemovable?: true;
}

const json: SettableAttribute = { rule: { kind: 'text' }, isRemovable: true };
const whole = (min: number, max: number): Rule => ({ kind: 'number', min, max });

/** The attributes that clients can set. */
export type SettableName =
  | 'DelaySeconds'
  | 'MaximumMessageSize'
  | 'MessageRetentionPeriod'
  | 'ReceiveMessageWaitTimeSeconds'
  | 'VisibilityTimeout'
  | 'Policy'
  | 'RedrivePolicy'
  | 'RedriveAllowPolicy'
  | 'KmsMasterKeyId'
  | 'KmsDataKeyReusePeriodSeconds'
  | 'SqsManagedSseEnabled'
  | 'FifoQueue'
  | 'ContentBasedDeduplication'
  | 'DeduplicationScope'
  | 'FifoThroughputLimit';

/** Their values, as the API reference of CreateQueue has them. */
const table: { readonly [name in SettableName]: SettableAttribute } = {
  DelaySeconds: { rule: whole(0, sqsLimits.delayMax), default: '0' },
  MaximumMessageSize: {
    rule: whole(1024, sqsLimits.messageBytesMax),
    default: String(sqsLimits.messageBytesMax),
  },
  MessageRetentionPeriod: { rule: whole(60, 1_209_600), default: '345600' },
  ReceiveMessageWaitTimeSeconds: { rule: whole(0, sqsLimits.waitMax), default: '0' },
  VisibilityTimeout: { rule: whole(0, sqsLimits.visibilityMax), default: '30' },
  Policy: { rule: { kind: 'policy' }, isRemovable: true },
  RedrivePolicy: json,
  RedriveAllowPolicy: json,
  KmsMasterKeyId: { rule: { kind: 'text' }, isRemovable: true },
  KmsDataKeyReusePeriodSeconds: { rule: whole(60, 86_400) },
  SqsManagedSseEnabled: { rule: { kind: 'boolean' }, default: 'true' },
  FifoQueue: { rule: { kind: 'boolean' }, isFifo: true },
  ContentBasedDeduplication: { rule: { kind: 'boolean' }, default: 'false', isFifo: true },
  DeduplicationScope: {
    rule: { kind: 'choice', choices: ['queue', 'messageGroup'] },
    default: 'queue',
    isFifo: true,
  },
  FifoThroughputLimit: {
    rule: { kind: 'choice', choices: ['perQueue', 'perMessageGroupId'] },
    default: 'perQueue',
    isFifo: true,
  },
};

/** Attributes of a queue as SQS has them: all values are texts. */
export type AttributeTexts = { readonly [name in SettableName]?: string | undefined };

export const settableNames: readonly SettableName[] = Object.keys(table) as SettableName[];

export function isSettable(name: string): name is SettableName {
  return Object.hasOwn(table, name);
}

export function isOfFifo(name: SettableName): boolean {
  return table[name].isFifo === true;
}

export function defaultOf(name: SettableName): string | undefined {
  return table[name].default;
}

/**
 * Checks attributes that a client gives for a queue. Throws InvalidAttributeName for one that such a queue
 * does not have, and InvalidAttributeValue.
 */
export function checkAttributes(given: ReadonlyMap<string, string>, isFifo: boolean): AttributeTexts {
  const checked: { [name in SettableName]?: string } = {};
  for (const [name, value] of given) {
    if (!isSettable(name)) throw unknownAttribute(name);
    if (!isFifo && isOfFifo(name)) throw refusalOfFifo(name);
    if (!(value === '' && table[name].isRemovable === true) && !fits(value, table[name].rule))
      throw invalidValue(name);
    checked[name] = value;
  }
  if (isFifo && checked.FifoQueue !== undefined && checked.FifoQueue !== 'true')
    throw new AwsError(
      'InvalidAttributeValue',
      'Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.',
    );
  return checked;
}

export function unknownAttribute(name: string): AwsError {
  return new AwsError('InvalidAttributeName', `Unknown Attribute ${name}.`);
}

function invalidValue(name: string, reason?: string): AwsError {
  const text = `Invalid value for the parameter ${name}.`;
  return new AwsError('InvalidAttributeValue', reason === undefined ? text : `${text} Reason: ${reason}`);
}

function refusalOfFifo(name: SettableName): AwsError {
  if (name === 'FifoQueue' || name === 'ContentBasedDeduplication') return unknownAttribute(name);
  return new AwsError(
    'InvalidAttributeName',
    `You can specify the ${name} only when FifoQueue is set to true.`,
  );
}

function fits(value: string, rule: Rule): boolean {
  switch (rule.kind) {
    case 'number': {
      const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
      return number >= rule.min && number <= rule.max;
    }
    case 'boolean':
      return value === 'true' || value === 'false';
    case 'choice':
      return rule.choices.includes(value);
    case 'policy':
      return isPolicy(value);
    case 'text':
      return value !== '';
    default:
      return rule satisfies never;
  }
}

function isPolicy(text: string): boolean {
  try {
    parsePolicy(text);
    return true;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
}
