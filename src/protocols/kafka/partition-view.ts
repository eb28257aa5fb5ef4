import type { Partition, Topic } from '../../broker/index.ts';
import { ErrorCode } from '../../wire/kafka/index.ts';

/** There is one broker, and it never loses what it has: all is of this epoch. */
export const leaderEpoch = 0;

/** The first offset that Kafka clients can read. What is not durable yet does not exist for them. */
export function logStartOffset(partition: Partition): number {
  return Math.min(partition.startOffset, partition.durableEnd);
}

/** One past the last offset that clients can read. */
export function highWatermark(partition: Partition): number {
  return partition.durableEnd;
}

/** One past the last offset below which every transaction is decided. */
export function lastStableOffset(partition: Partition): number {
  return partition.stableEnd;
}

/** Isolation level of who wants committed messages only. */
export const readCommitted = 1;

/** One past the last offset that a reader of this isolation level gets. */
export function readableEnd(partition: Partition, isolationLevel: number): number {
  return isolationLevel === readCommitted ? lastStableOffset(partition) : highWatermark(partition);
}

/**
 * Whether messages below the first offset went because they were handled or superseded, so that a reader goes
 * on behind them, and not because of a limit.
 */
export function passesOverRemoved({ config }: Topic): boolean {
  return config.retention !== 'limits' || config.compaction;
}

/** What is wrong with the leader epoch that a client believes in; -1 is none. */
export function leaderEpochError(epoch: number): ErrorCode {
  return epoch > leaderEpoch ? ErrorCode.UNKNOWN_LEADER_EPOCH : ErrorCode.NONE;
}
