import type { Group, StoredMessage } from '../../broker/index.ts';
import { md5OfAttributes, md5OfText, type SqsOutput } from '../../wire/aws/index.ts';
import type { Caller } from './caller.ts';
import { messageIdOf, placeOf, sequenceNumberOf } from './message-id.ts';
import { queueArn } from './queue-address.ts';
import type { Queue } from './queue.ts';
import type { Sqs } from './sqs.ts';
import {
  attributesOf,
  messageText,
  readHeaders,
  type MessageAttribute,
  type ReadHeaders,
} from './stored-message.ts';
import { names, shownName } from '../names.ts';

/** A message as ReceiveMessage gives it. */
export type ReceivedMessage = NonNullable<SqsOutput<'ReceiveMessage'>['Messages']>[number];

/** The attributes that a receiver asks for. */
export interface Wanted {
  readonly system: ReadonlySet<string>;
  /** Undefined: no attributes. */
  readonly attribute: ((name: string) => boolean) | undefined;
}

/** What a delivered message is made for. */
export interface ReceiveContext {
  readonly sqs: Sqs;
  readonly caller: Caller;
  readonly queue: Queue;
  readonly group: Group;
  readonly wanted: Wanted;
}

/** The attribute of a message whose value is no text: the body is its base64. */
const encodingAttribute = 'Content-Transfer-Encoding';
const noBytes = new Uint8Array(0);

/** A message that was delivered: of a delivery, or read back later. */
export interface DeliveredMessage {
  readonly partition: number;
  readonly deliveries: number;
  readonly record: Pick<StoredMessage, 'key' | 'headers' | 'value' | 'timestampMs' | 'offset'>;
}

/** Makes what the receiver gets. The delivery may be reused after the call. */
export function receivedMessage(
  context: ReceiveContext,
  delivery: DeliveredMessage,
  handle: string,
): ReceivedMessage {
  const { sqs, queue, group, wanted } = context;
  const { record } = delivery;
  const value = record.value ?? noBytes;
  const headers = readHeaders(record.headers);
  const text = messageText(value);
  const body = text ?? Buffer.from(value).toString('base64');
  const attributes =
    wanted.attribute === undefined
      ? undefined
      : wantedAttributes(headers, wanted.attribute, text === undefined);
  const firstMs = sqs.firstReceives.received(
    group.id,
    { partition: delivery.partition, offset: record.offset },
    delivery.deliveries,
    sqs.broker.clock.now(),
  );
  const place = placeOfMessage(sqs, queue, delivery, headers);
  return {
    MessageId: messageIdOf(sqs.broker.uuid, place),
    ReceiptHandle: handle,
    MD5OfBody: md5OfText(body),
    Body: body,
    Attributes: wanted.system.size === 0 ? undefined : systemAttributes(context, delivery, headers, firstMs),
    MD5OfMessageAttributes: attributes && md5OfAttributes(attributes),
    MessageAttributes: attributes,
  };
}

function wantedAttributes(
  headers: ReadHeaders,
  isWanted: (name: string) => boolean,
  isBase64: boolean,
): ReadonlyMap<string, MessageAttribute> {
  const attributes = attributesOf(headers, isWanted);
  if (isBase64 && isWanted(encodingAttribute))
    attributes.set(encodingAttribute, { DataType: 'String', StringValue: 'base64' });
  return attributes;
}

/** The place by which the message has its id: that of its origin, also in a dead-letter queue. */
function placeOfMessage(
  { broker }: Sqs,
  { topic }: Queue,
  { partition, record }: DeliveredMessage,
  { origin, letter }: ReadHeaders,
): string {
  if (origin) return origin.place;
  const source = letter && broker.topic(letter.topic);
  if (source) return placeOf(source.id, letter.partition, letter.offset);
  return placeOf(topic.id, partition, record.offset);
}

function systemAttributes(
  { caller, queue, wanted: { system } }: ReceiveContext,
  { record, deliveries }: DeliveredMessage,
  headers: ReadHeaders,
  firstMs: number,
): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  const isAll = system.has('All');
  const set = (name: string, value: () => string | undefined): void => {
    if (!isAll && !system.has(name)) return;
    const text = value();
    if (text !== undefined) attributes.set(name, text);
  };
  set('SenderId', () => caller.account);
  set('SentTimestamp', () => String(headers.origin?.sentMs ?? record.timestampMs));
  set('ApproximateReceiveCount', () => String(deliveries));
  set('ApproximateFirstReceiveTimestamp', () => String(firstMs));
  set('MessageGroupId', () => {
    const key = headers.letter ? headers.letter.key : record.key;
    return key === null ? undefined : Buffer.from(key).toString('utf8');
  });
  set('MessageDeduplicationId', () => headers.dedupeId);
  set('SequenceNumber', () =>
    queue.isFifo ? sequenceNumberOf(headers.origin?.sequence ?? record.offset) : undefined,
  );
  set('AWSTraceHeader', () => headers.traceHeader);
  set(
    'DeadLetterQueueSourceArn',
    () => headers.letter && queueArn(caller, shownName(headers.letter.topic, names.sqs.topic)),
  );
  return attributes;
}
