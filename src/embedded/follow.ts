import type { Group as CoreGroup, Topic as CoreTopic } from '../broker/index.ts';
import type { AnyCodec } from './codec.ts';
import type { BoxContext } from './context.ts';
import { Deliveries } from './deliveries.ts';
import { newGroup, startCheck, type Start } from './group-settings.ts';
import type { Message } from './message.ts';
import { abortSignal, checkOptions, filter, type Checks } from './options.ts';

export interface FollowOptions {
  /** Default `new`: messages published after `follow` has resolved. */
  readonly start?: Start;
  /** Subject patterns over the key. */
  readonly filter?: string | readonly string[];
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

const followChecks: Checks<FollowOptions> = { start: startCheck, filter, signal: abortSignal };

const prefetch = 64;
/** The group of an abandoned loop is removed after this time. */
const inactiveMs = 60_000;

/**
 * All messages of a topic, for one loop: a group of its own that needs no acks and is deleted when the loop
 * is left.
 */
export class Follow<T> implements AsyncIterableIterator<Message<T>>, AsyncDisposable {
  readonly #group: CoreGroup;
  readonly #deliveries: Deliveries<T>;

  private constructor(context: BoxContext, group: CoreGroup, codec: AnyCodec, options: FollowOptions) {
    const { signal } = options;
    this.#group = group;
    this.#deliveries = new Deliveries(context, group, codec, signal ? { prefetch, signal } : { prefetch });
  }

  static async begin<T>(
    context: BoxContext,
    topic: CoreTopic,
    codec: AnyCodec,
    options: FollowOptions,
  ): Promise<Follow<T>> {
    const { start = 'new', filter, signal } = options;
    checkOptions('follow()', options, followChecks);
    signal?.throwIfAborted();
    let name = '';
    for (let number = topic.groups.size + 1; name === '' || topic.groups.has(name); number++)
      name = `follow-${number}`;
    const filters = filter === undefined ? {} : { filter };
    const group = await topic.createGroup(
      newGroup(topic.name, name, {
        start,
        durable: false,
        ack: 'none',
        deadLetter: false,
        inactiveMs,
        ...filters,
      }),
    );
    return new Follow<T>(context, group, codec, options);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Message<T>, undefined>> {
    const result = await this.#deliveries.next();
    return result.done ? this.return() : result;
  }

  async return(): Promise<IteratorResult<Message<T>, undefined>> {
    await this.#deliveries.close();
    await this.#group.delete();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
