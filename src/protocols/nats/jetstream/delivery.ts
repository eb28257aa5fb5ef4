import { LiveMessage, type Delivery, type Record } from '../../../broker/index.ts';
import { headersSize } from '../../../wire/nats/index.ts';
import { foreignKeyHeader, noHeaders, textHeader, type Header } from './headers.ts';
import type { StreamConsumer } from './consumer.ts';
import type { LiveTarget } from './context.ts';
import { writeDecimal } from './decimal.ts';
import { pinIdOf } from './priority-groups.ts';
import { sequenceOf } from './sequence.ts';

const dot = 46;
/**
 * The nanoseconds below the millisecond, which the broker does not keep. They are not zero because of clients
 * that read the timestamp as a double (nats.js). A double is a multiple of 256 ns here, and with zeros half
 * of all times would be rounded to a millisecond too early.
 */
const belowMillisecond = '000128';
/** The longest tail of an ack subject: five numbers of up to 22 digits, with their dots. */
const ackTailBytesMax = 5 * 23;

/**
 * The latest time, in 2262, that fits a client's 64 bits of nanoseconds. Messages of other protocols may have
 * any timestamp.
 */
const timestampMsMax = 9_223_372_036_854;

/**
 * Writes deliveries: the record's own bytes, with the ack subject as the reply.
 *
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<timestamp ns>.<pending>` (version 1;
 * 9 tokens)
 *
 * One writer serves all consumers. Its prefix and its timestamp are rewritten only when they change.
 */
export class DeliveryWriter {
  readonly #message = new LiveMessage();
  #reply: Buffer = Buffer.alloc(256);
  #prefixOf: StreamConsumer | undefined = undefined;
  #prefixEnd = 0;
  /** The timestamp as digits of nanoseconds. */
  readonly #timestamp = Buffer.alloc(24, '0');
  #timestampMs = NaN;
  #timestampEnd = 0;

  /**
   * Sends a delivery to a target. Returns its bytes as `max_bytes` and flow control count them: subject,
   * reply, headers, payload; as in nats-server, without the header of the pin id.
   */
  send(consumer: StreamConsumer, delivery: Delivery, target: LiveTarget): number {
    const { record } = delivery;
    const message = this.#message;
    const sequence = sequenceOf(delivery.partition, record.offset);
    const replyEnd = this.#writeReply(consumer, delivery, sequence);
    message.setReply(this.#reply, 0, replyEnd);
    const { keyStart, keyEnd, buffer } = record;
    const ownSubject = hasOwnSubject(consumer, record);
    if (ownSubject) message.setSubject(buffer, keyStart, keyEnd);
    else {
      const name = consumer.stream.nameBytes;
      message.setSubject(name, 0, name.length);
    }
    const headers = headersOf(consumer, record, ownSubject);
    const pinId = consumer.isPinning ? pinIdOf(consumer.group) : undefined;
    const valueBytes = consumer.headersOnly ? 0 : valueBytesOf(record);
    message.setValue(
      buffer,
      valueBytes === 0 ? 0 : record.valueStart,
      valueBytes === 0 ? 0 : record.valueEnd,
    );
    message.headers = pinId === undefined ? headers : [...headers, textHeader('Nats-Pin-Id', pinId)];
    consumer.samples?.delivered(sequence);
    target.send(message);
    message.headers = noHeaders;
    return message.subjectEnd - message.subjectStart + replyEnd + blockBytes(headers) + valueBytes;
  }

  /**
   * The bytes that {@link send} will return for the next delivery of a consumer, which has no numbers yet.
   */
  measure(consumer: StreamConsumer, delivery: Delivery): number {
    const { record, deliveries } = delivery;
    const { group, stream } = consumer;
    const ownSubject = hasOwnSubject(consumer, record);
    const pending = group.lag - (deliveries === 1 ? 1 : 0);
    const next = { ...delivery, record, sequence: group.deliverySequence + 1, pending };
    return (
      (ownSubject ? record.keyEnd - record.keyStart : stream.nameBytes.length) +
      this.#writeReply(consumer, next, sequenceOf(delivery.partition, record.offset)) +
      blockBytes(headersOf(consumer, record, ownSubject)) +
      (consumer.headersOnly ? 0 : valueBytesOf(record))
    );
  }

  #writeReply(consumer: StreamConsumer, delivery: Delivery, sequence: number): number {
    const { timestampMs } = delivery.record;
    if (this.#prefixOf !== consumer) this.#setPrefix(consumer);
    if (this.#timestampMs !== timestampMs) this.#setTimestamp(timestampMs);
    const reply = this.#reply;
    let at = writeDecimal(reply, this.#prefixEnd, delivery.deliveries);
    reply[at++] = dot;
    at = writeDecimal(reply, at, sequence);
    reply[at++] = dot;
    at = writeDecimal(reply, at, delivery.sequence);
    reply[at++] = dot;
    const timestamp = this.#timestamp;
    const end = this.#timestampEnd;
    for (let i = 0; i < end; i++) reply[at + i] = timestamp[i]!;
    at += end;
    reply[at++] = dot;
    return writeDecimal(reply, at, delivery.pending);
  }

  #setPrefix(consumer: StreamConsumer): void {
    const prefix = consumer.ackPrefix;
    if (prefix.length + ackTailBytesMax > this.#reply.length)
      this.#reply = Buffer.alloc(prefix.length + ackTailBytesMax);
    this.#reply.set(prefix, 0);
    this.#prefixEnd = prefix.length;
    this.#prefixOf = consumer;
  }

  #setTimestamp(timestampMs: number): void {
    this.#timestampMs = timestampMs;
    const shownMs = Math.max(0, Math.min(timestampMsMax, Math.floor(timestampMs)));
    const end = writeDecimal(this.#timestamp, 0, shownMs);
    this.#timestamp.write(belowMillisecond, end, 'latin1');
    this.#timestampEnd = end + 6;
  }
}

/** Whether the record's key is a subject of the stream. */
function hasOwnSubject({ stream }: StreamConsumer, { buffer, keyStart, keyEnd }: Record): boolean {
  return keyStart >= 0 && stream.keySubjects.has(buffer, keyStart, keyEnd);
}

function valueBytesOf({ valueStart, valueEnd }: Record): number {
  return valueStart < 0 ? 0 : valueEnd - valueStart;
}

/**
 * The record's headers, with a header for a key that is not a subject, and one for the size of a value that
 * is not sent.
 */
function headersOf(consumer: StreamConsumer, record: Record, ownSubject: boolean): readonly Header[] {
  let { headers } = record;
  if (!ownSubject && record.keyStart >= 0)
    headers = [...headers, foreignKeyHeader(record.buffer.subarray(record.keyStart, record.keyEnd))];
  return consumer.headersOnly ? [...headers, textHeader('Nats-Msg-Size', valueBytesOf(record))] : headers;
}

function blockBytes(headers: readonly Header[]): number {
  return headers.length === 0 ? 0 : headersSize(headers);
}
