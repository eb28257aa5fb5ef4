import type { Receipt } from '../../broker/index.ts';
import type { AmqpConsumer } from './consumer.ts';

/** A delivery that its client has not answered. */
export interface UnackedDelivery {
  readonly tag: number;
  readonly receipt: Receipt;
  /** Undefined for a message of basic.get. */
  readonly consumer: AmqpConsumer | undefined;
  /** On the monotonic clock. */
  readonly deliveredMs: number;
  /** The time for the answer. */
  readonly timeoutMs: number;
}

/** The unanswered deliveries of a channel, by delivery tag, in order. Tags are numbered from 1. */
export class Unacked {
  readonly #byTag = new Map<number, UnackedDelivery>();
  #lastTag = 0;
  /** No delivery is overdue before this time. */
  #dueMs = Infinity;

  get size(): number {
    return this.#byTag.size;
  }

  /** A delivery whose time is over; undefined if there is none. Looks at all only if one may be. */
  overdue(nowMs: number): UnackedDelivery | undefined {
    if (nowMs < this.#dueMs) return undefined;
    this.#dueMs = Infinity;
    for (const delivery of this.#byTag.values()) {
      const dueMs = delivery.deliveredMs + delivery.timeoutMs;
      this.#dueMs = Math.min(this.#dueMs, dueMs);
      if (dueMs <= nowMs) return delivery;
    }
    return undefined;
  }

  /** The tag of the next delivery. */
  nextTag(): number {
    return ++this.#lastTag;
  }

  add(delivery: UnackedDelivery): void {
    this.#byTag.set(delivery.tag, delivery);
    this.#dueMs = Math.min(this.#dueMs, delivery.deliveredMs + delivery.timeoutMs);
  }

  /** Adds deliveries again that were taken out. */
  putBack(deliveries: readonly UnackedDelivery[]): void {
    const all = [...this.takeAll(), ...deliveries].toSorted((one, other) => one.tag - other.tag);
    for (const delivery of all) this.add(delivery);
  }

  /**
   * Takes the delivery of a tag out, or with `multiple` all up to it; tag 0 then means all. Undefined if the
   * tag is unknown.
   */
  take(tag: number, multiple: boolean): UnackedDelivery[] | undefined {
    if (!multiple) {
      const delivery = this.#byTag.get(tag);
      this.#byTag.delete(tag);
      return delivery && [delivery];
    }
    if (tag !== 0 && !this.#byTag.has(tag)) return undefined;
    const taken: UnackedDelivery[] = [];
    for (const [each, delivery] of this.#byTag) {
      if (tag !== 0 && each > tag) break;
      this.#byTag.delete(each);
      taken.push(delivery);
    }
    return taken;
  }

  /** Takes all out, in the order of their delivery. */
  takeAll(): UnackedDelivery[] {
    const all = [...this.#byTag.values()];
    this.#byTag.clear();
    return all;
  }
}
