import type { Clock, Timer } from './clock.ts';

interface Waiting {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that moves only when told, for tests and simulation.
 *
 * Timers fire in the order of their time; timers of the same time fire in the order they were set. Deferred
 * work runs from {@link runDeferred} and {@link advance}. With `deferBySystem` (for tests that await promises
 * of real code) it runs by itself from `setImmediate`.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  readonly #deferBySystem: boolean;
  #jumpedMs = 0;
  #order = 0;
  #timers: Waiting[] = [];
  #deferred: (() => void)[] = [];

  constructor(options: { startMs?: number; deferBySystem?: boolean } = {}) {
    this.#startMs = options.startMs ?? 1_700_000_000_000;
    this.#nowMs = this.#startMs;
    this.#deferBySystem = options.deferBySystem ?? true;
  }

  now(): number {
    return Math.floor(this.#nowMs) + this.#jumpedMs;
  }

  /** Sets the wall clock; the monotonic clock and timers are not affected. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const waiting = { at: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.push(waiting);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== waiting);
      },
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.setTimer(delayMs, resolve));
  }

  defer(callback: () => void): void {
    if (this.#deferBySystem) setImmediate(callback);
    else this.#deferred.push(callback);
  }

  /** The number of timers waiting. */
  get timerCount(): number {
    return this.#timers.length;
  }

  /** The time of the earliest timer, in milliseconds since the epoch, or undefined when none waits. */
  get nextTimerAt(): number | undefined {
    let next: number | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next) next = timer.at;
    return next;
  }

  /** Runs all deferred calls, including those that they defer; returns how many ran. */
  runDeferred(): number {
    let ran = 0;
    for (let callback = this.#deferred.shift(); callback; callback = this.#deferred.shift()) {
      callback();
      ran++;
    }
    return ran;
  }

  /** Moves time forward by `ms` and fires each timer at its own time. */
  advance(ms: number): void {
    if (!(ms >= 0 && ms < Infinity))
      throw new RangeError(`A clock cannot be moved by ${ms} ms: time only goes forward.`);
    const end = this.#nowMs + ms;
    this.runDeferred();
    for (;;) {
      let first: Waiting | undefined;
      for (const timer of this.#timers) {
        if (timer.at > end) continue;
        if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
          first = timer;
      }
      if (!first) break;
      this.#timers = this.#timers.filter((other) => other !== first);
      this.#nowMs = Math.max(this.#nowMs, first.at);
      first.callback();
      this.runDeferred();
    }
    this.#nowMs = end;
  }
}
