import {
  checks,
  FailureWarnings,
  PostponeError,
  RejectError,
  RetryError,
  type AnyCodec,
  type Checks,
} from '../embedded/values.ts';
import { shownText, SystemClock, type Timer } from '../util/index.ts';
import { Call, type Failure, type HandlerContext } from './call.ts';
import {
  closeChecks,
  closeTimeoutMs,
  type ClientContext,
  type Closable,
  type CloseOptions,
} from './context.ts';
import { read, type Delivery } from './delivery.ts';
import { UnsupportedError } from './errors.ts';
import type { GroupPlan } from './group-settings.ts';
import type { Held } from './held.ts';
import { Intake } from './intake.ts';
import { targetsWith } from './drivers/table.ts';

/**
 * Handles a message. When it returns or resolves, the message is acked. When it throws or rejects, the
 * message comes again after the group's backoff, or is given up. An answer that the handler gave itself takes
 * precedence.
 */
export type Handler<T> = (message: Delivery<T>, context: HandlerContext) => unknown;

export interface ConsumeOptions {
  /** The most handlers that run at once in this subscription. Default 1. */
  readonly concurrency?: number;
  /** Messages fetched ahead of the handlers. Default: as many as `concurrency`. */
  readonly prefetch?: number;
  /** The most time of a handler: then it counts as failed, and its signal aborts. Default: no limit. */
  readonly handlerTimeoutMs?: number;
  /** False: the time to answer is not extended while a handler runs. Default true. */
  readonly heartbeat?: boolean;
  /** Closes the subscription and aborts the signals of running handlers. */
  readonly signal?: AbortSignal;
  /**
   * Called with all errors that handlers throw; the message is already answered by then. Without it, an error
   * becomes a process warning, except for RetryError, RejectError, PostponeError, and an error of a handler
   * that was told to stop.
   */
  readonly onError?: (error: unknown, message: Delivery<unknown>) => void;
}

export const consumeChecks: Checks<ConsumeOptions> = {
  concurrency: checks.wholeNumber(1, 65_536),
  prefetch: checks.wholeNumber(0, 65_536),
  handlerTimeoutMs: checks.milliseconds(1),
  heartbeat: checks.flag,
  signal: checks.abortSignal,
  onError: checks.callback,
};

/** A subscription passes a group's messages to a handler until it is closed or its signal aborts. */
export class Subscription<T = unknown> implements AsyncDisposable, Closable {
  /** Resolves once the subscription is closed and no handler is running. */
  readonly closed: Promise<void>;
  readonly #context: ClientContext;
  readonly #plan: GroupPlan;
  readonly #codec: AnyCodec;
  readonly #handler: Handler<T>;
  readonly #options: ConsumeOptions;
  readonly #intake: Intake;
  readonly #waiting: Held[] = [];
  readonly #calls = new Set<Call>();
  readonly #onAbort: () => void;
  #resolveClosed: () => void = () => {};
  #isOpen = true;

  constructor(
    context: ClientContext,
    plan: GroupPlan,
    codec: AnyCodec,
    handler: Handler<T>,
    options: ConsumeOptions,
  ) {
    this.#context = context;
    this.#plan = plan;
    this.#codec = codec;
    this.#handler = handler;
    this.#options = options;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    const { signal, concurrency = 1, prefetch = concurrency, heartbeat = true } = options;
    this.#onAbort = () => {
      for (const call of this.#calls) call.abort(signal?.reason);
      void this.close();
    };
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
    context.open.add(this);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) void this.close();
    else this.#intake.ask(concurrency + prefetch);
  }

  /** Number of running handlers. */
  get running(): number {
    return this.#calls.size;
  }

  /** Takes no more messages, aborts the signals of running handlers, and waits for them. */
  async close(options: CloseOptions = {}): Promise<void> {
    checks.checkOptions('close()', options, closeChecks);
    if (this.#isOpen) {
      this.#isOpen = false;
      this.#options.signal?.removeEventListener('abort', this.#onAbort);
      const reason = new DOMException('The subscription closes.', 'AbortError');
      for (const held of this.#waiting.splice(0)) void held.answer({ kind: 'release' }, false);
      for (const call of this.#calls) call.abort(reason);
      const timer = this.#context.clock.setTimer(options.timeoutMs ?? closeTimeoutMs, () => {
        for (const call of this.#calls) call.abandon(reason);
        this.#calls.clear();
        this.#endIfIdle();
      });
      void this.closed.then(() => timer.cancel());
      await this.#intake.close();
      this.#endIfIdle();
    }
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #endIfIdle(): void {
    if (this.#isOpen || this.#calls.size > 0) return;
    this.#context.open.delete(this);
    this.#resolveClosed();
  }

  #received(held: Held): void {
    if (this.#calls.size < (this.#options.concurrency ?? 1)) void this.#handle(held);
    else this.#waiting.push(held);
  }

  async #handle(held: Held): Promise<void> {
    const call = new Call(held);
    this.#calls.add(call);
    const delivery = await read<T>(this.#codec, held);
    if (delivery) {
      const timer = this.#limit(call, held);
      const failure = await this.#run(delivery, call);
      timer?.cancel();
      call.end(failure);
      if (failure) this.#report(failure, delivery, call);
    }
    this.#calls.delete(call);
    const next = this.#waiting.shift();
    if (next) void this.#handle(next);
    this.#intake.ask(1);
    this.#endIfIdle();
  }

  async #run(delivery: Delivery<T>, call: Call): Promise<Failure | undefined> {
    try {
      await this.#handler(delivery, call);
      return undefined;
    } catch (thrown) {
      return { thrown };
    }
  }

  #limit(call: Call, held: Held): Timer | undefined {
    const { handlerTimeoutMs } = this.#options;
    if (handlerTimeoutMs === undefined) return undefined;
    return this.#context.clock.setTimer(handlerTimeoutMs, () => {
      const reason = `the handler took longer than ${handlerTimeoutMs} ms`;
      void held.answer(held.retry(reason), false);
      call.abort(new DOMException(reason, 'TimeoutError'));
    });
  }

  /** An error of `onError` itself is an unhandled rejection. */
  #report(failure: Failure, delivery: Delivery<T>, call: Call): void {
    const { onError } = this.#options;
    const { driver } = this.#context;
    if (failure.thrown instanceof PostponeError && driver.capabilities.freeRelease === 'none')
      this.#context.report(new UnsupportedError(driver.target, 'freeRelease', targetsWith('freeRelease')));
    if (onError) void Promise.resolve().then(() => onError(failure.thrown, delivery));
    else if (!isAnswer(failure.thrown) && !call.wasStopped(failure))
      warn(failure.thrown, this.#plan, delivery);
  }
}

const warnings = new FailureWarnings(new SystemClock(), (text) =>
  process.emitWarning(shownText(text), { type: 'PillarboxWarning', code: 'PILLARBOX_HANDLER' }),
);

function warn(thrown: unknown, plan: GroupPlan, { id, deliveries }: Delivery<unknown>): void {
  const handler = `A handler of group "${plan.name}" failed on topic "${plan.topic}"`;
  warnings.warn(handler, `${handler}, message "${id}" (delivery ${deliveries}): ${String(thrown)}`);
}

function isAnswer(thrown: unknown): boolean {
  return [RetryError, PostponeError, RejectError].some((answer) => thrown instanceof answer);
}
