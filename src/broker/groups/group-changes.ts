import { Runs } from '../partitions/runs.ts';

/** What one group changed on one partition since the last commit. */
export class GroupChanges {
  /** Offsets that became pending, delivered once. */
  readonly entered: Runs = new Runs();
  /** Offsets that are done. */
  readonly done: Runs = new Runs();
  /** Pending offsets whose number of deliveries is not what the runs say: pairs of offset and deliveries. */
  readonly deliveries: number[] = [];
  /** Pending offsets that a consumer gave back: pairs of offset and how often that happened. */
  readonly released: number[] = [];

  /** Pending offsets with a deadline of their own: not the group's wait from their delivery on. */
  readonly waits: Set<number> = new Set();

  get isEmpty(): boolean {
    return this.done.isEmpty && this.released.length === 0 && !this.startsWaits;
  }

  /** Whether deadlines have begun, or were moved. */
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
