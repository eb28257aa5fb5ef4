import type { Timer } from '../util/index.ts';
import type { BoxContext } from './context.ts';
import { RejectError, RetryError } from './errors.ts';
import type { Receipt } from './receipt.ts';

/** What a handler gets besides its message. */
export interface HandlerContext {
  /** Aborts when the time to answer is over, and as soon as the subscription or the box begins to close. */
  readonly signal: AbortSignal;
}

/** What a handler threw, whatever it is. */
export interface Failure {
  readonly thrown: unknown;
}

function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return ''; // an object that is no text
  }
}

/**
 * A call is one run of a handler, with the receipts of the messages it was given. Its signal costs nothing
 * until the handler asks for it.
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
   * The handler came to its end: what it did not answer itself is done, or failed in the way the error says.
   */
  end(failure?: Failure): void {
    this.#timer?.cancel();
    for (const receipt of this.#receipts) {
      if (receipt.settled) continue;
      if (!failure) receipt.ack();
      else if (failure.thrown instanceof RejectError) receipt.reject(failure.thrown.message);
      else if (failure.thrown instanceof RetryError)
        receipt.nack(failure.thrown.delayMs, failure.thrown.message);
      else if (this.#wasStopped(failure)) receipt.release();
      else receipt.nack(undefined, messageOf(failure.thrown));
    }
  }

  /** Tells the handler to stop. The first reason counts. */
  abort(reason: unknown): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }

  /** The handler stopped because it was told to, and not because its time was over. */
  isAbort({ thrown }: Failure): boolean {
    if (this.#abortReason === undefined) return false;
    return thrown === this.#abortReason || (thrown instanceof Error && thrown.name === 'AbortError');
  }

  /**
   * The error is the handler's way to stop, and says nothing about the message. After a handler has looked at
   * its signal the error may be anything: libraries wrap the reason.
   */
  #wasStopped(failure: Failure): boolean {
    return this.#abortReason !== undefined && (this.#controller !== undefined || this.isAbort(failure));
  }

  /** Waits no longer: what was not answered goes back, and the handler's end will not count. */
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
      // Extended meanwhile: look again when that is over.
      if (!this.#receipts.some((receipt) => !receipt.settled && receipt.isOverdue))
        return this.#watchDeadline();
      this.#controller?.abort(new DOMException('The time to answer the message is over.', 'TimeoutError'));
    });
  }
}
