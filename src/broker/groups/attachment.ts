import type { Consumer } from '../model.ts';
import type { Turns, TurnTaker } from './turns.ts';

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
export class Attachment<T extends Held<T>> implements TurnTaker<Attachment<T>> {
  readonly consumer: Consumer;
  /** Number of keys that the consumer has under way, in a group with order by key. */
  keys = 0;
  /** Higher goes first. */
  readonly priority: number;
  /** Whether no other member may attach. */
  readonly isExclusive: boolean;
  /** The place of the attachment among those that take turns. */
  turns: Turns<Attachment<T>> | undefined = undefined;
  previousTurn: Attachment<T> | undefined = undefined;
  nextTurn: Attachment<T> | undefined = undefined;
  #head: T | undefined = undefined;
  #tail: T | undefined = undefined;
  #size = 0;

  constructor(consumer: Consumer, isExclusive: boolean = false) {
    this.consumer = consumer;
    this.priority = consumer.priority ?? 0;
    this.isExclusive = isExclusive;
  }

  /** Whether both are consumers of one member. A consumer without a member name is a member by itself. */
  isOfMember({ consumer }: Attachment<T>): boolean {
    const { member } = this.consumer;
    return consumer === this.consumer || (member !== undefined && consumer.member === member);
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
