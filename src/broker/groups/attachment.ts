import type { Consumer } from '../model.ts';

/** What an attachment holds: it knows its holder, and its neighbours among what that holds. */
export interface Held<T extends Held<T>> {
  /** When it was delivered, in milliseconds since the epoch. */
  readonly deliveredMs: number;
  holder: Attachment<T> | undefined;
  previousHeld: T | undefined;
  nextHeld: T | undefined;
}

/**
 * An attachment is a consumer in its group, from `attach` until all that it holds is answered: what it was
 * given and has not answered, in the order of its deliveries. It outlives `detach` where the consumer keeps
 * what it holds.
 */
export class Attachment<T extends Held<T>> {
  readonly consumer: Consumer;
  #head: T | undefined = undefined;
  #tail: T | undefined = undefined;
  #size = 0;

  constructor(consumer: Consumer) {
    this.consumer = consumer;
  }

  /** Entries that it holds. */
  get size(): number {
    return this.#size;
  }

  /** When the delivery was made that it holds for longest, in milliseconds since the epoch. */
  get heldSinceMs(): number | undefined {
    return this.#head?.deliveredMs;
  }

  /** In the order of delivery. The entry at hand may be taken out meanwhile. */
  *held(): IterableIterator<T> {
    for (let entry = this.#head; entry;) {
      const next = entry.nextHeld;
      yield entry;
      entry = next;
    }
  }

  add(entry: T): void {
    entry.holder = this;
    entry.previousHeld = this.#tail;
    entry.nextHeld = undefined;
    if (this.#tail) this.#tail.nextHeld = entry;
    else this.#head = entry;
    this.#tail = entry;
    this.#size++;
  }

  remove(entry: T): void {
    if (entry.previousHeld) entry.previousHeld.nextHeld = entry.nextHeld;
    else this.#head = entry.nextHeld;
    if (entry.nextHeld) entry.nextHeld.previousHeld = entry.previousHeld;
    else this.#tail = entry.previousHeld;
    entry.previousHeld = undefined;
    entry.nextHeld = undefined;
    entry.holder = undefined;
    this.#size--;
  }
}
