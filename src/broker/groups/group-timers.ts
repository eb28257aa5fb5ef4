import type { Clock, Timer } from '../../util/index.ts';

const stallMs = 1000;

/**
 * What a group waits for: the next deadline or redelivery, the end of a pause, having been without a consumer
 * for too long, and another try to read what could not be read.
 */
export class GroupTimers {
  readonly #clock: Clock;
  #deadline: Timer | undefined = undefined;
  #deadlineDueMs = Infinity;
  #pause: Timer | undefined = undefined;
  #inactivity: Timer | undefined = undefined;
  #stall: Timer | undefined = undefined;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back at `dueMs` (monotonic), unless it is to be earlier already. */
  armDeadline(dueMs: number, nowMs: number, callback: () => void): void {
    if (this.#stopped || dueMs >= this.#deadlineDueMs || dueMs === Infinity) return;
    this.#deadline?.cancel();
    this.#deadlineDueMs = dueMs;
    this.#deadline = this.#clock.setTimer(Math.max(0, Math.ceil(dueMs - nowMs)), () => {
      this.#deadline = undefined;
      this.#deadlineDueMs = Infinity;
      callback();
    });
  }

  /** Calls back in `delayMs`; what was asked for before is forgotten. Undefined: never. */
  watchPause(delayMs: number | undefined, callback: () => void): void {
    this.#pause?.cancel();
    this.#pause = this.#set(delayMs, callback);
  }

  /** The same, for inactivity. */
  watchInactivity(delayMs: number | undefined, callback: () => void): void {
    this.#inactivity?.cancel();
    this.#inactivity = this.#set(delayMs, callback);
  }

  /** Calls back a second after the first of those who ask. */
  watchStall(callback: () => void): void {
    this.#stall ??= this.#set(stallMs, () => {
      this.#stall = undefined;
      callback();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#deadline?.cancel();
    this.#pause?.cancel();
    this.#inactivity?.cancel();
    this.#stall?.cancel();
  }

  #set(delayMs: number | undefined, callback: () => void): Timer | undefined {
    return delayMs === undefined || this.#stopped ? undefined : this.#clock.setTimer(delayMs, callback);
  }
}
