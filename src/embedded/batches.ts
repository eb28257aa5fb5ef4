import type { CollectorOptions, Group as CoreGroup } from '../broker/index.ts';
import type { AnyCodec } from './codec.ts';
import type { BoxContext, Closable } from './context.ts';
import { checkNack, read, type Delivery, type NackOptions, type PostponeOptions } from './delivery.ts';
import { Lifetime } from './lifetime.ts';
import { abortSignal, milliseconds, wholeNumber, type Checks } from './options.ts';
import { precedenceChecks, type PrecedenceOptions } from './precedence.ts';
import { Pull } from './pull.ts';

export interface BatchesOptions extends PrecedenceOptions {
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
  ...precedenceChecks,
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

  /** Postpones all deliveries not answered yet. */
  postpone(options: PostponeOptions): Promise<number> {
    return countOf(this.deliveries.map((delivery) => delivery.postpone(options)));
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

/** Number of the last loop, for the names of loops without one. */
let loops = 0;

/** Batches of a group's deliveries, for `for await`. A batch is collected when the loop asks for it. */
export class Batches<T> implements AsyncIterableIterator<DeliveryBatch<T>>, AsyncDisposable, Closable {
  readonly #context: BoxContext;
  readonly #group: CoreGroup;
  readonly #codec: AnyCodec;
  readonly #options: CollectorOptions & { readonly member: string };
  readonly #lifetime: Lifetime;
  /** The pull under way, or the last one. */
  #pull: Pull | undefined;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(context: BoxContext, group: CoreGroup, codec: AnyCodec, options: BatchesOptions) {
    const refusal = context.broker.budgets.refusal('consumers');
    if (refusal) throw refusal;
    this.#context = context;
    this.#group = group;
    this.#codec = codec;
    const { messagesMax = 100, waitMs = 0, priority = 0, member = `embedded loop ${++loops}` } = options;
    const fill = waitMs > 0 ? { lingerMs: waitMs } : { messagesMin: 1 };
    this.#options = { messagesMax, priority, member, ...fill };
    this.#lifetime = new Lifetime(context, this, options.signal, () => this.#end());
    if (options.signal?.aborted) this.#end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Whether messages come to this loop: false if another consumer of the group is the active one. */
  get isActive(): boolean {
    const { active, config } = this.#group;
    return config.activeConsumers !== 'single' || active?.member === this.#options.member;
  }

  /** Calls are served one after another: a batch is collected only after the previous one. */
  next(): Promise<IteratorResult<DeliveryBatch<T>, undefined>> {
    const next = this.#previous.then(() => this.#next());
    this.#previous = next.catch(() => undefined);
    return next;
  }

  async #next(): Promise<IteratorResult<DeliveryBatch<T>, undefined>> {
    while (this.#lifetime.isOpen) {
      this.#pull = new Pull(this.#context, this.#group, this.#options, () => this.#end());
      const collected = await this.#pull.collected;
      if (!this.#lifetime.isOpen) {
        for (const { receipt } of collected) receipt.release();
        break;
      }
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

  #end(): void {
    if (!this.#lifetime.end()) return;
    this.#pull?.callOff();
  }
}
