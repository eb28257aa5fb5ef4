import type { Partition, Topic } from '../../broker/index.ts';

/** Messages of one topic that are dropped one by one in one evaluation; more wait for the next. */
const droppedMax = 10_000;

/** Which messages may be dropped: those beyond `keep` of a topic, of a lower priority than this. */
interface Droppable {
  readonly keep: number;
  readonly belowPriority: number;
}

/**
 * Drops messages of a topic, spread evenly over its partitions: the lowest priority first, and of one
 * priority the oldest. Resolves, when that is durable, to their number.
 */
export async function dropFrom(topic: Topic, { keep, belowPriority }: Droppable): Promise<number> {
  const keepEach = Math.ceil(keep / topic.partitions.length);
  let dropped = 0;
  for (const partition of topic.partitions.opened.slice()) {
    const excess = partition.durableCount - keepEach;
    if (excess <= 0) continue;
    if (!partition.hasLevels) dropped += await partition.purge({ keep: keepEach });
    else dropped += await dropEach(partition, Math.min(excess, droppedMax), belowPriority);
  }
  return dropped;
}

async function dropEach(partition: Partition, count: number, belowPriority: number): Promise<number> {
  const drops: Promise<boolean>[] = [];
  for (const [from, to] of partition.lowest(count).runs())
    for (let offset = from; offset < Math.min(to, partition.durableEnd); offset++)
      if ((partition.levels?.of(offset) ?? 0) < belowPriority) drops.push(partition.delete(offset));
  return (await Promise.all(drops)).filter(Boolean).length;
}
