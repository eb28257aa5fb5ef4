import type { Clock, Timer } from '../../../src/util/index.ts';

/** A clock that advances during work, and an event loop that turns when told. */
export class LoopClock implements Clock {
  #nowMs = 0;
  #deferred: (() => void)[] = [];

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  setTimer(): Timer {
    throw new Error('nobody waits here');
  }

  sleep(): Promise<void> {
    throw new Error('nobody sleeps here');
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  turn(): void {
    for (const callback of this.#deferred.splice(0)) callback();
  }

  get isIdle(): boolean {
    return this.#deferred.length === 0;
  }
}
