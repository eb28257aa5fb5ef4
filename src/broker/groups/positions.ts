import { ByIndex } from '../by-index.ts';
import type { GroupPartition } from './group-partition.ts';

/** The partitions of the group's topic. */
interface OpensPartitions {
  /** Opens the partition if necessary; undefined if the topic has no partition of that index. */
  at(index: number): unknown;
}

/**
 * A group's positions on the opened partitions. On any other partition the group is at the start of an empty
 * log, and there is no object for that.
 */
export class Positions {
  readonly #partitions: OpensPartitions;
  readonly #opened = new ByIndex<GroupPartition>();

  constructor(partitions: OpensPartitions) {
    this.#partitions = partitions;
  }

  /** Do not iterate over this list across an await: it changes. */
  get opened(): readonly GroupPartition[] {
    return this.#opened.items;
  }

  /**
   * The position on a partition, which is opened if necessary; undefined if the topic has no partition of
   * that index.
   */
  at(index: number): GroupPartition | undefined {
    const position = this.#opened.get(index);
    if (position !== undefined) return position;
    // Opening a partition gives each group of the topic a position on it.
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
