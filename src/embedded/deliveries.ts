import type { Group as CoreGroup } from '../broker/index.ts';
import { Queue } from '../util/index.ts';
import type { AnyCodec } from './codec.ts';
import type { BoxContext, Closable } from './context.ts';
import { read, type Delivery, type Incoming } from './delivery.ts';
import { Intake, type IntakeOptions } from './intake.ts';
import { Lifetime } from './lifetime.ts';
import { abortSignal, wholeNumber, type Checks } from './options.ts';
import { exclusiveChecks, type ExclusiveOptions } from './precedence.ts';

export interface DeliveriesOptions extends ExclusiveOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /**
   * Messages fetched ahead of the loop. Their `ackWaitMs` runs while they wait, so a large prefetch needs a
   * long one. Default 0, at most 65,536.
   */
  readonly prefetch?: number;
}

export const deliveriesChecks: Checks<DeliveriesOptions> = {
  signal: abortSignal,
  prefetch: wholeNumber(0, 65_536),
  ...exclusiveChecks,
};

/**
 * Deliveries of a group, one at a time, for `for await`. The next message is requested when the loop asks for
 * it. Several loops may share one object. It ends when a loop is left, when the signal aborts, or when the
 * group or the box ends; messages fetched ahead go back to the group.
 */
export class Deliveries<T> implements AsyncIterableIterator<Delivery<T>>, AsyncDisposable, Closable {
  readonly #context: BoxContext;
  readonly #codec: AnyCodec;
  readonly #intake: Intake;
  readonly #prefetch: number;
  readonly #lifetime: Lifetime;
  readonly #fetched = new Queue<Incoming>();
  readonly #waiting = new Queue<(incoming: Incoming | undefined) => void>();

  constructor(
    context: BoxContext,
    group: CoreGroup,
    codec: AnyCodec,
    options: DeliveriesOptions & Pick<IntakeOptions, 'isPull'>,
  ) {
    this.#context = context;
    this.#codec = codec;
    this.#prefetch = options.prefetch ?? 0;
    const end = (): void => this.#end();
    this.#intake = new Intake(context, group, 'embedded loop', options, {
      received: (incoming) => this.#received(incoming),
      ended: end,
    });
    this.#lifetime = new Lifetime(context, this, options.signal, end);
    try {
      this.#intake.attach();
    } catch (error) {
      this.#lifetime.end();
      throw error;
    }
    if (options.signal?.aborted) this.#end();
    else this.#refill();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Delivery<T>, undefined>> {
    for (;;) {
      const incoming = this.#fetched.shift() ?? (await this.#fetch());
      if (!incoming) return { done: true, value: undefined };
      this.#refill();
      const delivery = await read<T>(this.#context, this.#codec, incoming);
      if (delivery) return { done: false, value: delivery };
    }
  }

  /** Called when a loop is left. */
  async return(): Promise<IteratorResult<Delivery<T>, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  async close(): Promise<void> {
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }

  /** Whether messages come to this loop: false if another consumer of the group is the active one. */
  get isActive(): boolean {
    return this.#intake.isActive;
  }

  #fetch(): Promise<Incoming | undefined> | undefined {
    if (!this.#lifetime.isOpen) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#refill();
    });
  }

  /** Requests one message for each waiting caller, and those to fetch ahead. */
  #refill(): void {
    if (!this.#lifetime.isOpen) return;
    this.#intake.ask(this.#waiting.size + this.#prefetch - this.#fetched.size - this.#intake.credit);
  }

  #received(incoming: Incoming): void {
    const next = this.#waiting.shift();
    if (next) next(incoming);
    else this.#fetched.push(incoming);
  }

  #end(): void {
    if (!this.#lifetime.end()) return;
    this.#intake.close();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) next(undefined);
    for (let left = this.#fetched.shift(); left; left = this.#fetched.shift()) left.receipt.release();
  }
}
