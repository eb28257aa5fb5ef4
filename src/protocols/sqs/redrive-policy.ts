import type { AwsError } from '../../wire/aws/index.ts';
import { invalidParameter } from './errors.ts';
import { nameInArn } from './queue-address.ts';
import type { Queue } from './queue.ts';
import type { RedriveOptions } from './queue-options.ts';

/** The attribute RedrivePolicy: a message that was received so often becomes a dead letter. */
export interface RedrivePolicy {
  readonly targetArn: string;
  /** 1 to 1000. */
  readonly receivesMax: number;
}

/** The attribute RedriveAllowPolicy of a dead-letter queue: which queues may name it. */
export interface RedriveAllowPolicy {
  readonly permission: 'allowAll' | 'denyAll' | 'byQueue';
  readonly sourceArns: readonly string[];
}

/** Source queues that a RedriveAllowPolicy may name. */
const sourcesMax = 10;

/** Throws InvalidParameterValue for a text that is no policy. */
function readRedrivePolicy(text: string): RedrivePolicy {
  const policy = objectOf('RedrivePolicy', text, 'Redrive policy is not a valid JSON map.');
  const { deadLetterTargetArn: targetArn, maxReceiveCount: count } = policy;
  if (typeof targetArn !== 'string') throw lacks(text, 'deadLetterTargetArn');
  if (count === undefined) throw lacks(text, 'maxReceiveCount');
  const receivesMax = typeof count === 'string' && /^\d{1,4}$/.test(count) ? Number(count) : count;
  if (
    typeof receivesMax === 'number' &&
    Number.isInteger(receivesMax) &&
    receivesMax >= 1 &&
    receivesMax <= 1000
  )
    return { targetArn, receivesMax };
  throw invalidPolicy(
    text,
    `Invalid value for maxReceiveCount: ${JSON.stringify(count)}, valid values are from 1 to 1000 both inclusive.`,
  );
}

/** Throws InvalidParameterValue for a text that is no policy. */
export function readAllowPolicy(text: string): RedriveAllowPolicy {
  const name = 'RedriveAllowPolicy';
  const policy = objectOf(name, text, 'Redrive allow policy is not a valid JSON map.');
  const { redrivePermission: permission, sourceQueueArns: arns = [] } = policy;
  if (permission !== 'allowAll' && permission !== 'denyAll' && permission !== 'byQueue')
    throw invalidParameter(name, text, 'redrivePermission must be one of allowAll, denyAll and byQueue.');
  const isList = Array.isArray(arns) && arns.every((arn) => typeof arn === 'string');
  if (!isList || (permission === 'byQueue') !== arns.length > 0 || arns.length > sourcesMax)
    throw invalidParameter(
      name,
      text,
      `sourceQueueArns must have 1 to ${sourcesMax} ARNs with byQueue, and none otherwise.`,
    );
  return { permission, sourceArns: arns };
}

/**
 * The part of a RedrivePolicy that the group of the queue obeys. `find` finds a queue by its ARN. Throws
 * InvalidParameterValue if the queue may not have the policy.
 */
export function redriveOptions(
  text: string,
  source: { readonly name: string; readonly isFifo: boolean },
  find: (arn: string) => Queue | undefined,
): RedriveOptions {
  const { targetArn, receivesMax } = readRedrivePolicy(text);
  const target = find(targetArn);
  if (!target) throw invalidPolicy(text, 'Dead letter target does not exist.');
  if (target.name === source.name)
    throw invalidPolicy(text, 'Dead-letter queue must be another queue than the source.');
  if (target.isFifo !== source.isFifo)
    throw invalidPolicy(text, 'Dead-letter queue must be same type of queue as the source.');
  const allow = target.stored.attributes.RedriveAllowPolicy;
  if (allow !== undefined && !allows(readAllowPolicy(allow), source.name))
    throw invalidPolicy(text, 'The redrive allow policy of the dead-letter queue does not allow this queue.');
  return {
    maxDeliver: receivesMax,
    deadLetter: { to: target.topic.name, causes: ['max-deliveries', 'rejected'] },
  };
}

function allows({ permission, sourceArns }: RedriveAllowPolicy, source: string): boolean {
  if (permission === 'byQueue') return sourceArns.some((arn) => nameInArn(arn) === source);
  return permission === 'allowAll';
}

/** The name of the dead-letter queue of a queue; undefined if it has none. */
export function deadLetterQueueOf(queue: Queue): string | undefined {
  const text = queue.stored.attributes.RedrivePolicy;
  return text === undefined ? undefined : nameInArn(readRedrivePolicy(text).targetArn);
}

function objectOf(name: string, text: string, problem: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as { readonly [name: string]: unknown };
  } catch {
    // refused below
  }
  throw invalidParameter(name, text, problem);
}

function lacks(text: string, name: string): AwsError {
  return invalidPolicy(text, `Redrive policy does not contain mandatory attribute: ${name}.`);
}

function invalidPolicy(text: string, reason: string): AwsError {
  return invalidParameter('RedrivePolicy', text, reason);
}
