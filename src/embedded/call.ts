import type { Timer } from '../util/index.ts';
import type { BoxContext } from './context.ts';
import { PostponeError, RejectError, RetryError } from './errors.ts';
import type { Receipt } from './receipt.ts';

/** The second argument of a handler. */
export interface HandlerContext {
  /** Aborts when the time to answer is over, and as soon as the subscription or the box starts to close. */
  readonly signal: AbortSignal;
}

/** The value that a handler threw, of any type. */
export interface Failure {
  readonly thrown: unknown;
}

function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return ''; // an object that cannot be made text
  }
}

/**
 * A call is one run of a handler, with the receipts of its messages. Its signal costs nothing until the
 * handler reads it.
 */
export class Call implements HandlerContext {
  readonly #context: BoxContext;
  readonly #receipts: readonly Receipt[];
  #controller: AbortController | undefined;
  #timer: Timer | undefined;
  #abortReason: unknown;

  constructor(context: BoxContext, receipts: readonly Receipt[]) {
    this.#context = context;
    this.#receipts = receipts;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortReason === undefined) this.#watchDeadline();
      else this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /**
   * Ends the call after the handler has returned or thrown. Messages the handler did not answer are acked, or
   * answered as the error says.
   */
  end(failure?: Failure): void {
    this.#timer?.cancel();
    for (const receipt of this.#receipts) {
      if (receipt.settled) continue;
      if (!failure) receipt.ack();
      else if (failure.thrown instanceof RejectError) receipt.reject(failure.thrown.message);
      else if (failure.thrown instanceof PostponeError)
        receipt.postpone(failure.thrown.delayMs, failure.thrown.scope, 'or-message');
      else if (failure.thrown instanceof RetryError)
        receipt.nack(failure.thrown.delayMs, failure.thrown.message);
      else if (this.#wasStopped(failure)) receipt.release();
      else receipt.nack(undefined, messageOf(failure.thrown));
    }
  }

  /** Tells the handler to stop. Only the first reason is kept. */
  abort(reason: unknown): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }

  /** Whether the handler stopped because {@link abort} was called, and not because its time was over. */
  isAbort({ thrown }: Failure): boolean {
    if (this.#abortReason === undefined) return false;
    return thrown === this.#abortReason || (thrown instanceof Error && thrown.name === 'AbortError');
  }

  /**
   * Whether the handler failed because it was told to stop, which says nothing about the message. After the
   * handler has read its signal, any error counts: libraries wrap the reason.
   */
  #wasStopped(failure: Failure): boolean {
    return this.#abortReason !== undefined && (this.#controller !== undefined || this.isAbort(failure));
  }

  /** Gives up on the handler: its unanswered messages are released, and its result no longer counts. */
  abandon(reason: unknown): void {
    this.abort(reason);
    this.#timer?.cancel();
    for (const receipt of this.#receipts) receipt.release();
  }

  #watchDeadline(): void {
    const { clock } = this.#context;
    const deadlineMs = Math.min(
      ...this.#receipts.map((receipt) => (receipt.settled ? Infinity : receipt.deadlineMs)),
    );
    if (deadlineMs === Infinity) return;
    this.#timer = clock.setTimer(Math.ceil(deadlineMs - clock.monotonic()), () => {
      // Some deadline was extended meanwhile: check again when it is over.
      if (!this.#receipts.some((receipt) => !receipt.settled && receipt.isOverdue))
        return this.#watchDeadline();
      this.#controller?.abort(new DOMException('The time to answer the message is over.', 'TimeoutError'));
    });
  }
}
