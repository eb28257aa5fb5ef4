import type { BoxContext, Closable } from './context.ts';

/** The lifetime of a consumer: until it is ended, its signal aborts, or the box closes. */
export class Lifetime {
  readonly #context: BoxContext;
  readonly #owner: Closable;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  #isOpen = true;

  constructor(context: BoxContext, owner: Closable, signal: AbortSignal | undefined, onAbort: () => void) {
    this.#context = context;
    this.#owner = owner;
    this.#signal = signal;
    this.#onAbort = onAbort;
    context.open.add(owner);
    signal?.addEventListener('abort', onAbort, { once: true });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Returns true the first time. */
  end(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#context.open.delete(this.#owner);
    return true;
  }
}
