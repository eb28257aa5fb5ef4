import type { DelayedMessage as CoreDelayedMessage, Topic as CoreTopic } from '../broker/index.ts';
import { textOf } from '../util/index.ts';
import type { AnyCodec } from './codec.ts';
import type { BoxContext } from './context.ts';
import { BoxError } from './errors.ts';
import { MessageHeaders } from './headers.ts';
import { valueOf } from './message.ts';
import {
  checkOptions,
  checkValue,
  milliseconds,
  subjectPattern,
  time,
  wholeNumber,
  type Check,
  type Checks,
} from './options.ts';
import { delayMsMax } from './publish.ts';

/** A delayed message: it waits until `dueMs`, and then enters its topic. */
export interface DelayedMessage<T> {
  /** Unique in the box, and ascending in the order of publishes; `publish()` answers it as `delayedId`. */
  readonly id: number;
  /** When it is published, in milliseconds since the epoch. */
  readonly dueMs: number;
  readonly topic: string;
  readonly partition: number;
  readonly key: string | undefined;
  readonly headers: MessageHeaders;
  /** The stored value; `null` for a message without one. */
  readonly bytes: Uint8Array | null;
  /** When `publish()` was called, in milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly value: T;
}

/**
 * The delayed messages that a call is about: one id, some ids, or all whose key matches a subject pattern.
 */
export type DelayedSelection = number | readonly number[] | { readonly filter: string };

/** The new time of delayed messages: so many milliseconds from now, or a time in milliseconds since 1970. */
export type DelayedTime = { readonly delayMs: number } | { readonly deliverAtMs: number };

export interface DelayedListOptions {
  /** A subject pattern over the key. */
  readonly filter?: string;
  /** Only messages with higher ids. */
  readonly after?: number;
  /** The most messages to read. Default: no limit. */
  readonly limit?: number;
}

const pageSize = 100;
const isId = wholeNumber();

const listChecks: Checks<DelayedListOptions> = {
  filter: subjectPattern,
  after: wholeNumber(),
  limit: wholeNumber(),
};

const timeChecks: Checks<{ delayMs?: number; deliverAtMs?: number }> = {
  delayMs: milliseconds(0, delayMsMax),
  deliverAtMs: time,
};

const selection: Check = (value) => {
  if (isId(value) === undefined) return undefined;
  if (Array.isArray(value) && value.every((id) => isId(id) === undefined)) return undefined;
  const filter = (value as { readonly filter?: unknown } | null)?.filter;
  return typeof value === 'object' && subjectPattern(filter) === undefined
    ? undefined
    : 'an id, a list of ids, or { filter } with a subject pattern';
};

function isList(which: readonly number[] | { readonly filter: string }): which is readonly number[] {
  return Array.isArray(which);
}

/**
 * The delayed messages of a topic: they wait for their time, and no group sees them yet.
 *
 * ```ts
 * import { open } from 'pillarbox';
 *
 * await using box = await open();
 * const mails = await box.topic<string>('mails');
 * const { delayedId } = await mails.publish('see you at nine', { key: 'ada', delayMs: 3_600_000 });
 * await mails.publish('happy birthday', { key: 'bob', delayMs: 86_400_000 });
 *
 * await mails.delayed.move(delayedId!, { delayMs: 7_200_000 });
 * await mails.delayed.cancel({ filter: 'bob' });
 * for await (const message of mails.delayed.list()) console.log(message.key, message.value); // prints: ada see you at nine
 * await mails.delayed.publishNow(delayedId!);
 * console.log(mails.delayed.count, mails.count); // prints: 0 1
 * ```
 */
export class Delayed<Out> {
  readonly #context: BoxContext;
  readonly #topic: CoreTopic;
  readonly #codec: AnyCodec;

  constructor(context: BoxContext, topic: CoreTopic, codec: AnyCodec) {
    this.#context = context;
    this.#topic = topic;
    this.#codec = codec;
  }

  /** The number of delayed messages of the topic. */
  get count(): number {
    return this.#context.broker.delayed.countOf(this.#topic);
  }

  /** Reads delayed messages in the order in which they were published. Reading has no side effects. */
  async *list(options: DelayedListOptions = {}): AsyncGenerator<DelayedMessage<Out>, void, void> {
    checkOptions('list()', options, listChecks);
    const { filter, limit = Infinity } = options;
    let { after = -1 } = options;
    for (let count = 0; count < limit;) {
      const { messages, next } = await this.#context.broker.delayed.list({
        topic: this.#topic,
        after,
        limit: Math.min(pageSize, limit - count),
        ...(filter === undefined ? {} : { filter }),
      });
      for (const message of messages) yield await this.#decoded(message);
      count += messages.length;
      if (next === undefined) return;
      after = next;
    }
  }

  /** One delayed message; undefined if it is not delayed any more. */
  async get(id: number): Promise<DelayedMessage<Out> | undefined> {
    checkValue('get()', 'the id', id, isId);
    const { delayed } = this.#context.broker;
    if (delayed.topicOf(id) !== this.#topic) return undefined;
    const message = await delayed.get(id);
    return message && this.#decoded(message);
  }

  /**
   * Moves delayed messages to another time; one in the past publishes them at once. Resolves, once that is on
   * disk, to how many of them still waited.
   */
  async move(which: DelayedSelection, to: DelayedTime): Promise<number> {
    checkOptions('move()', to as { delayMs?: number; deliverAtMs?: number }, timeChecks);
    const { delayMs, deliverAtMs } = to as { delayMs?: number; deliverAtMs?: number };
    if ((delayMs === undefined) === (deliverAtMs === undefined))
      throw new BoxError('option-invalid', 'move() takes delayMs or deliverAtMs.');
    const ids = await this.#idsOf('move()', which);
    return this.#context.broker.delayed.move(ids, deliverAtMs ?? this.#context.clock.now() + delayMs!);
  }

  /** Removes delayed messages for good. Resolves, once that is on disk, to how many of them still waited. */
  async cancel(which: DelayedSelection): Promise<number> {
    return this.#context.broker.delayed.cancel(await this.#idsOf('cancel()', which));
  }

  /** Publishes delayed messages now. Resolves, once that is on disk, to how many of them still waited. */
  async publishNow(which: DelayedSelection): Promise<number> {
    return this.#context.broker.delayed.publishNow(await this.#idsOf('publishNow()', which));
  }

  async #idsOf(call: string, which: DelayedSelection): Promise<readonly number[]> {
    checkValue(call, 'the messages', which, selection);
    const { delayed } = this.#context.broker;
    if (typeof which === 'number') return delayed.topicOf(which) === this.#topic ? [which] : [];
    if (!isList(which)) return delayed.find(this.#topic, which.filter);
    return which.filter((id) => delayed.topicOf(id) === this.#topic);
  }

  async #decoded(message: CoreDelayedMessage): Promise<DelayedMessage<Out>> {
    const { id, dueMs, topic, partition, key, value: bytes, timestampMs } = message;
    const parts = {
      topic,
      partition,
      offset: id,
      key: key === null ? undefined : textOf(key, 0, key.length),
      headers: new MessageHeaders(message.headers),
      bytes,
      timestampMs,
    };
    const value = await valueOf<Out>(this.#codec, parts);
    const { offset: _, ...shown } = parts;
    return { id, dueMs, ...shown, value };
  }
}
