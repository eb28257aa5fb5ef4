import type { Group as CoreGroup } from '../broker/index.ts';
import { Batches, batchesChecks, type BatchesOptions, type DeliveryBatch } from './batches.ts';
import { Call, type Failure, type HandlerContext } from './call.ts';
import type { AnyCodec } from './codec.ts';
import {
  checkCloseOptions,
  closeTimeoutMs,
  type BoxContext,
  type Closable,
  type CloseOptions,
} from './context.ts';
import { read, receiptOf, type Delivery, type Incoming } from './delivery.ts';
import { Intake } from './intake.ts';
import { KeyLanes, type Lane } from './key-lanes.ts';
import { Lifetime } from './lifetime.ts';
import { abortSignal, callback, wholeNumber, type Checks } from './options.ts';
import { exclusiveChecks, type ExclusiveOptions } from './precedence.ts';
import { warnOfFailure } from './warning.ts';

/**
 * Handles a message. When it returns or resolves, the message is acked. When it throws or rejects, the
 * message is nacked. An answer that the handler gave itself takes precedence.
 */
export type Handler<T> = (message: Delivery<T>, context: HandlerContext) => unknown;

export interface ConsumeOptions extends ExclusiveOptions {
  /** The most handlers that run at once. Default 1. */
  readonly concurrency?: number;
  /** Closes the subscription and aborts the signals of running handlers. */
  readonly signal?: AbortSignal;
  /**
   * Called with all errors that handlers throw; the message is already answered by then. Without it, an error
   * becomes a process warning (`process.on('warning')`, by default a line on stderr), except for RetryError,
   * PostponeError, RejectError, and an error of a handler that stops because its signal aborted.
   */
  readonly onError?: (error: unknown, message: Delivery<unknown>) => void;
}

export const consumeChecks: Checks<ConsumeOptions> = {
  concurrency: wholeNumber(1),
  signal: abortSignal,
  onError: callback,
  ...exclusiveChecks,
};

/**
 * A subscription passes a group's messages to a handler until it is closed, its signal aborts, or the group
 * is deleted.
 */
export abstract class Subscription implements AsyncDisposable, Closable {
  /** Resolves once the subscription is closed and no handler is running. */
  readonly closed: Promise<void>;
  protected readonly calls: Set<Call> = new Set();
  readonly #lifetime: Lifetime;
  readonly #resolveClosed: () => void;

  constructor(context: BoxContext, signal: AbortSignal | undefined) {
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

  /** Number of running handlers. */
  get running(): number {
    return this.calls.size;
  }

  /** Whether messages come to it: false if another consumer of the group is the active one. */
  get isActive(): boolean {
    return this.isOpen;
  }

  /** Takes no more messages, aborts the signals of running handlers, and waits for them. */
  async close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    if (this.#lifetime.end()) {
      this.stopTaking();
      const reason = new DOMException('The subscription closes.', 'AbortError');
      for (const call of this.calls) call.abort(reason);
      if (this.calls.size === 0) this.#resolveClosed();
      else this.#limit(options.timeoutMs ?? closeTimeoutMs, reason);
    }
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For a subscription that its group refuses: it is not there. */
  protected refused(): void {
    this.#lifetime.end();
    this.#resolveClosed();
  }

  protected abstract stopTaking(): void;

  protected get isOpen(): boolean {
    return this.#lifetime.isOpen;
  }

  protected callEnded(call: Call): void {
    this.calls.delete(call);
    if (this.calls.size === 0 && !this.#lifetime.isOpen) this.#resolveClosed();
  }

  /**
   * Waits in real time, even on a virtual clock, which may never be advanced again. The timer keeps the
   * process alive: if all that is left is a handler waiting for its signal, nothing else does.
   */
  #limit(timeoutMs: number, reason: DOMException): void {
    const giveUp = (): void => {
      for (const call of this.calls) call.abandon(reason);
      this.calls.clear();
      this.#resolveClosed();
    };
    if (timeoutMs <= 0) return giveUp();
    const timer = setTimeout(giveUp, timeoutMs);
    void this.closed.then(() => clearTimeout(timer));
  }
}

/** A subscription whose handler takes one message at a time. */
export class MessageSubscription<T> extends Subscription {
  readonly #context: BoxContext;
  readonly #codec: AnyCodec;
  readonly #handler: Handler<T>;
  readonly #options: ConsumeOptions;
  readonly #intake: Intake;
  readonly #group: CoreGroup;
  /** Used while the group delivers keys in runs. */
  readonly #lanes = new KeyLanes();

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
    this.#group = group;
    this.#intake = new Intake(context, group, 'embedded handler', options, {
      received: (incoming) => this.#received(incoming),
      ended: () => void this.close(),
    });
    try {
      this.#intake.attach();
    } catch (error) {
      this.refused();
      throw error;
    }
    if (options.signal?.aborted) void this.close();
    else this.#intake.ask(options.concurrency ?? 1);
  }

  override get isActive(): boolean {
    return this.#intake.isActive;
  }

  protected override stopTaking(): void {
    this.#intake.close();
    this.#lanes.close();
  }

  /** A delivery cannot be answered while the broker is delivering, so the handler starts right after. */
  #received(incoming: Incoming): void {
    const inRuns = (this.#group.config.keyRunMax ?? 1) > 1;
    const lane = inRuns ? this.#lanes.enter(incoming) : undefined;
    if (inRuns && lane === undefined) this.#intake.ask(1); // it waits in its lane, and takes no handler's place
    else queueMicrotask(() => void this.#handle(incoming, lane));
  }

  /** Handles the message, and those of its lane that come after it. */
  async #handle(incoming: Incoming, lane: Lane | undefined): Promise<void> {
    for (let next: Incoming | undefined = incoming; next; next = lane && this.#lanes.next(lane))
      await this.#handleOne(next);
    if (this.isOpen) this.#intake.ask(1);
  }

  async #handleOne(incoming: Incoming): Promise<void> {
    if (!this.isOpen) return void incoming.receipt.release();
    const call = new Call(this.#context, [incoming.receipt]);
    this.calls.add(call);
    const reading = read<T>(this.#context, this.#codec, incoming);
    const delivery = reading instanceof Promise ? await reading : reading;
    let failure: Failure | undefined;
    if (delivery) {
      const span = this.#context.tracing?.process(this.#group.name, delivery);
      const handle = (): unknown => this.#handler(delivery, call);
      failure = await failureOf(span ? () => span.run(handle) : handle);
      call.end(failure);
      span?.end(failure, delivery.settled);
    }
    this.callEnded(call);
    if (failure && delivery) void this.#report(failure, delivery, call);
  }

  /** An error of `onError` itself is an unhandled rejection. */
  async #report(failure: Failure, delivery: Delivery<T>, call: Call): Promise<void> {
    if (this.#options.onError) this.#options.onError(failure.thrown, delivery);
    else if (!call.isAbort(failure)) warnOfFailure(failure.thrown, this.#group, [delivery]);
  }
}

/** Handles a batch. Deliveries that it did not answer are acked, or nacked if it throws. */
export type BatchHandler<T> = (batch: DeliveryBatch<T>, context: HandlerContext) => unknown;

export interface ConsumeBatchesOptions extends BatchesOptions {
  /**
   * Called with all errors that handlers throw. Without it errors become process warnings, as with `consume`.
   */
  readonly onError?: (error: unknown, batch: DeliveryBatch<unknown>) => void;
}

export const consumeBatchesChecks: Checks<ConsumeBatchesOptions> = { ...batchesChecks, onError: callback };

/** A subscription whose handler takes batches, one after another. */
export class BatchSubscription<T> extends Subscription {
  readonly #context: BoxContext;
  readonly #handler: BatchHandler<T>;
  readonly #options: ConsumeBatchesOptions;
  readonly #batches: Batches<T>;
  readonly #group: CoreGroup;

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
    this.#group = group;
    this.#batches = new Batches<T>(context, group, codec, options);
    if (options.signal?.aborted) void this.close();
    else void this.#run();
  }

  override get isActive(): boolean {
    return this.#batches.isActive;
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
      if (!failure) continue;
      if (this.#options.onError) this.#options.onError(failure.thrown, batch);
      else if (!call.isAbort(failure)) warnOfFailure(failure.thrown, this.#group, batch.deliveries);
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
