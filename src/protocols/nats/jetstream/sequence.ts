import type { Partition, Topic } from '../../../broker/index.ts';

/**
 * A stream sequence identifies a message of a stream by one number. In partition 0 it is offset + 1; streams
 * that NATS clients create have no other partition. In a topic with more partitions (of other protocols),
 * partition p counts from p × 2^40, so that sequences stay unique and keep their meaning when partitions are
 * added.
 */
const partitionStride = 2 ** 40;

export function sequenceOf(partition: number, offset: number): number {
  return partition * partitionStride + offset + 1;
}

export function partitionOfSequence(sequence: number): number {
  return sequence <= partitionStride ? 0 : Math.floor((sequence - 1) / partitionStride);
}

export function offsetOfSequence(sequence: number): number {
  return sequence <= partitionStride ? sequence - 1 : (sequence - 1) % partitionStride;
}

/** The partition and offset of a sequence; undefined if the topic has no such partition. */
export function locate(topic: Topic, sequence: number): { partition: Partition; offset: number } | undefined {
  const partition = topic.partitions.at(partitionOfSequence(sequence));
  return partition && { partition, offset: offsetOfSequence(sequence) };
}
