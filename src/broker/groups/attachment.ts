import type { Consumer } from '../model.ts';

/** An entry held by an attachment. It links to its holder, and to its neighbours in the holder's list. */
export interface Held<T extends Held<T>> {
  /** Time of the delivery, in milliseconds since the epoch. */
  readonly deliveredMs: number;
  holder: Attachment<T> | undefined;
  previousHeld: T | undefined;
  nextHeld: T | undefined;
}

/**
 * An attachment is a consumer in its group. It lists the consumer's unanswered deliveries, in the order of
 * delivery. It exists from `attach` until all of them are answered, so it outlives `detach` if the consumer
 * keeps its deliveries.
 */
export class Attachment<T extends Held<T>> {
  readonly consumer: Consumer;
  /** Number of keys that the consumer has under way, in a group with order by key. */
  keys = 0;
  #head: T | undefined = undefined;
  #tail: T | undefined = undefined;
  #size = 0;

  constructor(consumer: Consumer) {
    this.consumer = consumer;
  }

  /** Number of entries held. */
  get size(): number {
    return this.#size;
  }

  /** Time of the oldest delivery held, in milliseconds since the epoch. */
  get heldSinceMs(): number | undefined {
    return this.#head?.deliveredMs;
  }

  /** In the order of delivery. The current entry may be removed during the iteration. */
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
