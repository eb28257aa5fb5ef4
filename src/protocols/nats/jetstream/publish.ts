import {
  BrokerError,
  LiveMessage,
  Record,
  type Published,
  keyFromText,
  type PublishListener,
  type PublishOptions,
  type Route,
  type Topic,
} from '../../../broker/index.ts';
import { storedHeaders, verbatimName } from '../../../wire/nats/index.ts';
import type { NatsSession } from '../jetstream-door.ts';
import type { Context } from './context.ts';
import { writeDecimal } from './decimal.ts';
import { apiError, errorBodyOf, type ApiError } from './errors.ts';
import { headerText, noHeaders, textHeader, type Header } from './headers.ts';
import { messageTtlMs, withTtl } from './message-ttl.ts';
import { scheduleName, type ScheduleSurroundings } from './message-schedule.ts';
import { publishOptions } from './publish-options.ts';
import { refusalOf } from './publish-refusals.ts';
import { ReplySlots } from './reply-slots.ts';
import { sequenceOf } from './sequence.ts';
import type { Stream } from './stream.ts';
import type { StreamConfig } from './stream-config.ts';
import { whenDurable } from './when-durable.ts';

/** The token of a publish without an answer. */
const noReply = -1;

const duplicateEnd = Buffer.from(',"duplicate": true}');
const closingBrace = 0x7d;
/** Our own member of a PubAck: what became of a publish with a unique key. */
const uniqueEnds = {
  stored: Buffer.from(',"outcome": "stored"}'),
  ignored: Buffer.from(',"duplicate": true,"outcome": "ignored"}'),
  replaced: Buffer.from(',"outcome": "replaced"}'),
};

/**
 * Publishes to streams: a message to a subject that a stream captures is stored, and answered with a PubAck
 * once it is on disk.
 *
 * The usual publish has no headers, and allocates no object. The record and the answer are flyweights, a
 * number waits for the commit, and the PubAck is the stream's prefix and a number.
 */
export class Publisher implements PublishListener<number> {
  readonly #context: Context;
  readonly #record = new Record();
  readonly #answer = new LiveMessage();
  #answerBytes: Buffer = Buffer.alloc(512);
  /** The stream prefix that `#answerBytes` begins with. */
  #answerPrefix: Buffer | undefined = undefined;
  #answerRoute: Route | undefined = undefined;
  #lastTopic: Topic | undefined = undefined;
  #lastStream: Stream | undefined = undefined;
  readonly #replies = new ReplySlots();
  /** The stream of each reply slot in use. */
  readonly #streams: (Stream | undefined)[] = [];
  #joined: Buffer = Buffer.alloc(0);
  readonly #held = new Set<NatsSession>();

  constructor(context: Context) {
    this.#context = context;
  }

  publish(session: NatsSession, message: LiveMessage, topic: Topic): void {
    const stream = topic === this.#lastTopic ? this.#lastStream! : this.#remember(topic);
    const { config } = stream;
    const slot = message.replyStart < 0 || config.no_ack ? noReply : this.#takeSlot(stream, message);
    const refusal = refusalOf(message, config);
    if (refusal !== undefined) return this.refused(slot, refusal);
    let options: PublishOptions | undefined;
    const headerBytes = message.headerStart < 0 ? 0 : message.headerEnd - message.headerStart;
    const record = this.#record;
    record.headers = noHeaders;
    if (headerBytes > 0) {
      const headers = storedHeaders(message.headerBuffer, message.headerStart, message.headerEnd);
      try {
        options = publishOptions(headers, config, message, this.#surroundings(topic));
        checkEndedSchedule(options, topic, this.#context);
      } catch (error) {
        return this.refused(slot, error as ApiError);
      }
      const { ttlMs } = options ?? {};
      const isRaised = ttlMs !== undefined && ttlMs !== messageTtlMs(headers);
      record.headers = isRaised
        ? withTtl(withRollup(headers, options), ttlMs, verbatimName)
        : fitting(withRollup(headers, options), headerBytes, message, config);
    }
    this.#fillRecord(message);
    topic.publish(record, options, this, slot);
    if (this.#context.broker.congested) this.#hold(session);
  }

  /** Why {@link publish} would refuse a message before it reaches the topic. */
  refusalOf(message: LiveMessage, topic: Topic): string | undefined {
    const { config } = this.#context.streams.of(topic);
    const refusal = refusalOf(message, config);
    if (refusal !== undefined || message.headerStart < 0) return refusal?.message;
    try {
      publishOptions(message.decodeHeaders(), config, message, this.#surroundings(topic));
    } catch (error) {
      return (error as ApiError).message;
    }
    return undefined;
  }

  #surroundings({ name: topic }: Topic): ScheduleSurroundings {
    const { broker, clock } = this.#context;
    return { topic, schedules: broker.schedules, nowMs: clock.now() };
  }

  // ---- PublishListener

  published(slot: number, partition: number, offset: number, duplicate: boolean): void {
    if (slot !== noReply) this.#answerWith(slot, partition, offset, duplicate ? duplicateEnd : undefined);
  }

  unique(slot: number, { partition, offset, outcome = 'stored' }: Published): void {
    if (slot !== noReply) this.#answerWith(slot, partition, offset, uniqueEnds[outcome]);
  }

  /** Sends a PubAck. `end`: its members after the sequence, and the closing brace. */
  #answerWith(slot: number, partition: number, offset: number, end: Buffer | undefined): void {
    const prefix = this.#streams[slot]!.pubAckPrefix;
    if (prefix !== this.#answerPrefix) this.#setPrefix(prefix);
    const bytes = this.#answerBytes;
    let at = writeDecimal(bytes, prefix.length, sequenceOf(partition, offset));
    if (end) at += end.copy(bytes, at);
    else bytes[at++] = closingBrace;
    const replies = this.#replies;
    replies.find(slot);
    const answer = this.#answer;
    answer.setSubject(replies.buffer, replies.start, replies.end);
    answer.setValue(bytes, 0, at);
    const { router } = this.#context;
    this.#answerRoute = router.match(replies.buffer, replies.start, replies.end, this.#answerRoute);
    router.deliver(this.#answerRoute, answer);
    replies.give(slot);
  }

  refused(slot: number, error: Error): void {
    if (slot === noReply) return;
    const replies = this.#replies;
    replies.find(slot);
    const reply = Buffer.from(replies.buffer.subarray(replies.start, replies.end)).toString('utf8');
    const stream = this.#streams[slot]!;
    replies.give(slot);
    // A broker that lost its disk sends no answers; clients notice that their connection ends.
    if (error instanceof BrokerError && error.code === 'closed') return;
    const answer = { error: errorBodyOf(error), stream: stream.name, seq: 0 };
    const durable = tellsWhatIsLast(error) ? whenDurable(this.#context, stream.topic) : undefined;
    if (durable) void durable.then(() => this.#context.outlet.json(reply, answer));
    else this.#context.outlet.json(reply, answer);
  }

  #setPrefix(prefix: Buffer): void {
    const needed = prefix.length + 96;
    if (this.#answerBytes.length < needed) this.#answerBytes = Buffer.alloc(needed);
    this.#answerBytes.set(prefix, 0);
    this.#answerPrefix = prefix;
  }

  #remember(topic: Topic): Stream {
    this.#lastTopic = topic;
    this.#lastStream = this.#context.streams.of(topic);
    return this.#lastStream;
  }

  /** Forgets a deleted topic: a new topic may get the same name. */
  topicDeleted(topic: Topic): void {
    if (topic !== this.#lastTopic) return;
    this.#lastTopic = undefined;
    this.#lastStream = undefined;
  }

  #takeSlot(stream: Stream, { replyBuffer, replyStart, replyEnd }: LiveMessage): number {
    const slot = this.#replies.take(replyBuffer, replyStart, replyEnd);
    this.#streams[slot] = stream;
    return slot;
  }

  /** Points the record at subject and payload. They are joined first if they are not in the same buffer. */
  #fillRecord(message: LiveMessage): void {
    const record = this.#record;
    const { subjectBuffer, subjectStart, subjectEnd, valueBuffer, valueStart, valueEnd } = message;
    record.timestampMs = 0;
    if (subjectBuffer === valueBuffer) {
      record.buffer = valueBuffer;
      record.keyStart = subjectStart;
      record.keyEnd = subjectEnd;
      record.valueStart = valueStart;
      record.valueEnd = valueEnd;
      return;
    }
    const keyBytes = subjectEnd - subjectStart;
    const bytes = keyBytes + valueEnd - valueStart;
    if (this.#joined.length < bytes)
      this.#joined = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#joined.length));
    this.#joined.set(subjectBuffer.subarray(subjectStart, subjectEnd), 0);
    this.#joined.set(valueBuffer.subarray(valueStart, valueEnd), keyBytes);
    record.buffer = this.#joined;
    record.keyStart = 0;
    record.keyEnd = keyBytes;
    record.valueStart = keyBytes;
    record.valueEnd = bytes;
  }

  /** Too many bytes wait for the disk: the publisher is not read until they become fewer. */
  #hold(session: NatsSession): void {
    if (this.#held.has(session)) return;
    session.hold('congested');
    this.#held.add(session);
    if (this.#held.size > 1) return;
    this.#context.broker.onUncongested(() => {
      const held = [...this.#held];
      this.#held.clear();
      for (const each of held) each.release('congested');
    });
  }
}

/** A message with a schedule replaces the earlier one of its subject, and says so. */
function withRollup(headers: readonly Header[], options: PublishOptions | undefined): readonly Header[] {
  if (!options?.schedule || headerText(headers, 'Nats-Rollup') !== undefined) return headers;
  return [...headers, textHeader('Nats-Rollup', 'sub')];
}

/** Throws 10212 if the message is to end a schedule and names a subject whose last message has none. */
function checkEndedSchedule(options: PublishOptions | undefined, topic: Topic, { broker }: Context): void {
  const ended = options?.removesKey;
  if (ended === undefined || broker.schedules.get(scheduleName(topic.name, ended))) return;
  for (const partition of topic.partitions.opened)
    if ((partition.keyIndex?.get(keyFromText(ended))?.count ?? 0) > 0) throw apiError('schedulerInvalid');
}

/** Whether a refusal tells the client which message is the last: that message must survive a crash. */
function tellsWhatIsLast(error: Error): boolean {
  if (!(error instanceof BrokerError)) return false;
  const { code } = error;
  return code === 'wrong-last-offset' || code === 'wrong-last-key-offset' || code === 'wrong-last-dedupe-id';
}

/**
 * The headers to store. If the list also needs the original block and both do not fit, only the block is
 * stored; it has all headers.
 */
function fitting(
  headers: readonly Header[],
  headerBytes: number,
  { valueStart, valueEnd }: LiveMessage,
  { max_msg_size: bytesMax }: StreamConfig,
): readonly Header[] {
  const last = headers[headers.length - 1];
  if (bytesMax <= 0 || last?.name !== verbatimName) return headers;
  return 2 * headerBytes + valueEnd - valueStart > bytesMax ? [last] : headers;
}
