import { Runs } from '../partitions/runs.ts';

/** The changes of one group on one partition since the last commit. */
export class GroupChanges {
  /** Offsets that became pending with one delivery. */
  readonly entered: Runs = new Runs();
  /** Offsets that are done. */
  readonly done: Runs = new Runs();
  /**
   * Pending offsets with another number of deliveries than the runs imply: pairs of offset and deliveries.
   */
  readonly deliveries: number[] = [];
  /** Pending offsets that a consumer gave back: pairs of offset and count. */
  readonly released: number[] = [];

  /**
   * Pending offsets with a deadline of their own, other than the group's wait counted from their delivery.
   */
  readonly waits: Set<number> = new Set();

  get isEmpty(): boolean {
    return this.done.isEmpty && this.released.length === 0 && !this.startsWaits;
  }

  /** Whether deadlines have begun or were moved. */
  get startsWaits(): boolean {
    return !this.entered.isEmpty || this.deliveries.length > 0 || this.waits.size > 0;
  }

  clear(): void {
    this.entered.clear();
    this.done.clear();
    this.deliveries.length = 0;
    this.released.length = 0;
    this.waits.clear();
  }
}
