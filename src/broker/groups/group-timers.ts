import type { Clock, Timer } from '../../util/index.ts';

const stallMs = 1000;

/**
 * The timers of a group: the next deadline or redelivery, the end of a pause, the end of the time allowed
 * without a consumer, and the retry of a failed read.
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

  /** Calls back at `dueMs` (monotonic), unless an earlier call is set already. */
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

  /** Calls back after `delayMs`, instead of the previous call. Undefined: never. */
  watchPause(delayMs: number | undefined, callback: () => void): void {
    this.#pause?.cancel();
    this.#pause = this.#set(delayMs, callback);
  }

  /** The same, for inactivity. */
  watchInactivity(delayMs: number | undefined, callback: () => void): void {
    this.#inactivity?.cancel();
    this.#inactivity = this.#set(delayMs, callback);
  }

  /** Calls back in a second; requests until then share the call. */
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
