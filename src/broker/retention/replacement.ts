import type { Partition } from '../partitions/partition.ts';
import type { WayOut } from './way-out.ts';

/** Removes what came before a message that replaces all of its topic. */
export function replaceAll(leaving: WayOut, partition: Partition, offset: number): void {
  // Interrupted by a crash, the rest stays until the next such publish.
  if (leaving.becomesLetter('removed'))
    leaving.removeBelow(partition, offset, 'replaced').catch(() => undefined);
  else leaving.counts.removed += partition.trim(offset);
}

/** The same for one that replaces the messages of its key. */
export function replaceKey(leaving: WayOut, partition: Partition, key: string, offset: number): void {
  const state = partition.keyIndex?.get(key);
  if (!state?.offsets) {
    // The older ones stay until the next such publish.
    purgeKeyBefore(partition, key, offset).catch(() => undefined);
    return;
  }
  const older = state.offsets.filter((at) => at < offset);
  if (leaving.becomesLetter('removed')) leaving.remove(partition, older, 'replaced').catch(() => undefined); // as above
  else for (const at of older) if (partition.removeOfKey(key, at)) leaving.counts.removed++;
}

async function purgeKeyBefore(partition: Partition, key: string, offset: number): Promise<void> {
  await partition.purge({ pattern: Buffer.from(key, 'latin1').toString('utf8'), before: offset });
}
