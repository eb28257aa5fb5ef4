import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, exitCode } from './exit-code.ts';

const retryMs = 1000;

/** Messages of a long-running command when the broker goes away and when it is back. */
export interface PatienceListener {
  readonly away: (reason: string) => void;
  readonly back: () => void;
}

/**
 * Patience survives a restart of the broker: while no broker answers it asks again once a second, and tells
 * its listener. Before the first answer it fails at once, because an address that never had a broker is a
 * mistake.
 */
export class Patience {
  readonly #listener: PatienceListener;
  readonly #signal: AbortSignal;
  #hasAnswered = false;
  #isAway = false;

  constructor(listener: PatienceListener, signal: AbortSignal) {
    this.#listener = listener;
    this.#signal = signal;
  }

  /** With `isAway`, the answer should come at once: the listener waits to hear that the broker is back. */
  async ask<T>(question: (isAway: boolean) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const answer = await question(this.#isAway);
        if (this.#isAway) this.#listener.back();
        this.#isAway = false;
        this.#hasAnswered = true;
        return answer;
      } catch (error) {
        const isGone = error instanceof CliError && error.exitCode === exitCode.unavailable;
        if (!isGone || !this.#hasAnswered || this.#signal.aborted) throw error;
        if (!this.#isAway) this.#listener.away(error.message);
        this.#isAway = true;
      }
      await sleep(retryMs, undefined, { signal: this.#signal });
    }
  }
}
