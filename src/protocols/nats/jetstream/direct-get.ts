import {
  KeyReader,
  LiveMessage,
  textFromKey,
  type Partition,
  type Record,
  type StoredMessage,
} from '../../../broker/index.ts';
import { hasWildcards } from '../../../util/index.ts';
import type { Context, LiveTarget } from './context.ts';
import { ApiError } from './errors.ts';
import { findMessage, messageGetShape } from './handlers/message.ts';
import { messageHeaders, messageSubject, textHeader, type Header } from './headers.ts';
import { decodeBody, type Decoded } from './json.ts';
import { locate, offsetOfSequence, partitionOfSequence, sequenceOf } from './sequence.ts';
import { endOfBatchStatus, statuses } from './status.ts';
import type { Stream } from './stream.ts';
import { liveFrom } from './stream-info.ts';
import { timeMs, timeText } from './time.ts';
import { whenDurable } from './when-durable.ts';

type DirectRequest = Decoded<typeof messageGetShape>;

/** The most subjects of which one request may get the last message. */
const multiLastMax = 1024;
/** The most patterns in one request. */
const multiLastPatternsMax = 1024;
const batchBytesMax = 64 * 1024 * 1024;
/** Messages, and keys, that are examined before other work gets a turn. */
const messagesPerTurn = 256;
const keysPerTurn = 16_384;

/**
 * The most subjects without a known last message that are searched one by one. Further ones are found
 * together in one scan of the log.
 */
const oneByOneMax = 8;

const noBytes = Buffer.alloc(0);

/**
 * `DIRECT.GET.<stream>[.<subject>]`: answers with the messages themselves, with their position in headers. KV
 * and object store read this way.
 *
 * ```
 * {seq} | {last_by_subj} | {next_by_subj, seq} | {start_time}                  one message
 * {batch, max_bytes, seq | start_time, next_by_subj}                           several, then 204 EOB
 * {multi_last: [patterns], up_to_seq | up_to_time, batch, max_bytes}           the last of each subject, then 204 EOB
 * ```
 */
export async function directGet(
  context: Context,
  stream: Stream,
  request: { readonly reply: string; readonly subject: string; readonly body: Uint8Array },
): Promise<void> {
  const say = (status: Buffer): void => context.outlet.status(request.reply, status);
  let asked: DirectRequest;
  try {
    asked = decodeBody(request.body, messageGetShape);
  } catch (error) {
    if (error instanceof ApiError) return say(statuses.malformedRequest);
    throw error;
  }
  if (request.subject !== '') {
    if (Object.keys(asked).some((member) => member !== 'no_hdr')) return say(statuses.badDirectRequest);
    asked = { ...asked, last_by_subj: request.subject };
  }
  const { seq, last_by_subj: last, next_by_subj: next, start_time: start, multi_last: multi, batch } = asked;
  if (!seq && !last && !next && !multi?.length && !start) return say(statuses.emptyRequest);
  const conflicts =
    (seq && (last || start)) ||
    (last && (start || next || batch || multi?.length)) ||
    (next && multi?.length) ||
    (multi && multi.length > multiLastPatternsMax) ||
    (asked.up_to_seq && asked.up_to_time);
  if (conflicts) return say(statuses.badDirectRequest);
  const answer = new DirectAnswer(context, stream, request.reply, asked);
  if (multi?.length) return answer.lastOfEach(multi);
  if (batch) return answer.batch(batch);
  const message = await findMessage(stream, asked);
  if (!message) return say(statuses.messageNotFound);
  answer.send(message, []);
}

/** The answer to one request: its messages, one after another, as fast as the client reads. */
class DirectAnswer {
  readonly #context: Context;
  readonly #stream: Stream;
  readonly #target: LiveTarget;
  readonly #reply: Buffer;
  readonly #request: DirectRequest;
  #sentBytes = 0;
  #sinceBreath = 0;
  #lastSequence = 0;

  constructor(context: Context, stream: Stream, reply: string, request: DirectRequest) {
    this.#context = context;
    this.#stream = stream;
    this.#target = context.router.target(reply);
    this.#reply = Buffer.from(reply);
    this.#request = request;
  }

  get #bytesMax(): number {
    return this.#request.max_bytes || batchBytesMax;
  }

  #say(status: Buffer): void {
    this.#context.outlet.status(this.#target.subject, status);
  }

  /** Sends a message under the reply subject: its own headers, then headers with its position. */
  send(stored: StoredMessage, further: readonly Header[]): void {
    const stream = this.#stream;
    const subject = messageSubject(stream, stored);
    const sequence = sequenceOf(stored.partition, stored.offset);
    const message = new LiveMessage();
    message.setSubject(this.#reply, 0, this.#reply.length);
    if (!this.#request.no_hdr) {
      message.headers = [
        ...messageHeaders(stream, stored),
        textHeader('Nats-Stream', stream.name),
        textHeader('Nats-Subject', subject),
        textHeader('Nats-Sequence', sequence),
        textHeader('Nats-Time-Stamp', timeText(stored.timestampMs)),
        ...further,
      ];
    }
    const value = stored.value ?? noBytes;
    message.setValue(value, 0, value.length);
    this.#target.send(message);
    this.#lastSequence = sequence;
    this.#sentBytes += subject.length + value.length;
  }

  #sendOfBatch(stored: StoredMessage, pending: number): void {
    this.send(stored, [
      textHeader('Nats-Num-Pending', pending),
      textHeader('Nats-Last-Sequence', this.#lastSequence),
    ]);
  }

  /** Sends up to `count` messages, from the requested position on. */
  async batch(count: number): Promise<void> {
    const pattern = this.#request.next_by_subj || undefined;
    const patterns = pattern === undefined ? {} : { patterns: [pattern] };
    const from = await this.#startSequence();
    let pending = await this.#countFrom(from, pattern);
    await whenDurable(this.#context, this.#stream.topic);
    let sent = 0;
    for (const { partition, offset } of startsFrom(this.#stream, from)) {
      for await (const record of partition.scan(offset, patterns)) {
        pending = Math.max(0, pending - 1);
        this.#sendOfBatch(viewOf(partition, record), pending);
        if (++sent >= count || this.#sentBytes >= this.#bytesMax) return this.#endBatch(pending);
        if (!(await this.#mayGoOn())) return;
      }
    }
    if (sent === 0) this.#say(statuses.messageNotFound);
    else this.#endBatch(pending);
  }

  #endBatch(pending: number): void {
    this.#say(endOfBatchStatus(pending, this.#lastSequence));
  }

  /**
   * Waits for a slow reader, and regularly lets other work have a turn. False: the reply subject has no
   * subscriber any more.
   */
  async #mayGoOn(): Promise<boolean> {
    if (this.#target.congested) {
      await new Promise<void>((resolve) => this.#target.whenDrained(resolve));
      return this.#target.present;
    }
    if (++this.#sinceBreath < messagesPerTurn) return true;
    await this.#breathe();
    return this.#target.present;
  }

  async #breathe(): Promise<void> {
    this.#sinceBreath = 0;
    await new Promise<void>((resolve) => this.#context.clock.defer(resolve));
  }

  async #startSequence(): Promise<number> {
    const startMs = timeMs(this.#request.start_time);
    if (startMs === undefined) return Math.max(1, this.#request.seq ?? 1);
    return sequenceOf(0, await this.#stream.topic.partitions.at(0)!.offsetAtTime(startMs));
  }

  async #countFrom(from: number, pattern: string | undefined): Promise<number> {
    if (pattern === undefined || pattern === '>') return liveFrom(this.#stream, from);
    let count = 0;
    for (const { partition, offset } of startsFrom(this.#stream, from)) {
      for await (const _ of partition.scan(offset, { patterns: [pattern] })) {
        count++;
        if (++this.#sinceBreath >= messagesPerTurn) await this.#breathe();
      }
    }
    return count;
  }

  /** Sends the last message of each subject that a pattern matches, in order of their sequences. */
  async lastOfEach(patterns: readonly string[]): Promise<void> {
    const upTo = await this.#upToSequence();
    await whenDurable(this.#context, this.#stream.topic);
    const { topic } = this.#stream;
    const places: { partition: Partition; offset: number }[] = [];
    for (const partition of topic.partitions.opened.slice()) {
      if (partition.index > partitionOfSequence(upTo)) break;
      const highest = partitionOfSequence(upTo) > partition.index ? Infinity : offsetOfSequence(upTo);
      for (const offset of await this.#lastOffsets(partition, patterns, highest)) {
        if (sequenceOf(partition.index, offset) < (this.#request.seq ?? 0)) continue;
        places.push({ partition, offset });
      }
      if (places.length > multiLastMax) return this.#say(statuses.tooManyResults);
    }
    places.sort((a, b) => a.partition.index - b.partition.index || a.offset - b.offset);
    let pending = places.length;
    let sent = 0;
    for (const { partition, offset } of places) {
      const stored = await partition.get(offset);
      pending--;
      if (!stored) continue;
      this.#sendOfBatch(stored, pending);
      if (++sent === this.#request.batch || this.#sentBytes >= this.#bytesMax) break;
      if (!(await this.#mayGoOn())) return;
    }
    if (sent === 0) this.#say(statuses.noResults);
    else this.#say(endOfBatchStatus(pending, this.#lastSequence, upTo));
  }

  /**
   * The offsets of the last messages at or below `highest`. They come from the key index; for keys with later
   * messages, from one scan of the log.
   */
  async #lastOffsets(
    partition: Partition,
    patterns: readonly string[],
    highest: number,
  ): Promise<Iterable<number>> {
    if (partition.accounting.size > 0) await partition.accounting.run();
    const last = new Map<string, number>();
    const toFind = new Set<string>();
    let stale = 0;
    for (const pattern of patterns) {
      for (const [key, state] of partition.keys(pattern)) {
        if (state.last > highest) {
          if (state.first <= highest) toFind.add(key);
        } else if (state.lastStale || state.last >= partition.stableEnd) {
          if (++stale > oneByOneMax) {
            toFind.add(key);
            continue;
          }
          const stored = await partition.last(key);
          if (stored) last.set(key, stored.offset);
        } else last.set(key, state.last);
        if (last.size > multiLastMax) return last.values();
        if (++this.#sinceBreath >= keysPerTurn) await this.#breathe();
      }
      if (hasWildcards(pattern)) await this.#breathe(); // the pattern was compared with every key
    }
    if (toFind.size === 0 && partition.keyIndex) return last.values();
    const keys = new KeyReader();
    for await (const record of partition.scan(partition.firstOffset, { patterns, toOffset: highest + 1 })) {
      const key = textFromKey(keys.read(record));
      if (toFind.has(key) || !partition.keyIndex) last.set(key, record.offset);
      if (++this.#sinceBreath >= messagesPerTurn) await this.#breathe();
    }
    return last.values();
  }

  /** The highest sequence to examine; 0 if all messages are later. */
  async #upToSequence(): Promise<number> {
    const { up_to_seq: sequence, up_to_time: time } = this.#request;
    if (sequence) return sequence;
    const { partitions } = this.#stream.topic;
    const last = partitions.at(partitions.length - 1)!;
    const upToMs = timeMs(time);
    if (upToMs === undefined) return sequenceOf(last.index, last.nextOffset - 1);
    const offset = await partitions.at(0)!.offsetAtTime(upToMs);
    return offset <= partitions.at(0)!.firstOffset ? 0 : sequenceOf(0, offset - 1);
  }
}

/** A record as a stored message; its parts are views that are valid until the reader moves on. */
function viewOf(partition: Partition, record: Record): StoredMessage {
  const { offset, key, headers, value, timestampMs } = record;
  return {
    topic: partition.topic.name,
    partition: partition.index,
    offset,
    key,
    headers,
    value,
    timestampMs,
  };
}

/** The partitions from that of the sequence on, each with the offset to start at. */
function startsFrom(stream: Stream, sequence: number): { partition: Partition; offset: number }[] {
  const first = locate(stream.topic, sequence);
  if (!first) return [];
  return stream.topic.partitions.opened
    .filter(({ index }) => index >= first.partition.index)
    .map((partition) => ({ partition, offset: partition === first.partition ? first.offset : 0 }));
}
