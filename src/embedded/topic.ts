import {
  BrokerError,
  type Group as CoreGroup,
  type Published,
  type Topic as CoreTopic,
  type TopicConfig,
  type TopicStats,
} from '../broker/index.ts';
import { browse, checkBrowse, type BrowseOptions } from './browse.ts';
import { encodeBy, type AnyCodec } from './codec.ts';
import type { BoxContext } from './context.ts';
import { Delayed } from './delayed.ts';
import { Follow, type FollowOptions } from './follow.ts';
import { Group } from './group.ts';
import { changedGroup, newGroup, type GroupSettings } from './group-settings.ts';
import type { Message } from './message.ts';
import {
  abortSignal,
  checkOptions,
  checkValue,
  subjectPattern,
  text,
  wholeNumber,
  type Checks,
} from './options.ts';
import {
  batchMessageChecks,
  outgoing,
  publishChecks,
  publishOne,
  publishTogether,
  type BatchMessage,
  type MessageOptions,
  type PublishOptions,
} from './publish.ts';
import type { Outgoing } from './publish-window.ts';
import type { InjectTrace } from './tracing.ts';
import { changedTopic, type TopicSettings } from './topic-settings.ts';

const noOptions = {};
const signalChecks: Checks<{ signal?: AbortSignal }> = { signal: abortSignal };
const partitionChecks: Checks<{ partition?: number }> = { partition: wholeNumber() };
const purgeChecks: Checks<{ filter?: string }> = { filter: subjectPattern };

/**
 * A topic is a named log of messages. `In` is the type of published values and `Out` that of consumed values.
 * They differ only for schemas that convert.
 */
export class Topic<In, Out = In> {
  readonly name: string;
  readonly #context: BoxContext;
  readonly #core: CoreTopic;
  readonly #codec: AnyCodec;
  readonly #keyOf: ((value: In) => string) | undefined;

  constructor(
    context: BoxContext,
    core: CoreTopic,
    codec: AnyCodec,
    keyOf: ((value: In) => string) | undefined,
  ) {
    this.#context = context;
    this.#core = core;
    this.#codec = codec;
    this.#keyOf = keyOf;
    this.name = core.name;
  }

  get config(): TopicConfig {
    return this.#core.config;
  }

  /** Number of messages on disk. */
  get count(): number {
    return this.#core.durableCount;
  }

  // ---- publishing

  /**
   * Publishes a message; resolves once it is on disk. Messages keep the order of the calls. While too many
   * are on their way to disk (see `unackedPublishesMax` of `open`), a call waits for its turn. Await some of
   * the returned promises to publish at the speed of the disk.
   *
   * ```ts
   * import { open } from 'pillarbox';
   *
   * await using box = await open();
   * const orders = await box.topic('orders');
   * const { offset } = await orders.publish({ item: 'tea' }, { key: 'eu.berlin', headers: { 'Trace-Id': 'a1' } });
   * const again = await orders.publish({ item: 'milk' }, { dedupeId: 'order-7' });
   * const twice = await orders.publish({ item: 'milk' }, { dedupeId: 'order-7' });
   * console.log(offset, again.offset, twice.offset, twice.duplicate); // prints: 0 1 1 true
   * await orders.publish({ item: 'reminder' }, { delayMs: 60_000 });
   * ```
   */
  async publish(value: In, options: PublishOptions = noOptions): Promise<Published> {
    if (options !== noOptions) checkOptions('publish()', options, publishChecks);
    const { window, tracing } = this.#context;
    if (tracing)
      return tracing.publish(this.name, async (inject) => {
        const message = this.#outgoing(value, options, inject);
        const ready = message instanceof Promise ? await message : message;
        return this.#awake(publishOne(window, this.#core, ready, options.signal));
      });
    const message = this.#outgoing(value, options);
    const ready = message instanceof Promise ? await message : message;
    return this.#awake(publishOne(window, this.#core, ready, options.signal));
  }

  /**
   * Publishes messages in one commit: after a crash all of them are there, or none. Resolves once they are on
   * disk, with one result for each. If any value does not fit, the whole batch is refused. If the topic
   * refuses some messages (because it is full, say), the others are stored, and the `BatchError` says which.
   */
  async publishBatch(
    values: Iterable<In>,
    options: MessageOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<Published[]> {
    checkOptions('publishBatch()', options, publishChecks);
    const { signal, ...each } = options;
    const messages: BatchMessage<In>[] = [];
    for (const value of values) messages.push({ ...each, value });
    return this.publishMessages(messages, signal ? { signal } : {});
  }

  /** {@link publishBatch} with options for each message. */
  async publishMessages(
    messages: Iterable<BatchMessage<In>>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Published[]> {
    checkOptions('publishMessages()', options, signalChecks);
    const { tracing } = this.#context;
    if (tracing)
      return tracing.publish(this.name, (inject) => this.#publishMessages(messages, options, inject));
    return this.#publishMessages(messages, options);
  }

  async #publishMessages(
    messages: Iterable<BatchMessage<In>>,
    options: { readonly signal?: AbortSignal },
    inject?: InjectTrace,
  ): Promise<Published[]> {
    const ready: Outgoing[] = [];
    for (const message of messages) {
      checkOptions('publishMessages()', message, batchMessageChecks);
      const each = this.#outgoing(message.value, message, inject);
      ready.push(each instanceof Promise ? await each : each);
    }
    return this.#awake(publishTogether(this.#context.window, this.#core, ready, options.signal));
  }

  /** Keeps the process alive until a publish is answered that may wait for the topic's rate. */
  #awake<P>(published: Promise<P>): Promise<P> {
    return this.#core.publishRate.makesWait ? published.finally(this.#context.keepAlive.hold()) : published;
  }

  #outgoing(value: In, given: MessageOptions, inject?: InjectTrace): Outgoing | Promise<Outgoing> {
    const headers = inject?.(given.headers);
    const options = headers === undefined ? given : { ...given, headers };
    const { clock } = this.#context;
    const key = options.key ?? this.#keyOf?.(value);
    if (key !== undefined) checkValue('publish()', 'the key', key, text);
    const withKey = key === undefined ? options : { ...options, key };
    const encoded = encodeBy(this.#codec, value);
    if (!(encoded instanceof Promise)) return outgoing(clock, encoded, withKey);
    return encoded.then((encoded) => outgoing(clock, encoded, withKey));
  }

  // ---- consuming

  /**
   * Opens a group, or creates it with these settings. On an existing group, settings that are given change,
   * the others stay, and `start` has no effect. The defaults of new groups differ from the bare broker's:
   * after five deliveries a message goes to the dead-letter topic.
   */
  async group(name: string, settings: GroupSettings = {}): Promise<Group<Out>> {
    checkValue('group()', 'the name', name, text);
    const core = this.#core.groups.get(name) ?? (await this.#createGroup(name, settings));
    const changed = changedGroup(core.config, settings);
    if (changed) await core.update(changed);
    return new Group<Out>(this.#context, core, this.#codec);
  }

  async #createGroup(name: string, settings: GroupSettings): Promise<CoreGroup> {
    try {
      return await this.#core.createGroup(newGroup(this.name, name, settings));
    } catch (error) {
      // A concurrent call created the group first; use that one.
      const core = this.#core.groups.get(name);
      if (core && error instanceof BrokerError && error.code === 'group-exists') return core;
      throw error;
    }
  }

  /** Names of the topic's groups. */
  get groups(): string[] {
    return [...this.#core.groups.keys()];
  }

  /**
   * Follows the topic. Each follower gets every message, through a group of its own that lasts as long as the
   * loop; there is nothing to ack. It starts with the first message published after this call has resolved,
   * or at `start`. Messages that the codec cannot read are skipped.
   *
   * ```ts
   * import { open } from 'pillarbox';
   *
   * await using box = await open();
   * const prices = await box.topic('prices');
   * const feed = await prices.follow();
   * await prices.publish(101);
   * for await (const message of feed) {
   *   console.log(message.value); // prints: 101
   *   break;
   * }
   * ```
   */
  follow(options: FollowOptions = {}): Promise<Follow<Out>> {
    return Follow.begin<Out>(this.#context, this.#core, this.#codec, options);
  }

  /** The delayed messages of this topic: list, read, move, cancel, publish now. */
  get delayed(): Delayed<Out> {
    return new Delayed<Out>(this.#context, this.#core, this.#codec);
  }

  // ---- reading

  /** Reads stored messages, oldest first, to the end. Reading has no side effects. */
  browse(options: BrowseOptions = {}): AsyncGenerator<Message<Out>, void, void> {
    checkBrowse(options);
    return browse<Out>(this.#core, this.#codec, options);
  }

  /** The message at an offset; undefined if it is no longer there, or not yet. */
  async get(
    offset: number,
    options: { readonly partition?: number } = {},
  ): Promise<Message<Out> | undefined> {
    checkValue('get()', 'the offset', offset, wholeNumber());
    checkOptions('get()', options, partitionChecks);
    const start = { offset };
    for await (const message of this.browse({ start, partition: options.partition ?? 0, limit: 1 })) {
      return message.offset === offset ? message : undefined;
    }
    return undefined;
  }

  /** The last message of a key. Fast if the topic has `keyState`. */
  async last(key: string): Promise<Message<Out> | undefined> {
    checkValue('last()', 'the key', key, text);
    for (const partition of this.#core.partitions.opened.slice()) {
      const stored = await partition.last(key);
      if (stored) return this.get(stored.offset, { partition: partition.index });
    }
    return undefined;
  }

  stats(): TopicStats {
    return this.#core.stats();
  }

  // ---- administration

  /**
   * Changes the settings that are given. Name and durability cannot change, and partitions can only be added.
   */
  async update(settings: TopicSettings): Promise<void> {
    const changed = changedTopic(this.#core.config, settings);
    if (changed) await this.#core.update(changed);
  }

  /** Deletes one message. Resolves, once that is on disk, to whether the message was there. */
  async deleteMessage(offset: number, options: { readonly partition?: number } = {}): Promise<boolean> {
    checkValue('deleteMessage()', 'the offset', offset, wholeNumber());
    checkOptions('deleteMessage()', options, partitionChecks);
    return (await this.#core.partitions.at(options.partition ?? 0)?.delete(offset)) ?? false;
  }

  /**
   * Deletes all messages, or those whose key matches the filter. Resolves, once that is on disk, to the
   * number deleted.
   */
  async purge(options: { readonly filter?: string } = {}): Promise<number> {
    checkOptions('purge()', options, purgeChecks);
    const { filter } = options;
    let count = 0;
    for (const partition of this.#core.partitions.opened.slice())
      count += await partition.purge(filter === undefined ? {} : { pattern: filter });
    return count;
  }

  /** Deletes the topic with its messages and groups. */
  delete(): Promise<void> {
    return this.#core.delete();
  }
}
