import { Record } from '../log/index.ts';
import { Filter, keyFromText, textFromKey } from './filter.ts';
import type { KeyState } from './key-index.ts';
import { storedMessage, type StoredMessage } from './message.ts';
import type { Partition } from './partition.ts';

/** Offsets looked at in one step backwards. */
const stepOffsets = 512;

/** See {@link Partition.last}. */
export async function lastMessage(partition: Partition, pattern: string): Promise<StoredMessage | undefined> {
  if (!partition.keyIndex) return lastByScan(partition, pattern);
  let best = -1;
  for (const [key, state] of partition.keys(pattern)) {
    if (state.lastStale || !partition.isLive(state.last) || state.last >= partition.stableEnd) {
      const resolved = await resolveLast(partition, keyFromText(key), state);
      if (resolved > best) best = resolved;
    } else if (state.last > best) best = state.last;
  }
  if (best < 0) return undefined;
  return best < partition.stableEnd ? partition.get(best) : lastByScan(partition, pattern);
}

async function lastByScan(partition: Partition, pattern: string): Promise<StoredMessage | undefined> {
  let last: StoredMessage | undefined;
  for await (const record of partition.scan(partition.firstOffset, { patterns: [pattern] })) {
    last = storedMessage(partition.topic.name, partition.index, record);
  }
  return last;
}

/** Finds the last live offset of a key whose last message was removed, by looking backwards batch by batch. */
async function resolveLast(partition: Partition, key: string, state: KeyState): Promise<number> {
  const filter = new Filter([textFromKey(key)]);
  const reader = partition.reader();
  const record = new Record();
  const { last } = state;
  let to = Math.min(last + 1, partition.stableEnd);
  const isAll = to > last;
  while (to > partition.firstOffset) {
    const from = Math.max(partition.firstOffset, to - stepOffsets);
    let found = -1;
    for (let at = from; at < to;) {
      const batch = await partition.batchAt(at);
      if (!batch || batch.baseOffset >= to) break;
      reader.reset(batch, at);
      while (reader.next(record) && record.offset < to) {
        if (partition.isLive(record.offset) && filter.matchesRecord(record)) found = record.offset;
      }
      at = batch.endOffset;
    }
    if (found >= 0) {
      if (isAll && state.last === last) {
        state.last = found;
        state.lastStale = false;
      }
      return found;
    }
    to = from;
  }
  return -1;
}
