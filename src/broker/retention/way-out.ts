import type { Batch } from '../../log/index.ts';
import type { Partition } from '../partitions/partition.ts';

/** Why a message leaves its topic without an answer of a group. */
export type LeavingCause = 'overflow' | 'expired' | 'removed';

/**
 * The way out of a topic for what its limits drop and what is removed on request. It counts what leaves, and
 * makes dead letters of it where the topic's policy covers the cause.
 *
 * Where {@link becomesLetter} is false, retention removes by itself and counts what it removed. Else the
 * messages have to be read first, and are moved here.
 */
export interface WayOut {
  /** Messages that left, by cause. */
  readonly counts: { -readonly [C in LeavingCause]: number };
  becomesLetter(cause: LeavingCause): boolean;
  /** The partition is beyond a limit: the oldest go. */
  moveExcess(partition: Partition): void;
  /** A limit per key pushes this message out. */
  moveOfKey(partition: Partition, offset: number): void;
  /** Moves what stands in the batch at the head of the partition, up to `below`: as much as one turn takes. */
  moveHead(partition: Partition, batch: Batch, below: number, cause: LeavingCause, reason: string): number;
  /** Removes these messages; resolves to how many. */
  remove(partition: Partition, offsets: Iterable<number>, reason: string): Promise<number>;
  /** Removes everything below an offset; resolves to how many messages. */
  removeBelow(partition: Partition, below: number, reason: string): Promise<number>;
}
