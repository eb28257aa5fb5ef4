import { checks, type AnyCodec, type Checks } from '../embedded/values.ts';
import { Queue } from '../util/index.ts';
import type { ClientContext, Closable } from './context.ts';
import { read, type Delivery } from './delivery.ts';
import type { GroupPlan } from './group-settings.ts';
import type { Held } from './held.ts';
import { Intake } from './intake.ts';

export interface DeliveriesOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** Messages fetched ahead of the loop. Default 0. */
  readonly prefetch?: number;
  /** False: the time to answer is not extended while the loop has the message. Default true. */
  readonly heartbeat?: boolean;
}

export const deliveriesChecks: Checks<DeliveriesOptions> = {
  signal: checks.abortSignal,
  prefetch: checks.wholeNumber(0, 65_536),
  heartbeat: checks.flag,
};

/**
 * Deliveries of a group, one at a time, for `for await`. It ends when the loop is left, when its signal
 * aborts, or when the client closes; messages fetched ahead go back to the group.
 */
export class Deliveries<T> implements AsyncIterableIterator<Delivery<T>>, AsyncDisposable, Closable {
  readonly #context: ClientContext;
  readonly #codec: AnyCodec;
  readonly #signal: AbortSignal | undefined;
  readonly #intake: Intake;
  readonly #onAbort: () => void;
  readonly #fetched = new Queue<Held>();
  readonly #waiting = new Queue<(held: Held | undefined) => void>();
  /** Messages asked for that did not come yet, and those that wait in `#fetched`. */
  #expected = 0;
  readonly #prefetch: number;
  #isOpen = true;

  constructor(context: ClientContext, plan: GroupPlan, codec: AnyCodec, options: DeliveriesOptions) {
    const { signal, prefetch = 0, heartbeat = true } = options;
    this.#context = context;
    this.#codec = codec;
    this.#prefetch = prefetch;
    this.#signal = signal;
    this.#intake = new Intake(
      context,
      plan,
      { heartbeat },
      {
        received: (held) => this.#received(held),
        ended: (reason) => {
          context.report(reason);
          void this.close();
        },
      },
    );
    this.#onAbort = () => void this.close();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    context.open.add(this);
    if (signal?.aborted) void this.close();
  }

  async next(): Promise<IteratorResult<Delivery<T>, undefined>> {
    for (;;) {
      const held = await this.#take();
      if (!held) return { done: true, value: undefined };
      const delivery = await read<T>(this.#codec, held);
      if (delivery) return { done: false, value: delivery };
    }
  }

  async return(): Promise<IteratorResult<Delivery<T>, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#context.open.delete(this);
    for (let held = this.#fetched.shift(); held; held = this.#fetched.shift())
      void held.answer({ kind: 'release' }, false);
    for (let waiting = this.#waiting.shift(); waiting; waiting = this.#waiting.shift()) waiting(undefined);
    await this.#intake.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(): Promise<Held | undefined> {
    if (!this.#isOpen) return Promise.resolve(undefined);
    const held = this.#fetched.shift();
    if (held) this.#expected -= 1;
    const taken = held
      ? Promise.resolve(held)
      : new Promise<Held | undefined>((resolve) => this.#waiting.push(resolve));
    const missing = this.#waiting.size + this.#prefetch - this.#expected;
    if (missing > 0) {
      this.#expected += missing;
      this.#intake.ask(missing);
    }
    return taken;
  }

  #received(held: Held): void {
    const waiting = this.#waiting.shift();
    if (!waiting) return this.#fetched.push(held);
    this.#expected -= 1;
    waiting(held);
  }
}
