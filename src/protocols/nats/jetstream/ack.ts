import type { LiveMessage } from '../../../broker/index.ts';
import type { NatsSession } from '../jetstream-door.ts';
import { mayConsume } from './access.ts';
import type { StreamConsumer } from './consumer.ts';
import type { Context } from './context.ts';
import { readDecimal } from './decimal.ts';
import { pull } from './pull-request.ts';
import { offsetOfSequence, partitionOfSequence } from './sequence.ts';
import { nanosPerMs, parseDuration } from './time.ts';

const dot = 46;
const plus = 43;

/** The kinds of acks, by their first bytes. The first three have no argument; the others may have one. */
const kinds = {
  ack: Buffer.from('+ACK'),
  ok: Buffer.from('+OK'),
  progress: Buffer.from('+WPI'),
  nak: Buffer.from('-NAK'),
  term: Buffer.from('+TERM'),
  next: Buffer.from('+NXT'),
} as const;

/**
 * Acks are the answers of a consumer to deliveries, as messages to the delivery's reply subject.
 *
 * ```
 * $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<timestamp>.<pending>
 * (empty) | +ACK | +OK   done              -NAK [duration | {"delay":ns}]   again, now or later
 * +WPI                   still at it       +TERM [reason]                   never again
 * +NXT [pull body]       done, and a pull request        anything else          answered, and changes nothing
 * ```
 * In the JSON of a -NAK, `"reason": text` and `"counts": false` are ours: why it failed, and that it did not, but
 * was not handled. An ack with a reply subject is answered by an empty message once the ack is on disk. The stream and
 * consumer of the last ack are remembered by their bytes: acks come in runs.
 */
export class Acks {
  readonly #context: Context;
  #last: StreamConsumer | undefined = undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Handles an ack. False if there is no such consumer, or if it takes no acks. */
  take(session: NatsSession, message: LiveMessage): boolean {
    const { subjectBuffer: subject, subjectStart: start, subjectEnd: end } = message;
    let consumer = this.#last;
    let at: number;
    if (consumer !== undefined && startsWith(subject, start, end, consumer.ackPrefix)) {
      at = start + consumer.ackPrefix.length;
    } else {
      const found = this.#find(message.subject);
      if (found === undefined) return false;
      consumer = found.consumer;
      at = start + found.tailStart;
      this.#last = consumer;
    }
    if (!mayConsume(session, consumer.stream, message)) return true;
    // This consumer does not listen to acks: the subject has no listener.
    if (consumer.group.config.ack === 'none') return false;
    const sequenceStart = nextToken(subject, at, end);
    const sequenceEnd = nextToken(subject, sequenceStart, end) - 1;
    const sequence = readDecimal(subject, sequenceStart, sequenceEnd);
    if (sequence <= 0) return true;
    const { samples } = consumer;
    const acked = this.#apply(consumer, sequence, message);
    if (acked && samples !== undefined) {
      const consumerSequenceEnd = nextToken(subject, sequenceEnd + 1, end) - 1;
      const consumerSequence = readDecimal(subject, sequenceEnd + 1, consumerSequenceEnd);
      samples.acked(sequence, readDecimal(subject, at, sequenceStart - 1), consumerSequence);
    }
    return true;
  }

  /** Forgets a deleted consumer. */
  forget(consumer: StreamConsumer | undefined): void {
    if (consumer === undefined || consumer === this.#last) this.#last = undefined;
  }

  /**
   * The consumer that a subject names, and the position where its numbers begin. Version 2 has domain and
   * account before the stream.
   */
  #find(subject: string): { consumer: StreamConsumer; tailStart: number } | undefined {
    const tokens = subject.split('.');
    const at = tokens.length >= 11 ? 4 : tokens.length === 9 ? 2 : undefined;
    if (at === undefined) return undefined;
    const consumer = this.#context.streams.find(tokens[at]!)?.findConsumer(tokens[at + 1]!);
    if (consumer === undefined) return undefined;
    const head = tokens.slice(0, at + 2).join('.');
    return { consumer, tailStart: Buffer.byteLength(head) + 1 };
  }

  /** Returns true if the message was acked: it was pending, and is now done. */
  #apply(consumer: StreamConsumer, sequence: number, message: LiveMessage): boolean {
    const { group } = consumer;
    const partition = partitionOfSequence(sequence);
    const offset = offsetOfSequence(sequence);
    let known = false;
    let done = false;
    if (isAck(message)) {
      known = group.config.ack === 'all' ? group.ackAll(partition, offset) : group.ack(partition, offset);
      done = known;
    } else if (begins(message, kinds.nak)) {
      const { delayMs, reason, counts } = nakArgument(text(message, kinds.nak.length));
      if (counts !== false) known = group.nack(partition, offset, delayMs, reason);
      else if (delayMs === undefined) known = group.giveBack(partition, offset);
      else known = group.postpone(partition, offset, delayMs);
    } else if (is(message, kinds.progress)) {
      known = group.extend(partition, offset);
    } else if (begins(message, kinds.term)) {
      known = group.reject(partition, offset, text(message, kinds.term.length));
    } else if (begins(message, kinds.next)) {
      known = group.config.ack === 'all' ? group.ackAll(partition, offset) : group.ack(partition, offset);
      pull(this.#context, consumer, message.reply, message.value.subarray(kinds.next.length));
      return known;
    }
    if (message.replyStart >= 0)
      this.#answer(consumer, message.reply!, known || group.hasPassed(partition, offset));
    return done;
  }

  /**
   * Answers once all changes so far are on disk. An ack of a message that was never delivered gets no answer.
   */
  #answer({ stream }: StreamConsumer, reply: string, delivered: boolean): void {
    if (!delivered) return;
    const { broker, outlet } = this.#context;
    if (stream.config.storage === 'memory') outlet.empty(reply);
    else broker.afterCommit(() => outlet.empty(reply));
  }
}

/** An empty ack, `+ACK` or `+OK`. */
function isAck(message: LiveMessage): boolean {
  if (message.valueEnd === message.valueStart) return true;
  if (message.valueBuffer[message.valueStart] !== plus) return false;
  return is(message, kinds.ack) || is(message, kinds.ok);
}

function is(message: LiveMessage, kind: Uint8Array): boolean {
  return message.valueEnd - message.valueStart === kind.length && begins(message, kind);
}

function begins({ valueBuffer, valueStart, valueEnd }: LiveMessage, kind: Uint8Array): boolean {
  return startsWith(valueBuffer, valueStart, valueEnd, kind);
}

/** The argument that follows the kind of an ack. */
function text(message: LiveMessage, kindBytes: number): string {
  const start = message.valueStart + kindBytes;
  if (start >= message.valueEnd) return '';
  return Buffer.from(message.valueBuffer.subarray(start, message.valueEnd)).toString('utf8').trim();
}

/** The argument of a nak: when the message comes again, why it failed, and whether it did. */
interface Nak {
  /** Undefined: at once. */
  readonly delayMs?: number | undefined;
  readonly reason?: string | undefined;
  readonly counts?: boolean | undefined;
}

/** JSON or a duration; other texts say nothing. */
function nakArgument(argument: string): Nak {
  if (argument === '') return {};
  if (!argument.startsWith('{')) return { delayMs: msOf(parseDuration(argument)) };
  try {
    const { delay, reason, counts } = JSON.parse(argument) as { readonly [name: string]: unknown };
    return {
      delayMs: msOf(typeof delay === 'number' ? delay : undefined),
      reason: typeof reason === 'string' ? reason : undefined,
      counts: typeof counts === 'boolean' ? counts : undefined,
    };
  } catch {
    return {};
  }
}

function msOf(nanos: number | undefined): number | undefined {
  return nanos === undefined ? undefined : Math.max(0, nanos / nanosPerMs);
}

function startsWith(buffer: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  const length = prefix.length;
  if (end - start < length) return false;
  for (let i = length - 1; i >= 0; i--) if (buffer[start + i] !== prefix[i]) return false;
  return true;
}

/** Where the next token begins; past the end if there is none. */
function nextToken(buffer: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at++) if (buffer[at] === dot) return at + 1;
  return end + 1;
}
