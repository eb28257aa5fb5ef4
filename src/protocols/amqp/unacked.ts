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
}

/** The unanswered deliveries of a channel, by delivery tag, in order. Tags are numbered from 1. */
export class Unacked {
  readonly #byTag = new Map<number, UnackedDelivery>();
  #lastTag = 0;

  get size(): number {
    return this.#byTag.size;
  }

  /** When the oldest one was delivered; undefined if there is none. */
  get oldestMs(): number | undefined {
    for (const { deliveredMs } of this.#byTag.values()) return deliveredMs;
    return undefined;
  }

  /** The tag of the next delivery. */
  nextTag(): number {
    return ++this.#lastTag;
  }

  add(delivery: UnackedDelivery): void {
    this.#byTag.set(delivery.tag, delivery);
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
