import type { Clock } from './clock.ts';

/** A jump of the wall clock: by how much, and its readings before and after. */
export interface ClockJump {
  readonly byMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/**
 * A difference between the wall clock and the monotonic clock up to this one is not a jump: rounding, or a
 * step too small to matter.
 */
const toleranceMs = 1000;

/**
 * A frame begins with a jump: from that wall-clock time on, the wall clock is so far ahead of steady time.
 */
export interface ClockFrame {
  readonly fromMs: number;
  readonly aheadMs: number;
}

/** Older frames are forgotten: hardly any time before them is still stored. */
const framesMax = 64;

/**
 * Steady time is wall-clock time without its jumps: it follows the monotonic clock. Windows, ages and delays
 * are measured in it, so that setting the clock does not end them. {@link restore} continues the steady time
 * of earlier runs. Times that are stored and shown stay wall-clock times; {@link of} converts them to steady
 * time.
 */
export class SteadyTime {
  readonly #clock: Clock;
  readonly #jumped: (jump: ClockJump) => void;
  /** Wall clock minus monotonic clock, at the start and now. */
  #startMs: number;
  #offsetMs: number;
  /**
   * The monotonic clock when both were last read. A jump that is noticed later may have happened just after.
   */
  #lookedMs: number;
  /** Oldest first. */
  readonly #frames: ClockFrame[] = [];
  #jumps = 0;
  #wasSetBack = false;

  constructor(clock: Clock, jumped: (jump: ClockJump) => void = () => {}) {
    this.#clock = clock;
    this.#jumped = jumped;
    this.#lookedMs = clock.monotonic();
    this.#startMs = this.#offsetMs = clock.now() - this.#lookedMs;
  }

  now(): number {
    return Math.floor(this.#look() + this.#startMs);
  }

  /** Records a jump, if there was one, and returns the monotonic time. */
  #look(): number {
    const wallMs = this.#clock.now();
    const elapsedMs = this.#clock.monotonic();
    if (Math.abs(wallMs - elapsedMs - this.#offsetMs) > toleranceMs) this.#noteJump(wallMs, elapsedMs);
    this.#lookedMs = elapsedMs;
    return elapsedMs;
  }

  /** How far the wall clock is ahead of steady time, in milliseconds. */
  get aheadMs(): number {
    this.#look();
    return this.#offsetMs - this.#startMs;
  }

  /** The number of jumps since the start. */
  get jumps(): number {
    return this.#jumps;
  }

  /** Whether the last frame that was restored begins earlier than it was stored. */
  get wasSetBack(): boolean {
    return this.#wasSetBack;
  }

  /** The frames so far, oldest first. They are to be stored. */
  get frames(): readonly ClockFrame[] {
    return this.#frames;
  }

  /**
   * Restores a frame of an earlier run, oldest first. If the clock was set back meanwhile, the frame holds
   * from now on: its times and those of now are compared.
   */
  restore({ fromMs, aheadMs }: ClockFrame): void {
    this.#startMs -= aheadMs - (this.#frames.at(-1)?.aheadMs ?? 0);
    const nowMs = this.#clock.now();
    this.#wasSetBack = nowMs < fromMs;
    this.#add({ fromMs: Math.min(fromMs, nowMs - 1), aheadMs });
  }

  #add(frame: ClockFrame): void {
    this.#frames.push(frame);
    if (this.#frames.length > framesMax) this.#frames.shift();
  }

  #noteJump(wallMs: number, elapsedMs: number): void {
    const beforeMs = elapsedMs + this.#offsetMs;
    this.#offsetMs = wallMs - elapsedMs;
    this.#jumps++;
    this.#add({ fromMs: this.#lookedMs + this.#offsetMs - 1, aheadMs: this.#offsetMs - this.#startMs });
    this.#jumped({ byMs: wallMs - beforeMs, beforeMs, afterMs: wallMs });
  }

  /**
   * Converts a stored wall-clock time to steady time. After a jump forward, times from before and after it do
   * not overlap, so each can be told apart. After a jump back they overlap; times in the overlap count as
   * taken after the jump, which makes them younger.
   */
  of(wallMs: number): number {
    this.#look();
    for (let at = this.#frames.length - 1; at >= 0; at--) {
      const { fromMs, aheadMs } = this.#frames[at]!;
      if (wallMs >= fromMs) return wallMs - aheadMs;
    }
    return wallMs;
  }

  /**
   * Converts a steady time to the wall-clock time at that moment, provided that the clock does not jump
   * again.
   */
  toWall(steadyMs: number): number {
    return steadyMs + this.aheadMs;
  }
}
