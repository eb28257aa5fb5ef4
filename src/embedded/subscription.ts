import type { Group as CoreGroup } from '../broker/index.ts';
import { Batches, type BatchesOptions, type DeliveryBatch } from './batches.ts';
import { Call, type Failure, type HandlerContext } from './call.ts';
import type { AnyCodec } from './codec.ts';
import { closeTimeoutMs, type BoxContext, type Closable, type CloseOptions } from './context.ts';
import { read, receiptOf, type Delivery, type Incoming } from './delivery.ts';
import { Intake } from './intake.ts';
import { Lifetime } from './lifetime.ts';

/** Handles a message: when it returns or resolves the message is acked, when it throws or rejects it is nacked, unless it answered itself. */
export type Handler<T> = (message: Delivery<T>, context: HandlerContext) => unknown;

export interface ConsumeOptions {
  /** Handlers under way at once. Default 1. */
  readonly concurrency?: number;
  /** Closes the subscription; aborts the signals of handlers under way. */
  readonly signal?: AbortSignal;
  /** Is told of everything handlers throw; what becomes of the message is settled already. */
  readonly onError?: (error: unknown, message: Delivery<unknown>) => void;
}

/** A subscription gives a group's messages to a handler until it is closed, its signal aborts, or the group is gone. */
export abstract class Subscription implements AsyncDisposable, Closable {
  /** Resolves once it is closed and no handler is under way. */
  readonly closed: Promise<void>;
  protected readonly calls: Set<Call> = new Set();
  readonly #context: BoxContext;
  readonly #lifetime: Lifetime;
  readonly #resolveClosed: () => void;

  constructor(context: BoxContext, signal: AbortSignal | undefined) {
    this.#context = context;
    let resolveClosed = (): void => {};
    this.closed = new Promise((resolve) => {
      resolveClosed = resolve;
    });
    this.#resolveClosed = resolveClosed;
    this.#lifetime = new Lifetime(context, this, signal, () => {
      for (const call of this.calls) call.abort(signal?.reason);
      void this.close();
    });
  }

  /** Handlers under way. */
  get running(): number {
    return this.calls.size;
  }

  /** Takes no more messages and waits for the handlers under way. */
  async close(options: CloseOptions = {}): Promise<void> {
    if (this.#lifetime.end()) {
      this.stopTaking();
      if (this.calls.size === 0) this.#resolveClosed();
      else this.#limit(options.timeoutMs ?? closeTimeoutMs);
    }
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected abstract stopTaking(): void;

  protected get isOpen(): boolean {
    return this.#lifetime.isOpen;
  }

  protected callEnded(call: Call): void {
    this.calls.delete(call);
    if (this.calls.size === 0 && !this.#lifetime.isOpen) this.#resolveClosed();
  }

  #limit(timeoutMs: number): void {
    const giveUp = (): void => {
      const reason = new DOMException(
        'The subscription was closed before the handler was done.',
        'AbortError',
      );
      for (const call of this.calls) call.abandon(reason);
      this.calls.clear();
      this.#resolveClosed();
    };
    if (timeoutMs <= 0) return giveUp();
    const timer = this.#context.clock.setTimer(timeoutMs, giveUp);
    void this.closed.then(() => timer.cancel());
  }
}

/** A subscription whose handler takes one message at a time. */
export class MessageSubscription<T> extends Subscription {
  readonly #context: BoxContext;
  readonly #codec: AnyCodec;
  readonly #handler: Handler<T>;
  readonly #options: ConsumeOptions;
  readonly #intake: Intake;

  constructor(
    context: BoxContext,
    group: CoreGroup,
    codec: AnyCodec,
    handler: Handler<T>,
    options: ConsumeOptions,
  ) {
    super(context, options.signal);
    this.#context = context;
    this.#codec = codec;
    this.#handler = handler;
    this.#options = options;
    this.#intake = new Intake(context, group, {
      // Answers must not be given while the broker hands out, so the handler begins right after.
      received: (incoming) => queueMicrotask(() => void this.#handle(incoming)),
      ended: () => void this.close(),
    });
    this.#intake.attach();
    if (options.signal?.aborted) void this.close();
    else this.#intake.ask(Math.max(1, options.concurrency ?? 1));
  }

  protected override stopTaking(): void {
    this.#intake.close();
  }

  async #handle(incoming: Incoming): Promise<void> {
    if (!this.isOpen) return void incoming.receipt.nack(0);
    const call = new Call(this.#context, [incoming.receipt]);
    this.calls.add(call);
    const reading = read<T>(this.#context, this.#codec, incoming);
    const delivery = reading instanceof Promise ? await reading : reading;
    let failure: Failure | undefined;
    if (delivery) {
      failure = await failureOf(() => this.#handler(delivery, call));
      call.end(failure);
    }
    this.callEnded(call);
    if (this.isOpen) this.#intake.ask(1);
    if (failure && delivery) this.#options.onError?.(failure.thrown, delivery);
  }
}

/** Handles a batch: what it did not answer itself is acked, or nacked when it throws. */
export type BatchHandler<T> = (batch: DeliveryBatch<T>, context: HandlerContext) => unknown;

export interface ConsumeBatchesOptions extends BatchesOptions {
  /** Is told of everything handlers throw. */
  readonly onError?: (error: unknown, batch: DeliveryBatch<unknown>) => void;
}

/** A subscription whose handler takes batches, one after another. */
export class BatchSubscription<T> extends Subscription {
  readonly #context: BoxContext;
  readonly #handler: BatchHandler<T>;
  readonly #options: ConsumeBatchesOptions;
  readonly #batches: Batches<T>;

  constructor(
    context: BoxContext,
    group: CoreGroup,
    codec: AnyCodec,
    handler: BatchHandler<T>,
    options: ConsumeBatchesOptions,
  ) {
    super(context, options.signal);
    this.#context = context;
    this.#handler = handler;
    this.#options = options;
    this.#batches = new Batches<T>(context, group, codec, options);
    if (options.signal?.aborted) void this.close();
    else void this.#run();
  }

  protected override stopTaking(): void {
    void this.#batches.close();
  }

  async #run(): Promise<void> {
    for await (const batch of this.#batches) {
      const call = new Call(this.#context, batch.deliveries.map(receiptOf));
      this.calls.add(call);
      const failure = await failureOf(() => this.#handler(batch, call));
      call.end(failure);
      this.callEnded(call);
      if (failure) this.#options.onError?.(failure.thrown, batch);
    }
    await this.close();
  }
}

async function failureOf(run: () => unknown): Promise<Failure | undefined> {
  try {
    await run();
    return undefined;
  } catch (thrown) {
    return { thrown };
  }
}
