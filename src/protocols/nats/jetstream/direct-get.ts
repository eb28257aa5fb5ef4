import { LiveMessage, type Partition, type StoredMessage } from '../../../broker/index.ts';
import type { Context } from './context.ts';
import { ApiError } from './errors.ts';
import { findMessage, messageGetShape } from './handlers/message.ts';
import { messageHeaders, messageSubject, textHeader, type Header } from './headers.ts';
import { decodeBody, type Decoded } from './json.ts';
import { locate, offsetOfSequence, partitionOfSequence, sequenceOf } from './sequence.ts';
import { endOfBatchStatus, statuses } from './status.ts';
import type { Stream } from './stream.ts';
import { liveFrom } from './stream-info.ts';
import { timeMs, timeText } from './time.ts';

type DirectRequest = Decoded<typeof messageGetShape>;

/** One request asks for the last messages of so many subjects at most. */
const multiLastMax = 1024;
const batchBytesMax = 64 * 1024 * 1024;

/**
 * `DIRECT.GET.<stream>[.<subject>]`: messages as they are, with where they stand in headers. KV and object store read this way.
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
    (asked.up_to_seq && asked.up_to_time);
  if (conflicts) return say(statuses.badDirectRequest);
  const answer = new DirectAnswer(context, stream, request.reply, asked);
  if (multi?.length) return answer.lastOfEach(multi);
  if (batch) return answer.batch(batch);
  const message = await findMessage(stream, asked);
  if (!message) return say(statuses.messageNotFound);
  answer.send(message, []);
}

/** The answer to one request: its messages, one after the other. */
class DirectAnswer {
  readonly #context: Context;
  readonly #stream: Stream;
  readonly #reply: Buffer;
  readonly #replyText: string;
  readonly #request: DirectRequest;
  #sentBytes = 0;
  #lastSequence = 0;

  constructor(context: Context, stream: Stream, reply: string, request: DirectRequest) {
    this.#context = context;
    this.#stream = stream;
    this.#replyText = reply;
    this.#reply = Buffer.from(reply);
    this.#request = request;
  }

  get #bytesMax(): number {
    return this.#request.max_bytes || batchBytesMax;
  }

  #say(status: Buffer): void {
    this.#context.outlet.status(this.#replyText, status);
  }

  /** Sends a message under the reply subject: its own headers, then where it stands. */
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
    const value = stored.value ?? Buffer.alloc(0);
    message.setValue(value, 0, value.length);
    this.#context.router.publish(message);
    this.#lastSequence = sequence;
    this.#sentBytes += subject.length + value.length;
  }

  #sendOfBatch(stored: StoredMessage, pending: number): void {
    this.send(stored, [
      textHeader('Nats-Num-Pending', pending),
      textHeader('Nats-Last-Sequence', this.#lastSequence),
    ]);
  }

  /** Up to `count` messages from a place on. */
  async batch(count: number): Promise<void> {
    const pattern = this.#request.next_by_subj || undefined;
    const from = await this.#startSequence();
    let pending = await this.#countFrom(from, pattern);
    let sent = 0;
    for (const { partition, offset } of startsFrom(this.#stream, from)) {
      const patterns = pattern === undefined ? {} : { patterns: [pattern] };
      for await (const record of partition.scan(offset, patterns)) {
        const stored = await partition.get(record.offset);
        if (!stored) continue;
        pending = Math.max(0, pending - 1);
        this.#sendOfBatch(stored, pending);
        if (++sent >= count || this.#sentBytes >= this.#bytesMax) return this.#endBatch(pending);
      }
    }
    if (sent === 0) this.#say(statuses.messageNotFound);
    else this.#endBatch(pending);
  }

  #endBatch(pending: number): void {
    this.#say(endOfBatchStatus(pending, this.#lastSequence));
  }

  async #startSequence(): Promise<number> {
    const startMs = timeMs(this.#request.start_time);
    if (startMs === undefined) return Math.max(1, this.#request.seq ?? 1);
    return sequenceOf(0, await this.#stream.topic.partitions[0]!.offsetAtTime(startMs));
  }

  async #countFrom(from: number, pattern: string | undefined): Promise<number> {
    if (pattern === undefined || pattern === '>') return liveFrom(this.#stream, from);
    let count = 0;
    for (const { partition, offset } of startsFrom(this.#stream, from)) {
      for await (const _ of partition.scan(offset, { patterns: [pattern] })) count++;
    }
    return count;
  }

  /** The last message of each subject that a pattern matches, in order of their sequences. */
  async lastOfEach(patterns: readonly string[]): Promise<void> {
    const upTo = await this.#upToSequence();
    if (upTo === 0) return this.#say(statuses.noResults);
    const found = new Map<string, StoredMessage>();
    for (const partition of this.#stream.topic.partitions) {
      for (const pattern of patterns) {
        for (const [key, state] of partition.keys(pattern)) {
          const stored = await lastUpTo(partition, key, state.last, upTo);
          if (!stored || sequenceOf(stored.partition, stored.offset) < (this.#request.seq ?? 0)) continue;
          found.set(`${partition.index} ${key}`, stored);
          if (found.size > multiLastMax) return this.#say(statuses.tooManyResults);
        }
      }
    }
    if (found.size === 0) return this.#say(statuses.noResults);
    const messages = [...found.values()].sort((a, b) => a.partition - b.partition || a.offset - b.offset);
    let pending = messages.length;
    let sent = 0;
    for (const stored of messages) {
      this.#sendOfBatch(stored, --pending);
      if (this.#sentBytes >= this.#bytesMax || ++sent === this.#request.batch) break;
    }
    this.#say(endOfBatchStatus(pending, this.#lastSequence, upTo));
  }

  /** The highest sequence to look at; 0 when everything is later. */
  async #upToSequence(): Promise<number> {
    const { up_to_seq: sequence, up_to_time: time } = this.#request;
    if (sequence) return sequence;
    const { partitions } = this.#stream.topic;
    const last = partitions[partitions.length - 1]!;
    const upToMs = timeMs(time);
    if (upToMs === undefined) return sequenceOf(last.index, last.nextOffset - 1);
    const offset = await partitions[0]!.offsetAtTime(upToMs);
    return offset <= partitions[0]!.firstOffset ? 0 : sequenceOf(0, offset - 1);
  }
}

/** The last message of a key at or below a sequence. */
async function lastUpTo(
  partition: Partition,
  key: string,
  last: number,
  upTo: number,
): Promise<StoredMessage | undefined> {
  const highest = partitionOfSequence(upTo) > partition.index ? Infinity : offsetOfSequence(upTo);
  if (partitionOfSequence(upTo) < partition.index) return undefined;
  if (last <= highest) return (await partition.get(last)) ?? partition.last(key);
  let found: number | undefined;
  for await (const record of partition.scan(partition.firstOffset, {
    patterns: [key],
    toOffset: highest + 1,
  })) {
    found = record.offset;
  }
  return found === undefined ? undefined : partition.get(found);
}

/** Each partition from the one of the sequence on, and where to start in it. */
function startsFrom(stream: Stream, sequence: number): { partition: Partition; offset: number }[] {
  const first = locate(stream.topic, sequence);
  if (!first) return [];
  return stream.topic.partitions
    .slice(first.partition.index)
    .map((partition) => ({ partition, offset: partition === first.partition ? first.offset : 0 }));
}
