/** Failed logins of one address, one user, or one pair of both. */
export interface Failures {
  count: number;
  /** Time of the last failure: milliseconds of the monotonic clock. */
  lastMs: number;
  /** The next password is not checked before this time. */
  nextMs: number;
}

/**
 * A table of failed logins by key. Its size is bounded: the key that failed least recently is forgotten
 * first.
 */
export class FailureTable {
  readonly #entries = new Map<string, Failures>();
  readonly #entriesMax: number;
  readonly #forgetAfterMs: number;

  constructor(entriesMax: number, forgetAfterMs: number) {
    this.#entriesMax = entriesMax;
    this.#forgetAfterMs = forgetAfterMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, nowMs: number): Failures | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || nowMs - entry.lastMs < this.#forgetAfterMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  /** Returns the entry of a key, created if there is none, and makes it the last to be forgotten. */
  touch(key: string, nowMs: number): Failures {
    const entry = this.get(key, nowMs) ?? { count: 0, lastMs: nowMs, nextMs: nowMs };
    entry.lastMs = nowMs;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#entriesMax) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest!);
    }
    return entry;
  }
}
