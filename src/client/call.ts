import { PostponeError, RejectError, RetryError } from '../embedded/values.ts';
import type { Answer } from './driver.ts';
import type { Held } from './held.ts';

/** The second argument of a handler. */
export interface HandlerContext {
  /**
   * Aborts when the client starts to close, when `handlerTimeoutMs` is over, and when the message was lost to
   * another consumer.
   */
  readonly signal: AbortSignal;
}

/** The value that a handler threw, of any type. */
export interface Failure {
  readonly thrown: unknown;
}

/** A call is one run of a handler. Its signal costs nothing until the handler reads it. */
export class Call implements HandlerContext {
  readonly #held: Held;
  #controller: AbortController | undefined;
  #abortReason: unknown;

  constructor(held: Held) {
    this.#held = held;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Tells the handler to stop. Only the first reason is kept. */
  abort(reason: unknown): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }

  /** Settles the message after the handler has returned or thrown, unless the handler did. */
  end(failure: Failure | undefined): void {
    if (this.#held.settled === undefined) void this.#held.answer(this.#answerTo(failure), false);
  }

  /** Gives up on the handler: its result no longer counts. */
  abandon(reason: unknown): void {
    this.abort(reason);
    if (this.#held.settled === undefined) void this.#held.answer({ kind: 'release' }, false);
  }

  #answerTo(failure: Failure | undefined): Answer {
    if (!failure) return { kind: 'ack' };
    const { thrown } = failure;
    if (thrown instanceof RejectError) return { kind: 'dead', cause: 'rejected', reason: thrown.message };
    if (thrown instanceof PostponeError) return { kind: 'postpone', delayMs: thrown.delayMs };
    if (thrown instanceof RetryError) return this.#held.retry(thrown.message, thrown.delayMs);
    if (this.wasStopped(failure)) return { kind: 'release' };
    return this.#held.retry(messageOf(thrown));
  }

  /**
   * Whether the handler failed because it was told to stop, which says nothing about the message. After the
   * handler has read its signal, any error counts: libraries wrap the reason.
   */
  wasStopped({ thrown }: Failure): boolean {
    if (this.#abortReason === undefined) return false;
    if (this.#controller !== undefined || thrown === this.#abortReason) return true;
    return thrown instanceof Error && thrown.name === 'AbortError';
  }
}

function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return ''; // an object that cannot be made text
  }
}
