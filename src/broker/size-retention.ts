import type { Record } from '../log/index.ts';
import { KeyReader } from './filter.ts';
import type { KeyState } from './key-index.ts';
import type { Partition } from './partition.ts';
import type { TopicConfig } from './topic-config.ts';

/**
 * Size retention keeps a partition within its topic's limits of count, bytes and messages per key, by dropping the oldest.
 *
 * Limits hold per partition. Bytes are the partition's estimate (see docs/decisions/0003).
 */
export class SizeRetention {
  readonly #keyReader = new KeyReader();

  /** A record was appended: what it pushes out goes. */
  appended(partition: Partition, record: Record, config: TopicConfig): void {
    this.appendedOfKey(partition, record, config);
    this.appendedAny(partition, config);
  }

  /** What the record pushes out of its key's messages goes. */
  appendedOfKey(partition: Partition, record: Record, config: TopicConfig): void {
    const perKeyMax = config.compaction ? 1 : perKeyMaxOf(config);
    if (perKeyMax !== undefined)
      this.#keepPerKey(partition, record, perKeyMax, config.messagesPerKeyMax === undefined);
  }

  /** What is beyond the limits of the whole partition goes. */
  appendedAny(partition: Partition, config: TopicConfig): void {
    const { messagesMax, bytesMax, overflow } = config;
    if (overflow !== 'drop-oldest') return;
    if (messagesMax !== undefined && partition.count > messagesMax) keepLast(partition, messagesMax);
    if (bytesMax !== undefined) keepBytes(partition, bytesMax);
  }

  /** Limits that became tighter take hold at once. */
  check(partition: Partition, config: TopicConfig): void {
    const { messagesMax, bytesMax, overflow } = config;
    if (overflow !== 'drop-oldest') return;
    if (messagesMax !== undefined) keepLast(partition, messagesMax);
    if (bytesMax !== undefined) keepBytes(partition, bytesMax);
  }

  /**
   * Limits per key hold for every key. What an open transaction has written pushes nothing out, since it may come to nothing: false if there is
   * such a transaction, and then the keys are to be checked again after it.
   */
  checkKeys(partition: Partition, config: TopicConfig): boolean {
    const perKeyMax = config.compaction ? 1 : perKeyMaxOf(config);
    const { keyIndex, undecidedFrom } = partition;
    if (perKeyMax === undefined || !keyIndex) return true;
    const keepsKeyless = config.messagesPerKeyMax === undefined;
    for (const [key, state] of keyIndex.entries()) {
      if (keepsKeyless && key === '') continue;
      partition.accounting.accountKey(key);
      if (!state.offsets) dropOfKey(partition, key, state, perKeyMax);
      // The one that takes its place is decided.
      else
        while ((state.offsets[perKeyMax] ?? Infinity) < undecidedFrom)
          if (!partition.removeOfKey(key, state.offsets[0]!)) break;
    }
    return undecidedFrom === partition.nextOffset;
  }

  #keepPerKey(partition: Partition, record: Record, perKeyMax: number, keepsKeyless: boolean): void {
    const key = this.#keyReader.read(record);
    if (keepsKeyless && key === '') return;
    partition.accounting.accountKey(key);
    const state = partition.keyIndex?.get(key); // of a topic that is becoming a compacted one there is none yet
    if (state) dropOfKey(partition, key, state, perKeyMax);
  }
}

/** Where publishes beyond the limit are refused, nothing is dropped for it: what comes past admission (delayed, redriven) stays too. */
function perKeyMaxOf({ messagesPerKeyMax, overflowPerKey }: TopicConfig): number | undefined {
  return overflowPerKey === 'drop-oldest' ? messagesPerKeyMax : undefined;
}

/** Drops the oldest of a key, but never its last. */
function dropOfKey(partition: Partition, key: string, state: KeyState, countMax: number): void {
  for (let excess = state.count - countMax; excess > 0 && state.first < state.last; excess--) {
    if (!partition.removeOfKey(key, state.first)) return;
  }
}

function keepLast(partition: Partition, count: number): void {
  partition.trim(partition.offsetOfLast(count));
}

function keepBytes(partition: Partition, bytesMax: number): void {
  for (
    let excess = partition.bytes - bytesMax;
    excess > 0 && partition.count > 1;
    excess = partition.bytes - bytesMax
  ) {
    const bytesPerMessage = Math.max(1, partition.bytes / partition.count);
    keepLast(partition, Math.max(1, partition.count - Math.ceil(excess / bytesPerMessage)));
  }
}
