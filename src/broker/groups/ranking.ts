import type { Partition } from '../partitions/partition.ts';

/** A topic, as the ranking of its messages sees it. */
interface RankedTopic {
  readonly config: { readonly ageingMs?: number };
  /** When a message came, in steady time, or its own time: what its age counts from. */
  arrivedMs(partition: Partition, offset: number, timestampMs: number): number;
}

/** A message that waits to be delivered again. */
interface Waiting {
  readonly offset: number;
  readonly level: number;
  /** Undefined if the message was not read since the last restart. */
  readonly timestampMs: number | undefined;
}

/**
 * The ranking of a partition's messages says which of two goes first: the one of the higher rank. The rank is
 * the level of the priority. In a topic with ageing, levels rise with the time that a message waits:
 *
 * ```
 *   level + waited / ageingMs
 * ```
 * All messages rise alike, so the order of two of them never changes. Ranks are therefore compared without
 * the time of now, as `level * ageingMs - arrivedMs`.
 */
export class Ranking {
  readonly #topic: RankedTopic;
  readonly #partition: Partition;

  constructor(topic: RankedTopic, partition: Partition) {
    this.#topic = topic;
    this.#partition = partition;
  }

  /** Whether waiting raises the rank of a message. */
  get isAgeing(): boolean {
    return this.#topic.config.ageingMs !== undefined;
  }

  of(level: number, offset: number, timestampMs: number): number {
    const { ageingMs } = this.#topic.config;
    if (ageingMs === undefined) return level;
    return level * ageingMs - this.#topic.arrivedMs(this.#partition, offset, timestampMs);
  }

  /** Infinity for a message that must be read first. */
  ofWaiting({ level, offset, timestampMs }: Waiting): number {
    if (!this.isAgeing) return level;
    return timestampMs === undefined ? Infinity : this.of(level, offset, timestampMs);
  }
}
