import type { Partition } from '../partitions/partition.ts';
import type { WayOut } from './way-out.ts';

/** Removes all messages before one that replaces the content of its topic. */
export function replaceAll(leaving: WayOut, partition: Partition, offset: number): void {
  // If a crash interrupts it, the rest stays until the next such publish.
  if (leaving.becomesLetter('removed'))
    leaving.removeBelow(partition, offset, 'replaced').catch(() => undefined);
  else leaving.counts.removed += partition.trim(offset);
}

/** Removes earlier messages of the key, for a message that replaces them. */
export function replaceKey(leaving: WayOut, partition: Partition, key: string, offset: number): void {
  const state = partition.keyIndex?.get(key);
  if (!state?.offsets) {
    // If this fails, the older ones stay until the next such publish.
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
