import {
  contentSize,
  encodeProperties,
  FrameType,
  frameEnd,
  frameOverheadBytes,
  methods,
  readProperties,
  withHeaders,
  writeContent,
  writeFrameHead,
} from '../../wire/amqp/index.ts';
import type { Broker, Record } from '../../broker/index.ts';
import { writeI64, writeU16, writeU32 } from '../../util/index.ts';
import type { Output } from '../connections/index.ts';
import { deadLetterParts, isDeadLetter } from './deaths.ts';
import { deliveredParts, propertiesOfStored } from './message.ts';
import { withOffset } from './streams/index.ts';
import { plainNames, type VhostNames } from './vhosts/vhost-names.ts';

const shortBytesMax = 255;
const noBytes = Buffer.alloc(0);

/** The method before a content: basic.deliver with its consumer tag, or basic.get-ok with a count. */
export type Handover =
  | { readonly kind: 'deliver'; readonly consumerTag: Buffer }
  | { readonly kind: 'get'; readonly messageCount: number };

/** A message to hand over. */
export interface HandedOver {
  readonly channel: number;
  readonly deliveryTag: number;
  /** Deliveries of the message, this one included; and without those that were given back unhandled. */
  readonly deliveries: number;
  readonly attempt: number;
  /** Whether headers say these numbers. */
  readonly showsCounts: boolean;
  readonly record: Record;
  /** The name of its queue: the routing key of messages without a key. */
  readonly queue: Buffer;
  readonly isDurable: boolean;
  /** Whether the header `x-stream-offset` says the offset of the message. */
  readonly showsOffset: boolean;
  readonly broker: Broker;
  /** The names of the virtual host of its consumer. */
  readonly names: VhostNames;
}

/** Writes a message, with the method that hands it over, to the output of a connection. */
export function writeDelivery(
  output: Output,
  handover: Handover,
  {
    channel,
    deliveryTag,
    deliveries,
    attempt,
    showsCounts,
    record,
    queue,
    isDurable,
    showsOffset,
    broker,
    names,
  }: HandedOver,
  frameBytesMax: number,
): void {
  const { exchange, routingKey, properties: own } = handedOverParts(record, queue, isDurable, broker, names);
  const counted = showsCounts ? withCounts(own, deliveries, attempt) : own;
  const properties = showsOffset ? withOffset(counted, record.offset) : counted;
  const exchangeBytes = Math.min(exchange.length, shortBytesMax);
  const keyBytes = Math.min(routingKey.length, shortBytesMax);
  const isDeliver = handover.kind === 'deliver';
  const ownBytes = isDeliver ? 1 + handover.consumerTag.length : 4;
  const methodBytes = 4 + ownBytes + 8 + 1 + 1 + exchangeBytes + 1 + keyBytes;
  const hasBody = record.valueStart >= 0;
  const bodyStart = hasBody ? record.valueStart : 0;
  const bodyEnd = hasBody ? record.valueEnd : 0;
  const bytes =
    methodBytes + frameOverheadBytes + contentSize(properties.length, bodyEnd - bodyStart, frameBytesMax);
  let at = output.reserve(bytes);
  const target = output.buffer;
  at = writeFrameHead(target, at, FrameType.method, channel, methodBytes);
  const [classId, methodId] = isDeliver ? methods.basic.deliver.id : methods.basic.getOk.id;
  writeU16(target, at, classId);
  writeU16(target, at + 2, methodId);
  at += 4;
  if (isDeliver) at = writeShort(target, at, handover.consumerTag, handover.consumerTag.length);
  writeI64(target, at, deliveryTag);
  target[at + 8] = deliveries > 1 ? 1 : 0;
  at = writeShort(target, at + 9, exchange, exchangeBytes);
  at = writeShort(target, at, routingKey, keyBytes);
  if (!isDeliver) {
    writeU32(target, at, handover.messageCount);
    at += 4;
  }
  target[at++] = frameEnd;
  const content = { properties, body: record.buffer, bodyStart, bodyEnd };
  writeContent(target, at, channel, content, frameBytesMax);
  output.messages++;
}

/**
 * The headers of a redelivery, as the quorum queues of RabbitMQ 4.3 have them: how often the message had been
 * delivered before, and how often that failed. 64 bits, as Java and Go clients expect.
 */
function withCounts(properties: Uint8Array, deliveries: number, attempt: number): Uint8Array {
  const { buffer, byteOffset, length } = properties;
  const counts = new Map([
    ['x-delivery-count', BigInt(attempt - 1)],
    ['x-acquired-count', BigInt(deliveries - 1)],
  ]);
  return withHeaders(Buffer.from(buffer, byteOffset, length), [], counts);
}

export interface HandedOverParts {
  readonly exchange: Uint8Array;
  readonly routingKey: Uint8Array;
  readonly properties: Uint8Array;
}

/** The parts of a message as a consumer gets them. */
export function handedOverParts(
  record: Record,
  queue: Buffer,
  isDurable: boolean,
  broker: Broker,
  names: VhostNames = plainNames,
): HandedOverParts {
  const { exchange, properties } = deliveredParts(record, isDurable);
  if (record.hasHeaders && isDeadLetter(record.headers)) {
    const before = propertiesOfStored(record.headers) ?? readProperties(properties);
    const text = Buffer.from(exchange).toString('utf8');
    const letter = deadLetterParts(broker, record.headers, text, before, names);
    return {
      exchange: Buffer.from(letter.exchange, 'utf8'),
      routingKey: Buffer.from(letter.routingKey, 'utf8'),
      properties: encodeProperties(letter.properties),
    };
  }
  const routingKey = record.keyStart >= 0 ? record.key! : exchange.length === 0 ? queue : noBytes;
  return { exchange, routingKey, properties };
}

function writeShort(target: Buffer, position: number, bytes: Uint8Array, length: number): number {
  let at = position;
  target[at++] = length;
  for (let i = 0; i < length; i++) target[at++] = bytes[i]!;
  return at;
}
