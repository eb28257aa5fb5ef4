import { type Clock, type Timer } from '../../src/util/index.ts';
import { Heap } from '../support/heap.ts';

interface Waiting {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * The clock of a simulated machine: it moves when told, fires one timer at a time and runs one piece of
 * deferred work at a time, so that something else can happen between any two of them.
 */
export class SimulatedClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  #timers = newTimers();
  #deferred: (() => void)[] = [];
  readonly #startMs: number;
  /** How far the wall clock was set ahead, or back, while a broker was up, and while none was. */
  #aheadMs = 0;
  #passedMs = 0;

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.steady() + this.#aheadMs;
  }

  /** Wall-clock time without the jumps while a broker was up. */
  steady(): number {
    return this.#startMs + Math.floor(this.#elapsedMs) + this.#passedMs;
  }

  /** Sets the wall clock; no time passes by that. `isDown`: while no broker was up. */
  set(byMs: number, isDown: boolean): void {
    if (isDown) this.#passedMs += byMs;
    else this.#aheadMs += byMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const waiting = {
      atMs: this.#elapsedMs + Math.max(0, delayMs),
      order: this.#order++,
      callback,
      cancelled: false,
    };
    this.#timers.push(waiting);
    return { cancel: () => void (waiting.cancelled = true) };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.setTimer(delayMs, resolve));
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }

  runDeferred(): void {
    this.#deferred.shift()?.();
  }

  /** Elapsed time at which the next timer fires; Infinity when none waits. */
  get nextTimerMs(): number {
    while (this.#timers.peek()?.cancelled) this.#timers.pop();
    return this.#timers.peek()?.atMs ?? Infinity;
  }

  /** Moves to the next timer's time and fires it. */
  fireTimer(): void {
    if (this.nextTimerMs === Infinity) return;
    const timer = this.#timers.pop()!;
    this.#elapsedMs = Math.max(this.#elapsedMs, timer.atMs);
    timer.callback();
  }

  /** Time passes without anything happening; timers that are due by then fire late. */
  pass(ms: number): void {
    this.#elapsedMs += ms;
  }

  /** The process is gone, and all it was waiting for. */
  forget(): void {
    this.#timers = newTimers();
    this.#deferred = [];
  }
}

function newTimers(): Heap<Waiting> {
  return new Heap((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order));
}
