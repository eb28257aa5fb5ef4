import { BrokerError } from '../errors.ts';
import { Filter } from '../partitions/filter.ts';
import type { Partition, PurgeOptions } from '../partitions/partition.ts';
import type { WayOut } from './way-out.ts';

/** The services that the topic offers to a purge. */
export interface PurgeHost {
  readonly leaving: WayOut;
  readonly committed: () => Promise<void>;
  /** Removes delayed messages: all, or those whose keys match the filter. Resolves to their number. */
  readonly undelay: (filter?: Filter) => number | Promise<number>;
}

/**
 * See {@link Partition.purge}. Delayed messages count as behind all others: a purge up to an offset, or of
 * all but the last messages, does not reach them.
 */
export async function purge(
  partition: Partition,
  { pattern, before, keep }: PurgeOptions,
  { leaving, committed, undelay }: PurgeHost,
): Promise<number> {
  if (before !== undefined && keep !== undefined) {
    throw new BrokerError('not-allowed', 'A purge takes "before" or "keep", not both.', {
      topic: partition.topic.name,
    });
  }
  await committed(); // then all messages so far are durable, and a scan sees them
  const end = Math.min(before ?? partition.nextOffset, partition.nextOffset);
  const takesDelayed = before === undefined && keep === undefined;
  const isRead = leaving.becomesLetter('removed');
  let removed = 0;
  if (pattern === undefined || pattern === '>') {
    const below = keep === undefined ? end : partition.offsetOfLast(keep);
    if (isRead) removed = await leaving.removeBelow(partition, below, 'purged');
    else leaving.counts.removed += removed = partition.trim(below);
    if (takesDelayed) removed += await undelay();
  } else {
    const offsets: number[] = [];
    for await (const record of partition.scan(partition.firstOffset, { patterns: [pattern], toOffset: end }))
      offsets.push(record.offset);
    if (keep !== undefined) offsets.length = Math.max(0, offsets.length - keep);
    if (isRead) removed = await leaving.remove(partition, offsets, 'purged');
    else {
      for (const offset of offsets) if (partition.remove(offset)) removed++;
      leaving.counts.removed += removed;
    }
    if (takesDelayed) removed += await undelay(new Filter([pattern]));
  }
  await committed();
  await partition.accounting.run();
  return removed;
}
