/** Faults of the client, for so many of the next messages. */
interface Counts {
  lostAcks: number;
  duplicates: number;
  refusedPublishes: number;
}

/**
 * The faults of a kit: what a network does to messages on a bad day. Each holds for the next messages, in all
 * topics.
 */
export class Faults {
  readonly #counts: Counts = { lostAcks: 0, duplicates: 0, refusedPublishes: 0 };
  #slowMs = 0;
  #reorders = 0;

  /** The next acks do not reach the broker: their messages come again after the group's `ackWaitMs`. */
  loseAcks(count: number): void {
    this.#counts.lostAcks += count;
  }

  /** The next deliveries come twice. */
  duplicate(count: number): void {
    this.#counts.duplicates += count;
  }

  /** The next publishes are refused. */
  refusePublishes(count: number): void {
    this.#counts.refusedPublishes += count;
  }

  /**
   * The next deliveries, so many, come in reverse, once all of them are there: their consumer must take so
   * many at once.
   */
  reorder(count: number): void {
    this.#reorders = count;
  }

  /** Each delivery comes so much later, until this is set to 0, in milliseconds on the clock of the kit. */
  slow(ms: number): void {
    this.#slowMs = ms;
  }

  get slowMs(): number {
    return this.#slowMs;
  }

  /** Takes how many deliveries are to be reordered; 0 from then on. */
  takeReorder(): number {
    const count = this.#reorders;
    this.#reorders = 0;
    return count;
  }

  /** Whether the fault happens to this one. */
  take(name: keyof Counts): boolean {
    if (this.#counts[name] === 0) return false;
    this.#counts[name] -= 1;
    return true;
  }
}
