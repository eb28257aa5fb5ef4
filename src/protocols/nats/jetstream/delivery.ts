import { LiveMessage, type Delivery } from '../../../broker/index.ts';
import { noHeaders, type Header } from './headers.ts';
import type { StreamConsumer } from './consumer.ts';
import type { LiveTarget } from './context.ts';
import { writeDecimal } from './decimal.ts';
import { foreignKeyHeader } from './headers.ts';
import { sequenceOf } from './sequence.ts';

const dot = 46;
/**
 * Nanoseconds below the millisecond, which is all the broker keeps. Not zero: a client that reads the timestamp as a double (nats.js)
 * rounds it to a multiple of 256 ns, and with zeros half of all times would come out a millisecond early.
 */
const belowMillisecond = '000128';
/** Longest tail of an ack subject: five numbers of up to 22 digits with their dots. */
const ackTailBytesMax = 5 * 23;

/** What a client's 64 bits of nanoseconds can say, in the year 2262; messages of other protocols may have any timestamp. */
const timestampMsMax = 9_223_372_036_854;

/**
 * Writes deliveries: the record's own bytes, with the ack subject as the reply.
 *
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<timestamp ns>.<pending>` (version 1; 9 tokens)
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

  /** Sends to a target and says how many bytes that was, as `max_bytes` and flow control count them: subject, reply, headers, payload. */
  send(consumer: StreamConsumer, delivery: Delivery, target: LiveTarget): number {
    const { record } = delivery;
    const message = this.#message;
    const sequence = sequenceOf(delivery.partition, record.offset);
    const replyEnd = this.#writeReply(consumer, delivery, sequence, record.timestampMs);
    message.setReply(this.#reply, 0, replyEnd);
    const { keyStart, keyEnd, buffer } = record;
    let headers = record.headers;
    if (keyStart >= 0 && consumer.stream.keySubjects.has(buffer, keyStart, keyEnd)) {
      message.setSubject(buffer, keyStart, keyEnd);
    } else {
      const name = consumer.stream.nameBytes;
      message.setSubject(name, 0, name.length);
      if (keyStart >= 0) headers = [...headers, foreignKeyHeader(buffer.subarray(keyStart, keyEnd))];
    }
    const valueBytes = record.valueStart < 0 ? 0 : record.valueEnd - record.valueStart;
    if (consumer.headersOnly) {
      headers = [...headers, messageSizeHeader(valueBytes)];
      message.setValue(buffer, 0, 0);
    } else {
      message.setValue(
        buffer,
        valueBytes === 0 ? 0 : record.valueStart,
        valueBytes === 0 ? 0 : record.valueEnd,
      );
    }
    message.headers = headers;
    consumer.samples?.delivered(sequence);
    target.send(message);
    message.headers = noHeaders;
    return (
      message.subjectEnd -
      message.subjectStart +
      replyEnd +
      headerBytes(headers) +
      message.valueEnd -
      message.valueStart
    );
  }

  #writeReply(consumer: StreamConsumer, delivery: Delivery, sequence: number, timestampMs: number): number {
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

function messageSizeHeader(bytes: number): Header {
  return { name: 'Nats-Msg-Size', value: Buffer.from(String(bytes)) };
}

/** `NATS/1.0 CRLF`, `name: value CRLF` …, `CRLF`. */
function headerBytes(headers: readonly Header[]): number {
  if (headers.length === 0) return 0;
  let bytes = 12;
  for (const { name, value } of headers) bytes += name.length + 4 + (value?.length ?? 0);
  return bytes;
}
