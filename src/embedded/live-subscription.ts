import {
  type LiveMessage as CoreLiveMessage,
  type LiveSubscriber,
  type LiveSubscription as CoreLiveSubscription,
} from '../broker/index.ts';
import { Queue } from '../util/index.ts';
import { json, type AnyCodec, type Codec } from './codec.ts';
import type { BoxContext, Closable } from './context.ts';
import { Lifetime } from './lifetime.ts';
import { LiveMessage, type Replier } from './live-message.ts';
import { abortSignal, codecLike, filledText, wholeNumber, type Checks } from './options.ts';

export interface LiveSubscribeOptions<C extends AnyCodec = Codec<unknown>> {
  /** How bytes become values. Default: JSON. */
  readonly codec?: C;
  /** Members of the same queue share its messages: each goes to one of them. */
  readonly queue?: string;
  /**
   * The most messages that may wait for the loop. Further messages are dropped and counted. Default 65,536.
   */
  readonly bufferedMax?: number;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

export const subscribeChecks: Checks<LiveSubscribeOptions> = {
  codec: codecLike,
  queue: filledText,
  bufferedMax: wholeNumber(1),
  signal: abortSignal,
};

/**
 * A live subscription passes its messages to a loop. It closes when the loop is left, its signal aborts, or
 * the box ends.
 */
export class LiveSubscription<T> implements AsyncIterableIterator<LiveMessage<T>>, AsyncDisposable, Closable {
  /** Messages dropped because the loop was too slow. */
  dropped = 0;
  readonly #live: Replier;
  readonly #codec: AnyCodec;
  readonly #bufferedMax: number;
  readonly #lifetime: Lifetime;
  readonly #core: CoreLiveSubscription;
  readonly #context: BoxContext;
  readonly #letGo: () => void;
  readonly #buffered = new Queue<LiveMessage<T>>();
  readonly #waiting = new Queue<(message: LiveMessage<T> | undefined) => void>();
  #drained: (() => void)[] = [];

  constructor(context: BoxContext, live: Replier, pattern: string, options: LiveSubscribeOptions<AnyCodec>) {
    this.#context = context;
    this.#live = live;
    this.#codec = options.codec ?? json();
    this.#bufferedMax = options.bufferedMax ?? 65_536;
    this.#letGo = context.keepAlive.hold();
    this.#lifetime = new Lifetime(context, this, options.signal, () => this.#end());
    this.#core = context.broker.router.subscribe(pattern, options.queue, this.#subscriber());
    if (options.signal?.aborted) this.#end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<LiveMessage<T>, undefined>> {
    const message = this.#buffered.shift() ?? (await this.#wait());
    if (this.#drained.length > 0 && this.#buffered.size * 2 <= this.#bufferedMax) this.#tellDrained();
    return message ? { done: false, value: message } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<LiveMessage<T>, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  async close(): Promise<void> {
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }

  #subscriber(): LiveSubscriber {
    // oxlint-disable-next-line typescript/no-this-alias -- the accessor below has its own `this`
    const subscription = this;
    return {
      receive: (message) => this.#receive(message),
      get congested() {
        return subscription.#isCongested;
      },
      whenDrained: (callback) => {
        if (this.#isCongested) this.#drained.push(callback);
        else callback();
      },
    };
  }

  /** Three quarters full: publishers that can wait should do so. */
  get #isCongested(): boolean {
    return this.#buffered.size * 4 >= this.#bufferedMax * 3;
  }

  #receive(message: CoreLiveMessage): boolean {
    const next = this.#waiting.shift();
    if (!next && this.#buffered.size >= this.#bufferedMax) {
      this.dropped++;
      return false;
    }
    const received = new LiveMessage<T>(this.#live, this.#codec, message);
    if (next) next(received);
    else this.#buffered.push(received);
    return true;
  }

  #wait(): Promise<LiveMessage<T> | undefined> | undefined {
    if (!this.#lifetime.isOpen) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #tellDrained(): void {
    for (const callback of this.#drained.splice(0)) callback();
  }

  #end(): void {
    if (!this.#lifetime.end()) return;
    this.#letGo();
    this.#context.broker.router.unsubscribe(this.#core);
    this.#buffered.clear();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next(undefined);
    this.#tellDrained();
  }
}
