import { createHash } from 'node:crypto';
import { AwsError, isMessageText } from '../../wire/aws/index.ts';
import { checkAttributes, checkId, messageBytes } from '../sqs/message-checks.ts';
import type { MessageAttribute } from '../sqs/stored-message.ts';
import { invalidParameter } from './errors.ts';
import type { SnsLimits } from './limits.ts';
import type { SnsTopic } from './sns-topic.ts';

/** A message as Publish and the entries of PublishBatch have it. */
export interface GivenNotification {
  readonly Message: string;
  readonly Subject?: string | undefined;
  readonly MessageStructure?: string | undefined;
  readonly MessageAttributes?: ReadonlyMap<string, MessageAttribute> | undefined;
  readonly MessageDeduplicationId?: string | undefined;
  readonly MessageGroupId?: string | undefined;
}

/** A message that was checked. */
export interface Notification {
  /** The text for queues. */
  readonly text: string;
  readonly subject: string | undefined;
  readonly attributes: ReadonlyMap<string, MessageAttribute>;
  readonly group: string | undefined;
  /** Of a message for a FIFO topic. */
  readonly dedupeId: string | undefined;
  /** As SNS counts them. */
  readonly bytes: number;
}

const none: ReadonlyMap<string, MessageAttribute> = new Map();

/** Checks a message for a topic. Throws an AwsError. */
export function checkNotification(
  { messageBytesMax }: SnsLimits,
  topic: SnsTopic,
  given: GivenNotification,
): Notification {
  const { Message: message, Subject: subject, MessageAttributes: attributes = none } = given;
  const { MessageGroupId: group, MessageDeduplicationId: id } = given;
  if (message === '') throw invalidParameter('Empty message');
  checkSubject(subject);
  checkOfSqs(() => {
    if (!isMessageText(message)) throw new AwsError('InvalidParameter', 'Invalid characters found.');
    // One by one: SNS has no limit for their number.
    for (const attribute of attributes) checkAttributes(new Map([attribute]));
    checkId('MessageGroupId', group);
    checkId('MessageDeduplicationId', id);
  });
  const bytes = messageBytes(message, attributes) + Buffer.byteLength(subject ?? '');
  if (bytes > messageBytesMax) throw invalidParameter('Message too long');
  return {
    text: textForQueues(message, given.MessageStructure),
    subject,
    attributes,
    group,
    dedupeId: topic.isFifo ? dedupeIdOf(topic, given) : dedupeIdOfStandard(given),
    bytes,
  };
}

/**
 * "ASCII text that begins with a letter, number, or punctuation mark", less than 100 characters, in one line.
 */
function checkSubject(subject: string | undefined): void {
  if (subject === undefined) return;
  if (subject.length === 0 || subject.length > 100 || !/^[^\p{Cc}\s][^\p{Cc}]*$/u.test(subject))
    throw invalidParameter('Subject');
}

/** SNS has another code for what SQS refuses of a message. */
function checkOfSqs(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof AwsError && error.kind === 'InvalidParameterValue')
      throw new AwsError('ParameterValueInvalid', error.message, { cause: error });
    throw error;
  }
}

/** With the structure `json` a message has a text for each protocol, and one for all others. */
function textForQueues(message: string, structure: string | undefined): string {
  if (structure === undefined) return message;
  if (structure !== 'json') throw invalidParameter('MessageStructure');
  let texts: unknown;
  try {
    texts = JSON.parse(message);
  } catch {
    texts = undefined;
  }
  if (typeof texts !== 'object' || texts === null || Array.isArray(texts))
    throw invalidParameter('Message Structure - JSON message body failed to parse');
  const { default: text, sqs = text } = texts as { readonly default?: unknown; readonly sqs?: unknown };
  if (typeof text !== 'string')
    throw invalidParameter('Message Structure - No default entry in JSON message body');
  // What is no text is as if it was not there.
  const forQueues = typeof sqs === 'string' ? sqs : text;
  if (!isMessageText(forQueues)) throw new AwsError('InvalidParameter', 'Invalid characters found.');
  return forQueues;
}

/** Throws if a message for a FIFO topic lacks its group, or has nothing to deduplicate by. */
function dedupeIdOf(topic: SnsTopic, given: GivenNotification): string {
  const { MessageDeduplicationId: id, MessageGroupId: group, Message: message } = given;
  if (group === undefined) throw invalidParameter('The MessageGroupId parameter is required for FIFO topics');
  if (id !== undefined) return id;
  if (topic.dedupesByContent) return createHash('sha256').update(message).digest('hex');
  throw invalidParameter(
    'The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
  );
}

function dedupeIdOfStandard({ MessageDeduplicationId: id }: GivenNotification): undefined {
  if (id !== undefined)
    throw invalidParameter(
      'MessageDeduplicationId',
      'The request includes MessageDeduplicationId parameter that is not valid for this topic type',
    );
}
