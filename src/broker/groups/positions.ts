import { ByIndex } from '../by-index.ts';
import type { GroupPartition } from './group-partition.ts';

/** The partitions of the group's topic. */
interface OpensPartitions {
  /** Opens the partition if it was not; undefined when the topic has none of that index. */
  at(index: number): unknown;
}

/**
 * A group's positions on the partitions that are opened; on any other it stands at the start of an empty log,
 * and has no object for that.
 */
export class Positions {
  readonly #partitions: OpensPartitions;
  readonly #opened = new ByIndex<GroupPartition>();

  constructor(partitions: OpensPartitions) {
    this.#partitions = partitions;
  }

  /** The list changes under a loop that awaits. */
  get opened(): readonly GroupPartition[] {
    return this.#opened.items;
  }

  /** The position on a partition, which is opened for it; undefined when the topic has none of that index. */
  at(index: number): GroupPartition | undefined {
    const position = this.#opened.get(index);
    if (position !== undefined) return position;
    // To open the partition is to give each group of the topic a position on it.
    return this.#partitions.at(index) === undefined ? undefined : this.#opened.get(index);
  }

  /** The position, if its partition is opened. */
  ifOpened(index: number): GroupPartition | undefined {
    return this.#opened.get(index);
  }

  add(position: GroupPartition): void {
    this.#opened.add(position.partition.index, position);
  }
}
