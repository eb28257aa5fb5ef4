import type { Record } from '../../log/index.ts';
import { KeyReader } from '../partitions/filter.ts';
import type { KeyState } from '../partitions/key-index.ts';
import type { Partition } from '../partitions/partition.ts';
import type { WayOut } from './way-out.ts';
import type { TopicConfig } from '../topics/topic-config.ts';

/**
 * Size retention keeps a partition within its topic's limits of count, bytes and messages per key. It drops
 * the oldest messages, in a topic with priorities those of the lowest level first.
 *
 * Limits apply per partition. Bytes are the partition's estimate (see docs/decisions/0003).
 */
export class SizeRetention {
  readonly #keyReader = new KeyReader();
  readonly #leaving: WayOut;

  constructor(leaving: WayOut) {
    this.#leaving = leaving;
  }

  /** Called when a record was appended: drops messages beyond the limits. */
  appended(partition: Partition, record: Record, config: TopicConfig): void {
    this.appendedOfKey(partition, record, config);
    this.appendedAny(partition, config);
  }

  /** Drops messages of the record's key beyond the limit per key. */
  appendedOfKey(partition: Partition, record: Record, config: TopicConfig): void {
    const perKeyMax = config.compaction ? 1 : perKeyMaxOf(config);
    if (perKeyMax !== undefined)
      this.#keepPerKey(partition, record, perKeyMax, config.messagesPerKeyMax === undefined);
  }

  /**
   * Drops messages beyond the limits of the whole partition: at once, or as soon as they are read for their
   * dead letters.
   */
  appendedAny(partition: Partition, config: TopicConfig): void {
    const { messagesMax, bytesMax, overflow } = config;
    if (overflow !== 'drop-oldest' || (messagesMax === undefined && bytesMax === undefined)) return;
    const leaving = this.#leaving;
    if (leaving.becomesLetter('overflow')) {
      if (partition.count > (messagesMax ?? Infinity) || partition.bytes > (bytesMax ?? Infinity))
        leaving.moveExcess(partition);
      return;
    }
    if (partition.hasLevels) return this.#dropLowest(partition, config);
    if (messagesMax !== undefined && partition.count > messagesMax)
      leaving.counts.overflow += partition.trim(partition.offsetOfLast(messagesMax));
    if (bytesMax === undefined) return;
    for (
      let count = countBeyondBytes(partition, bytesMax);
      count > 0;
      count = countBeyondBytes(partition, bytesMax)
    )
      leaving.counts.overflow += partition.trim(partition.offsetOfLast(partition.count - count));
  }

  #dropLowest(partition: Partition, config: TopicConfig): void {
    for (let excess = excessOf(partition, config); excess; excess = excessOf(partition, config))
      for (const [from, to] of partition.lowest(excess.count).runs())
        for (let offset = from; offset < to; offset++)
          if (partition.remove(offset)) this.#leaving.counts.overflow++;
  }

  /**
   * Applies the limits per key to all keys. Messages of an open transaction do not displace others, because
   * it may abort. Returns false if there is such a transaction: then the keys are to be checked again after
   * it.
   */
  checkKeys(partition: Partition, config: TopicConfig): boolean {
    const perKeyMax = config.compaction ? 1 : perKeyMaxOf(config);
    const { keyIndex, undecidedFrom } = partition;
    if (perKeyMax === undefined || !keyIndex) return true;
    const keepsKeyless = config.messagesPerKeyMax === undefined;
    for (const [key, state] of keyIndex.entries()) {
      if (keepsKeyless && key === '') continue;
      partition.accounting.accountKey(key);
      if (!state.offsets) this.#dropOfKey(partition, key, state, perKeyMax);
      else {
        // Only a decided message displaces another.
        const excess = state.offsets.filter(
          (_, at, offsets) => (offsets[at + perKeyMax] ?? Infinity) < undecidedFrom,
        );
        for (const offset of excess) this.#drop(partition, key, offset);
      }
    }
    return undecidedFrom === partition.nextOffset;
  }

  #keepPerKey(partition: Partition, record: Record, perKeyMax: number, keepsKeyless: boolean): void {
    const key = this.#keyReader.read(record);
    if (keepsKeyless && key === '') return;
    partition.accounting.accountKey(key);
    // A topic that is being changed to a compacted one has no index yet.
    const state = partition.keyIndex?.get(key);
    if (state) this.#dropOfKey(partition, key, state, perKeyMax);
  }

  /** Drops the oldest messages of a key, but never its last. */
  #dropOfKey(partition: Partition, key: string, state: KeyState, countMax: number): void {
    if (state.count > countMax && state.offsets && this.#leaving.becomesLetter('overflow')) {
      const excess = Math.min(state.count - countMax, state.offsets.length - 1);
      for (let at = 0; at < excess; at++) this.#leaving.moveOfKey(partition, state.offsets[at]!);
      return;
    }
    for (let excess = state.count - countMax; excess > 0 && state.first < state.last; excess--)
      if (!this.#drop(partition, key, state.first)) return;
  }

  #drop(partition: Partition, key: string, offset: number): boolean {
    if (this.#leaving.becomesLetter('overflow')) this.#leaving.moveOfKey(partition, offset);
    else if (!partition.removeOfKey(key, offset)) return false;
    else this.#leaving.counts.overflow++;
    return true;
  }
}

/**
 * If publishes beyond the limit are refused, nothing is dropped. Messages that bypass admission (delayed,
 * redriven) stay too.
 */
function perKeyMaxOf({ messagesPerKeyMax, overflowPerKey }: TopicConfig): number | undefined {
  return overflowPerKey === 'drop-oldest' ? messagesPerKeyMax : undefined;
}

/**
 * The number of messages by which a partition is beyond a limit of its topic; afterwards there may be more.
 */
export function excessOf(
  partition: Partition,
  { messagesMax, bytesMax, overflow }: TopicConfig,
): { readonly count: number; readonly reason: string } | undefined {
  if (overflow !== 'drop-oldest') return undefined;
  if (messagesMax !== undefined && partition.count > messagesMax)
    return { count: partition.count - messagesMax, reason: 'messagesMax' };
  const count = bytesMax === undefined ? 0 : countBeyondBytes(partition, bytesMax);
  return count === 0 ? undefined : { count, reason: 'bytesMax' };
}

/** How many messages to remove, by estimated bytes. The last message always stays. */
function countBeyondBytes(partition: Partition, bytesMax: number): number {
  const { bytes, count } = partition;
  if (bytes <= bytesMax || count <= 1) return 0;
  const bytesPerMessage = Math.max(1, bytes / count);
  return Math.min(count - 1, Math.ceil((bytes - bytesMax) / bytesPerMessage));
}
