import { createHash } from 'node:crypto';
import {
  recordOf,
  type BrokerError,
  type Partition,
  type PublishListener,
  type PublishOptions,
} from '../../broker/index.ts';
import { AwsError, md5OfAttributes, md5OfText } from '../../wire/aws/index.ts';
import { invalidParameter } from './errors.ts';
import { checkAttributes, checkBody, checkDelay, checkId, messageBytes } from './message-checks.ts';
import { messageIdOf, placeOf, sequenceNumberOf } from './message-id.ts';
import type { Queue } from './queue.ts';
import type { Sqs } from './sqs.ts';
import { storedHeaders, type MessageAttribute } from './stored-message.ts';

/** A message as SendMessage and the entries of SendMessageBatch have it. */
export interface GivenMessage {
  readonly MessageBody: string;
  readonly DelaySeconds?: number | undefined;
  readonly MessageAttributes?: ReadonlyMap<string, MessageAttribute> | undefined;
  readonly MessageSystemAttributes?: ReadonlyMap<string, MessageAttribute> | undefined;
  readonly MessageDeduplicationId?: string | undefined;
  readonly MessageGroupId?: string | undefined;
}

/** A message that was checked. */
export interface CheckedMessage {
  readonly body: string;
  readonly attributes: ReadonlyMap<string, MessageAttribute>;
  readonly systemAttributes: ReadonlyMap<string, MessageAttribute>;
  readonly group: string | undefined;
  readonly dedupeId: string | undefined;
  /** Seconds; 0: at once. */
  readonly delay: number;
  /** As SQS counts them. */
  readonly bytes: number;
}

const none: ReadonlyMap<string, MessageAttribute> = new Map();

/** Checks a message for a queue. Throws an AwsError. `inBatch`: some texts of batches differ. */
export function checkMessage(queue: Queue, given: GivenMessage, inBatch: boolean): CheckedMessage {
  const { MessageBody: body, MessageAttributes: attributes = none, DelaySeconds: delay } = given;
  const { MessageSystemAttributes: systemAttributes = none, MessageGroupId: group } = given;
  checkBody(body);
  checkAttributes(attributes);
  checkSystemAttributes(systemAttributes);
  checkId('MessageGroupId', group);
  checkId('MessageDeduplicationId', given.MessageDeduplicationId);
  const bytes = messageBytes(body, attributes);
  const bytesMax = queue.numberOf('MaximumMessageSize');
  if (bytes > bytesMax)
    throw new AwsError(
      'InvalidParameterValue',
      `One or more parameters ${inBatch ? 'cannot be validated' : 'are invalid'}. Reason: Message must be shorter than ${bytesMax} bytes.`,
    );
  return {
    body,
    attributes,
    systemAttributes,
    group,
    dedupeId: queue.isFifo ? dedupeIdOf(queue, given, inBatch) : dedupeIdOfStandard(given),
    delay: delayOf(queue, delay),
    bytes,
  };
}

function checkSystemAttributes(attributes: ReadonlyMap<string, MessageAttribute>): void {
  for (const [name, { DataType }] of attributes) {
    if (name !== 'AWSTraceHeader')
      throw invalidParameter('MessageSystemAttributes', name, 'The only system attribute is AWSTraceHeader.');
    if (DataType !== 'String')
      throw invalidParameter('MessageSystemAttributes', DataType, 'AWSTraceHeader must be a String.');
  }
}

function delayOf(queue: Queue, delay: number | undefined): number {
  // A FIFO queue has a delay of its own only. 0 is what SDKs send for none.
  if (queue.isFifo && delay !== undefined && delay !== 0)
    throw invalidParameter(
      'DelaySeconds',
      delay,
      'The request include parameter that is not valid for this queue type.',
    );
  if (delay === undefined || queue.isFifo) return queue.numberOf('DelaySeconds');
  checkDelay(delay);
  return delay;
}

/** Throws if a message for a FIFO queue lacks its group, or has nothing to deduplicate by. */
function dedupeIdOf(queue: Queue, given: GivenMessage, inBatch: boolean): string {
  const { MessageDeduplicationId: id, MessageGroupId: group } = given;
  if (group === undefined)
    throw new AwsError(
      inBatch ? 'InvalidParameterValue' : 'MissingParameter',
      'The request must contain the parameter MessageGroupId.',
    );
  if (id !== undefined) return id;
  if (queue.attribute('ContentBasedDeduplication') === 'true')
    return createHash('sha256').update(given.MessageBody).digest('hex');
  throw new AwsError(
    'InvalidParameterValue',
    'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
  );
}

function dedupeIdOfStandard({ MessageDeduplicationId: id }: GivenMessage): undefined {
  if (id !== undefined)
    throw invalidParameter(
      'MessageDeduplicationId',
      id,
      'The request includes a parameter that is not valid for this queue type',
    );
}

/**
 * Throws if an entry of a batch for a FIFO queue lacks what such a message must have: the batch is refused.
 */
export function checkFifoEntries(queue: Queue, entries: readonly GivenMessage[]): void {
  if (queue.isFifo) for (const entry of entries) dedupeIdOf(queue, entry, true);
}

/** What a sender is told of its message. */
export interface SentMessage {
  readonly MessageId: string;
  readonly MD5OfMessageBody: string;
  readonly MD5OfMessageAttributes: string | undefined;
  readonly MD5OfMessageSystemAttributes: string | undefined;
  readonly SequenceNumber: string | undefined;
}

/**
 * Sends a checked message; resolves when it is on disk. All messages that are sent in one synchronous run are
 * in one commit. Rejects with a BrokerError.
 */
export async function sendMessage(sqs: Sqs, queue: Queue, message: CheckedMessage): Promise<SentMessage> {
  const { place, sequence } = await store(sqs, queue, message);
  return {
    MessageId: messageIdOf(sqs.broker.uuid, place),
    MD5OfMessageBody: md5OfText(message.body),
    MD5OfMessageAttributes: md5OfAttributes(message.attributes),
    MD5OfMessageSystemAttributes: md5OfAttributes(message.systemAttributes),
    SequenceNumber: queue.isFifo ? sequenceNumberOf(sequence) : undefined,
  };
}

/** Why a queue would refuse a checked message now; undefined if it would not. Changes nothing. */
export function refusalOfSend(
  { broker }: Sqs,
  queue: Queue,
  message: CheckedMessage,
): BrokerError | undefined {
  const { topic } = queue;
  const sentMs = broker.clock.now();
  const { body, group, attributes, delay, dedupeId } = message;
  const record = recordOf({ key: group ?? null, value: body, timestampMs: sentMs });
  record.headers = storedHeaders(
    { attributes, dedupeId, traceHeader: undefined },
    { place: placeOf(topic.id, 0, 0), sentMs, sequence: undefined },
  );
  const admission = topic.admit(record, optionsOf(delay, dedupeIdInTopic(queue, message), sentMs));
  if (admission.kind === 'refused') return admission.error;
  return admission.kind === 'waits' ? admission.full : topic.publishRate.refusalOf();
}

/** Where a message was stored, or the earlier one that it repeats; in a FIFO queue, its number. */
interface Stored {
  readonly place: string;
  readonly sequence: number;
}

function store(sqs: Sqs, queue: Queue, message: CheckedMessage): Promise<Stored> {
  const { broker, delayedSends } = sqs;
  const { topic } = queue;
  const { body, group, delay, attributes, systemAttributes } = message;
  const sentMs = broker.clock.now();
  const record = recordOf({ key: group ?? null, value: body, timestampMs: sentMs });
  const traceHeader = systemAttributes.get('AWSTraceHeader')?.StringValue;
  const parts = { attributes, traceHeader, dedupeId: message.dedupeId };
  const dedupeId = dedupeIdInTopic(queue, message);
  const options = optionsOf(delay, dedupeId, sentMs);
  // A message whose place is not known yet has a name instead, which no place has.
  const nameless = (): Stored => ({
    place: `-${Buffer.from(broker.random.bytes(9)).toString('hex')}`,
    sequence: 0,
  });
  let stored: Stored;
  const setStored = (next: Stored, isNumbered = false): void => {
    stored = next;
    const { place, sequence } = next;
    record.headers = storedHeaders(parts, { place, sentMs, ...(isNumbered && { sequence }) });
  };
  return new Promise((resolve, reject) => {
    const listener: PublishListener<undefined> = {
      published: (_, partition, offset, isDuplicate) => {
        const earlier = isDuplicate && dedupeId !== undefined && delayedSends.find(topic.id, dedupeId);
        if (isDuplicate && offset < 0) return resolve(earlier || stored);
        const place = isDuplicate ? placeOf(topic.id, partition, offset) : stored.place;
        resolve({ place, sequence: offset });
      },
      delayed: () => resolve(stored),
      refused: (_, error) => reject(error),
    };
    const nextOf = ({ index, nextOffset }: Pick<Partition, 'index' | 'nextOffset'>): Stored => ({
      place: placeOf(topic.id, index, nextOffset),
      sequence: nextOffset,
    });
    const only = topic.partitions.length === 1 ? topic.partitions.at(0) : undefined;
    setStored(only && delay === 0 ? nextOf(only) : nameless());
    const admission =
      topic.config.publishRate === undefined ? topic.admit(record, options) : ({ kind: 'waits' } as const);
    if (admission.kind === 'waits') {
      setStored(nameless()); // others may come before it
      return topic.publish(record, options, listener, undefined);
    }
    if (admission.kind === 'accepted') {
      const { partition } = admission;
      if (delay === 0 && partition !== only) setStored(nextOf(partition));
      else if (delay > 0 && dedupeId !== undefined) {
        // It is due behind the messages that are delayed already.
        const expected = partition.nextOffset + broker.delayed.countOf(topic);
        const sequence = delayedSends.nextSequence(topic, expected);
        setStored({ ...stored, sequence }, true);
        delayedSends.sent(topic.id, dedupeId, stored);
      }
    }
    topic.append(admission, record, listener, undefined);
  });
}

function optionsOf(delay: number, dedupeId: string | undefined, nowMs: number): PublishOptions | undefined {
  if (delay === 0 && dedupeId === undefined) return undefined;
  return {
    ...(delay > 0 && { deliverAtMs: nowMs + delay * 1000 }),
    ...(dedupeId !== undefined && { dedupeId }),
  };
}

/**
 * The id by which the topic knows duplicates. No id of SQS has a blank, so that those of groups are apart.
 */
function dedupeIdInTopic(queue: Queue, { dedupeId, group }: CheckedMessage): string | undefined {
  if (dedupeId === undefined || queue.attribute('DeduplicationScope') !== 'messageGroup') return dedupeId;
  return `${group} ${dedupeId}`;
}
