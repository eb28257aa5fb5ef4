import type { Partition, Topic } from '../../broker/index.ts';
import { ErrorCode } from '../../wire/kafka/index.ts';

/** The only leader epoch: there is one broker, and it never loses data. */
export const leaderEpoch = 0;

/** The first offset that Kafka clients can read. Clients do not see messages that are not durable yet. */
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

/** Isolation level of readers that want committed messages only. */
export const readCommitted = 1;

/** One past the last offset that a reader of this isolation level gets. */
export function readableEnd(partition: Partition, isolationLevel: number): number {
  return isolationLevel === readCommitted ? lastStableOffset(partition) : highWatermark(partition);
}

/**
 * Whether messages below the first offset were removed because they were handled or superseded, and not
 * because of a limit. If so, a reader continues at the first offset.
 */
export function passesOverRemoved({ config }: Topic): boolean {
  return config.retention !== 'limits' || config.compaction;
}

/** The error if a client expects a later leader epoch than this broker's; a client without one sends -1. */
export function leaderEpochError(epoch: number): ErrorCode {
  return epoch > leaderEpoch ? ErrorCode.UNKNOWN_LEADER_EPOCH : ErrorCode.NONE;
}
