import type { Partition } from '../partitions/partition.ts';

/** A topic, as its overdue messages see it. */
interface OverdueTopic {
  readonly partitions: { readonly opened: readonly Partition[] };
  isHeld(partition: Partition, offset: number): boolean;
}

/**
 * Overdue messages are past their time to live and still in the topic: a consumer of a queue-like topic holds
 * them, or they are on their way to a dead-letter topic. No group delivers them any more
 * ({@link Partition.isDeliverable}). An answer of the consumer still counts.
 */
export class Overdue {
  readonly #topic: OverdueTopic;
  #size = 0;

  constructor(topic: OverdueTopic) {
    this.#topic = topic;
  }

  get size(): number {
    return this.#size;
  }

  /** `dueMs`: when the message was due, in steady time. */
  add(partition: Partition, offset: number, dueMs: number): void {
    const overdue = (partition.overdue ??= new Map());
    if (!overdue.has(offset)) this.#size++;
    overdue.set(offset, dueMs);
  }

  isOver(partition: Partition, offset: number): boolean {
    return partition.isOverdue(offset);
  }

  /** Messages in `[from, to)` are gone. */
  forget({ overdue }: Partition, from: number, to: number): void {
    if (overdue === undefined || overdue.size === 0) return;
    const before = overdue.size;
    if (to - from <= before) for (let offset = from; offset < to; offset++) overdue.delete(offset);
    else for (const offset of overdue.keys()) if (offset >= from && offset < to) overdue.delete(offset);
    this.#size -= before - overdue.size;
  }

  /** The messages that no consumer holds, by partition, in order. */
  *free(): Iterable<readonly [Partition, readonly number[]]> {
    if (this.#size === 0) return;
    for (const partition of this.#topic.partitions.opened) {
      const offsets = [...(partition.overdue?.keys() ?? [])];
      const free = offsets.filter((offset) => !this.#topic.isHeld(partition, offset)).sort((a, b) => a - b);
      if (free.length > 0) yield [partition, free];
    }
  }
}
