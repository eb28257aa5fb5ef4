import type { Group, Partition, Topic } from '../../broker/index.ts';

/**
 * The time limit of a search for the oldest message of a group with a filter, which reads the messages in
 * between.
 */
const searchMs = 200;

interface Known {
  readonly fromOffset: number;
  readonly timestampMs: number | undefined;
}

/**
 * The oldest times are the ages of a topic's first message and of the oldest message that a group has not
 * done yet. The time of the first message has to be read from the message, so it is read once and kept while
 * that message is the first.
 */
export class OldestTimes {
  readonly #ofPartitions = new WeakMap<Partition, Known>();

  /** The age of the topic's oldest message; null if the topic is empty. */
  async topicAgeMs(topic: Topic, nowMs: number): Promise<number | null> {
    let oldestMs = Infinity;
    for (const partition of topic.partitions.opened.slice()) {
      if (partition.count === 0) continue;
      const fromOffset = partition.firstOffset;
      let known = this.#ofPartitions.get(partition);
      if (known?.fromOffset !== fromOffset) {
        known = { fromOffset, timestampMs: await partition.firstTimestampMs() };
        // Undefined if it is not durable yet; then read it again next time.
        if (known.timestampMs !== undefined) this.#ofPartitions.set(partition, known);
      }
      oldestMs = Math.min(oldestMs, known.timestampMs ?? Infinity);
    }
    return oldestMs === Infinity ? null : Math.max(0, nowMs - oldestMs);
  }

  /** The age of the oldest message that the group has not done yet; null if there is none. */
  async groupAgeMs(group: Group): Promise<number | null> {
    return (await group.oldestAgeMs(AbortSignal.timeout(searchMs))) ?? null;
  }
}
