import type { Group, Partition, Topic } from '../../broker/index.ts';

/** Looking for a filtered group's oldest message reads what lies between; it gives up after so long. */
const searchMs = 200;

interface Known {
  readonly fromOffset: number;
  readonly timestampMs: number | undefined;
}

/**
 * The oldest times are those of the first message a topic still holds and of the oldest a group has still to
 * do. To know the first means to read that message, so it is read once and kept for as long as it stays the
 * first.
 */
export class OldestTimes {
  readonly #ofPartitions = new WeakMap<Partition, Known>();

  /** How old the oldest message of the topic is; null when it holds none. */
  async topicAgeMs(topic: Topic, nowMs: number): Promise<number | null> {
    let oldestMs = Infinity;
    for (const partition of topic.partitions.opened.slice()) {
      if (partition.count === 0) continue;
      const fromOffset = partition.firstOffset;
      let known = this.#ofPartitions.get(partition);
      if (known?.fromOffset !== fromOffset) {
        known = { fromOffset, timestampMs: await partition.firstTimestampMs() };
        // Undefined: not durable yet, so look again next time.
        if (known.timestampMs !== undefined) this.#ofPartitions.set(partition, known);
      }
      oldestMs = Math.min(oldestMs, known.timestampMs ?? Infinity);
    }
    return oldestMs === Infinity ? null : Math.max(0, nowMs - oldestMs);
  }

  /** How long the oldest message that the group has not done yet has waited; null when there is none. */
  async groupAgeMs(group: Group): Promise<number | null> {
    return (await group.oldestAgeMs(AbortSignal.timeout(searchMs))) ?? null;
  }
}
