import type { Broker, Partition } from '../../src/broker/index.ts';
import type { History } from './history.ts';
import { keyOf } from './keys.ts';

/**
 * The lookout is a reader that never sleeps: after each step of the machine it notes how far each partition
 * can be read.
 */
export class Lookout {
  readonly #history: History;
  /** By partition: the offset after the last one that can be read. */
  readonly #ends = new Map<Partition, number>();

  constructor(history: History) {
    this.#history = history;
  }

  /** Another process: earlier answers are of no use. */
  startOver(): void {
    this.#ends.clear();
  }

  look(broker: Broker): void {
    for (const topic of broker.topics.values()) {
      if (topic.config.durability === 'memory') continue;
      for (const partition of topic.partitions.opened.slice()) {
        const end = readableEnd(partition);
        if (end <= (this.#ends.get(partition) ?? 0)) continue;
        this.#ends.set(partition, end);
        this.#history.add({ kind: 'readable', topic: keyOf(topic), partition: partition.index, end });
      }
    }
  }
}

/** The end up to which readers may read: durable records, and not beyond, even if asked for. */
function readableEnd({ log }: Partition): number {
  let end = log.durableEnd;
  for (let batch = log.cached(end); batch && batch.endOffset > end; batch = log.cached(end))
    end = batch.endOffset;
  return end;
}
