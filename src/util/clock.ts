/**
 * A clock is the only source of time, timers and deferred work for the log and the broker.
 *
 * There are two implementations: {@link SystemClock}, and the virtual clock of the tests, which moves only
 * when told.
 */
export interface Clock {
  /** Wall-clock time, in milliseconds since the epoch. May jump when the operator sets it. */
  now(): number;
  /** Time that never jumps or runs backwards, in milliseconds from an arbitrary start, with a fraction. */
  monotonic(): number;
  /** Calls back once, no earlier than `delayMs` from now. Delays beyond 2^31 - 1 ms are cut to that. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Resolves no earlier than `delayMs` from now, and keeps the process alive until then. */
  sleep(delayMs: number): Promise<void>;
  /** Calls back once after the input that is already waiting has been handled (`setImmediate`). */
  defer(callback: () => void): void;
}

/** A timer that can be cancelled; cancelling it twice does nothing. */
export interface Timer {
  cancel(): void;
}

const timerDelayMsMax = 2 ** 31 - 1;

/** The machine's own clock. Its timers do not keep the process alive by themselves. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timeout = setTimeout(callback, Math.min(Math.max(0, delayMs), timerDelayMsMax));
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(0, delayMs), timerDelayMsMax)));
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }
}

const firstRfc3339Ms = Date.parse('0000-01-01T00:00:00Z');
const lastRfc3339Ms = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A time as RFC 3339 text in UTC with milliseconds. RFC 3339 years have four digits, but clients choose
 * timestamps: times outside that range become the first or last time it can express.
 */
export function rfc3339(timeMs: number): string {
  return new Date(Math.max(firstRfc3339Ms, Math.min(lastRfc3339Ms, timeMs))).toISOString();
}
