import type { Group as CoreGroup } from '../broker/index.ts';
import type { Timer } from '../util/index.ts';
import type { AnyCodec } from './codec.ts';
import type { BoxContext, Closable } from './context.ts';
import { checkNack, read, type Delivery, type Incoming, type NackOptions } from './delivery.ts';
import { Intake } from './intake.ts';
import { Lifetime } from './lifetime.ts';
import { abortSignal, milliseconds, wholeNumber, type Checks } from './options.ts';

export interface BatchesOptions {
  /** Default 100. */
  readonly messagesMax?: number;
  /**
   * How long to wait for the batch to fill after its first message. Default 0: a batch holds the messages
   * available at once.
   */
  readonly waitMs?: number;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

export const batchesChecks: Checks<BatchesOptions> = {
  messagesMax: wholeNumber(1),
  waitMs: milliseconds(),
  signal: abortSignal,
};

/** A delivery batch is a list of deliveries, to be answered together or one by one. */
export class DeliveryBatch<T> implements Iterable<Delivery<T>> {
  readonly deliveries: readonly Delivery<T>[];

  constructor(deliveries: readonly Delivery<T>[]) {
    this.deliveries = deliveries;
  }

  get length(): number {
    return this.deliveries.length;
  }

  get values(): T[] {
    return this.deliveries.map(({ value }) => value);
  }

  [Symbol.iterator](): IterableIterator<Delivery<T>> {
    return this.deliveries.values();
  }

  /**
   * Acks all deliveries not answered yet, in one commit. Resolves, once that is on disk, to the number of
   * acks that took effect.
   */
  ack(): Promise<number> {
    return countOf(this.deliveries.map((delivery) => delivery.ack()));
  }

  /** Nacks all deliveries not answered yet. */
  nack(options: NackOptions = {}): Promise<number> {
    checkNack(options);
    return countOf(this.deliveries.map((delivery) => delivery.nack(options)));
  }
}

async function countOf(answers: readonly Promise<boolean>[]): Promise<number> {
  return (await Promise.all(answers)).filter(Boolean).length;
}

/** Batches of a group's deliveries, for `for await`. A batch is collected when the loop asks for it. */
export class Batches<T> implements AsyncIterableIterator<DeliveryBatch<T>>, AsyncDisposable, Closable {
  readonly #context: BoxContext;
  readonly #codec: AnyCodec;
  readonly #intake: Intake;
  readonly #messagesMax: number;
  readonly #waitMs: number;
  readonly #lifetime: Lifetime;
  #collected: Incoming[] = [];
  #timer: Timer | undefined;
  /** Completes the batch being collected. */
  #complete: (() => void) | undefined;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(context: BoxContext, group: CoreGroup, codec: AnyCodec, options: BatchesOptions) {
    this.#context = context;
    this.#codec = codec;
    this.#messagesMax = options.messagesMax ?? 100;
    this.#waitMs = options.waitMs ?? 0;
    const end = (): void => this.#end();
    this.#lifetime = new Lifetime(context, this, options.signal, end);
    this.#intake = new Intake(context, group, {
      received: (incoming) => this.#received(incoming),
      ended: end,
    });
    this.#intake.attach();
    if (options.signal?.aborted) this.#end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Calls are served one after another: a batch is collected only after the previous one. */
  next(): Promise<IteratorResult<DeliveryBatch<T>, undefined>> {
    const next = this.#previous.then(() => this.#next());
    this.#previous = next.catch(() => undefined);
    return next;
  }

  async #next(): Promise<IteratorResult<DeliveryBatch<T>, undefined>> {
    while (this.#lifetime.isOpen) {
      const collected = await this.#collect();
      const reads = collected.map(async (incoming) => read<T>(this.#context, this.#codec, incoming));
      const deliveries = (await Promise.all(reads)).filter((delivery) => delivery !== undefined);
      if (deliveries.length > 0) return { done: false, value: new DeliveryBatch(deliveries) };
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<DeliveryBatch<T>, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  async close(): Promise<void> {
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }

  async #collect(): Promise<Incoming[]> {
    this.#intake.ask(this.#messagesMax);
    await new Promise<void>((resolve) => {
      this.#complete = resolve;
    });
    this.#timer?.cancel();
    this.#intake.credit = 0;
    const collected = this.#collected;
    this.#collected = [];
    return collected;
  }

  #received(incoming: Incoming): void {
    this.#collected.push(incoming);
    if (this.#collected.length >= this.#messagesMax) return this.#complete?.();
    if (this.#collected.length > 1) return;
    if (this.#waitMs > 0) this.#timer = this.#context.clock.setTimer(this.#waitMs, () => this.#complete?.());
    // The broker delivers all it has in one synchronous run.
    else queueMicrotask(() => this.#complete?.());
  }

  #end(): void {
    if (!this.#lifetime.end()) return;
    this.#intake.close();
    for (const { receipt } of this.#collected) receipt.release();
    this.#collected = [];
    this.#complete?.();
  }
}
