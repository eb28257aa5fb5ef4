import type { Record } from '../../log/index.ts';
import { Queue } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';
import type { Partition } from '../partitions/partition.ts';
import type { PublishListener, PublishOptions } from './publishes.ts';

/**
 * A publish that waits for room (`overflow: 'wait'`), or for a read of the last message of a key that it
 * expects.
 */
export interface WaitingPublish {
  readonly record: Record;
  readonly options: PublishOptions | undefined;
  readonly listener: PublishListener<unknown>;
  readonly token: unknown;
  look: 'none' | 'under way' | 'done';
  /** Why the publish cannot be decided. */
  failure: Error | undefined;
}

/**
 * The waiting room holds the waiting publishes, in order for each partition: later publishes do not overtake
 * earlier ones.
 */
export class WaitingRoom {
  readonly #queues = new Map<Partition, Queue<WaitingPublish>>();
  #size = 0;
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  get size(): number {
    return this.#size;
  }

  isAhead(partition: Partition): boolean {
    return this.#size > 0 && this.#queues.has(partition);
  }

  push(partition: Partition, publish: WaitingPublish): void {
    let queue = this.#queues.get(partition);
    if (!queue) this.#queues.set(partition, (queue = new Queue()));
    queue.push(publish);
    this.#meter.set(++this.#size);
  }

  /**
   * Takes out publishes that `mayEnter`, one of each partition in turn. The first one that may not enter
   * blocks those behind it.
   */
  admit(
    mayEnter: (partition: Partition, publish: WaitingPublish) => boolean,
    enter: (partition: Partition, publish: WaitingPublish) => void,
  ): void {
    for (const [partition, queue] of this.#queues) {
      const next = queue.peek();
      if (!next || !mayEnter(partition, next)) continue;
      queue.shift();
      this.#meter.set(--this.#size);
      enter(partition, next);
      if (this.#queues.get(partition) !== queue) continue; // all of them were refused
      // At the end of the map, the loop comes to it again after the others.
      this.#queues.delete(partition);
      if (queue.size > 0) this.#queues.set(partition, queue);
    }
  }

  /** Takes out all publishes. */
  *drain(): Iterable<WaitingPublish> {
    for (const queue of this.#queues.values())
      for (let next = queue.shift(); next; next = queue.shift()) yield next;
    this.#queues.clear();
    this.#meter.set((this.#size = 0));
  }
}
