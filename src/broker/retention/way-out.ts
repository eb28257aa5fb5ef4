import type { Batch } from '../../log/index.ts';
import type { Partition } from '../partitions/partition.ts';

/** The causes for which messages leave their topic without an answer from a group. */
export type LeavingCause = 'overflow' | 'expired' | 'removed';

/**
 * The way out of a topic for messages that its limits drop or that are removed on request. It counts them,
 * and makes them dead letters if the topic's policy covers the cause.
 *
 * If {@link becomesLetter} is false, retention removes the messages itself and counts them. Otherwise they
 * have to be read first, and are moved here.
 */
export interface WayOut {
  /** Messages that have left, by cause. */
  readonly counts: { -readonly [C in LeavingCause]: number };
  becomesLetter(cause: LeavingCause): boolean;
  /**
   * Whether messages that leave for that cause are read first: for dead letters, or for markers of their
   * keys.
   */
  isRead(cause: LeavingCause): boolean;
  /** Called when the partition is beyond a limit: removes the oldest messages. */
  moveExcess(partition: Partition): void;
  /** Called when a limit per key is to remove this message. */
  moveOfKey(partition: Partition, offset: number): void;
  /**
   * Moves the messages in the batch at the head of the partition, up to `below`, as many as fit in one turn.
   * Returns the number of removed messages.
   */
  moveHead(partition: Partition, batch: Batch, below: number, cause: LeavingCause, reason: string): number;
  /** Removes these messages; resolves to the number of removed messages. */
  remove(partition: Partition, offsets: Iterable<number>, reason: string): Promise<number>;
  /** Removes messages whose time is over, for this reason; resolves to the number of removed messages. */
  expire(partition: Partition, offsets: readonly number[], reason: string): Promise<number>;
  /** Removes all messages below an offset; resolves to the number of removed messages. */
  removeBelow(partition: Partition, below: number, reason: string): Promise<number>;
}
