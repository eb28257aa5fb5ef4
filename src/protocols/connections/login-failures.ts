/** Failed logins of one address, user, or pair of both. */
export interface Failures {
  count: number;
  /** When the last one failed: milliseconds of the monotonic clock. */
  lastMs: number;
  /** The next password is looked at no earlier. */
  nextMs: number;
}

/** A table of failed logins by key. It is bounded: the key that failed least recently is forgotten first. */
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

  /** The entry of a key, made if need be, as the last to be forgotten. */
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
