import type { Clock } from './clock.ts';

/** A jump of the wall clock: by how much, and what it said before and after. */
export interface ClockJump {
  readonly byMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/**
 * What the wall clock and the monotonic one may differ by before it counts as a jump: rounding, and steps
 * that nobody minds.
 */
const toleranceMs = 1000;

/**
 * Steady time is wall-clock time without its jumps since the start: it goes by the monotonic clock. Windows,
 * ages and delays are counted in it, so that a clock that is set does not end them. Times that are stored and
 * shown stay wall-clock times; {@link of} says where one stands in steady time.
 */
export class SteadyTime {
  readonly #clock: Clock;
  readonly #jumped: (jump: ClockJump) => void;
  /** Wall clock less monotonic clock at the start, and now. */
  readonly #startMs: number;
  #offsetMs: number;
  /**
   * The monotonic clock when both were last looked at: a jump that is noticed may have happened just after.
   */
  #lookedMs: number;
  /** Oldest first: from which wall-clock time on, and by how much it is ahead of steady time since. */
  readonly #frames: { readonly fromMs: number; readonly aheadMs: number }[] = [];

  constructor(clock: Clock, jumped: (jump: ClockJump) => void = () => {}) {
    this.#clock = clock;
    this.#jumped = jumped;
    this.#lookedMs = clock.monotonic();
    this.#startMs = this.#offsetMs = clock.now() - this.#lookedMs;
  }

  now(): number {
    return Math.floor(this.#look() + this.#startMs);
  }

  /** Notices a jump; says what the monotonic clock says. */
  #look(): number {
    const wallMs = this.#clock.now();
    const elapsedMs = this.#clock.monotonic();
    if (Math.abs(wallMs - elapsedMs - this.#offsetMs) > toleranceMs) this.#noteJump(wallMs, elapsedMs);
    this.#lookedMs = elapsedMs;
    return elapsedMs;
  }

  /** By how much the wall clock is ahead of steady time. */
  get aheadMs(): number {
    this.#look();
    return this.#offsetMs - this.#startMs;
  }

  /** How often it jumped. */
  get jumps(): number {
    return this.#frames.length;
  }

  #noteJump(wallMs: number, elapsedMs: number): void {
    const beforeMs = elapsedMs + this.#offsetMs;
    this.#offsetMs = wallMs - elapsedMs;
    this.#frames.push({
      fromMs: this.#lookedMs + this.#offsetMs - 1,
      aheadMs: this.#offsetMs - this.#startMs,
    });
    this.#jumped({ byMs: wallMs - beforeMs, beforeMs, afterMs: wallMs });
  }

  /**
   * A stored wall-clock time in steady time. After a jump ahead, times before it and after it differ, so it
   * is known when each was taken; after a jump back it is not for those in between, and they count as taken
   * after it: younger.
   */
  of(wallMs: number): number {
    this.#look();
    for (let at = this.#frames.length - 1; at >= 0; at--) {
      const { fromMs, aheadMs } = this.#frames[at]!;
      if (wallMs >= fromMs) return wallMs - aheadMs;
    }
    return wallMs;
  }

  /** The other way round: what the wall clock will say at a steady time, if it does not jump again. */
  toWall(steadyMs: number): number {
    return steadyMs + this.aheadMs;
  }
}
