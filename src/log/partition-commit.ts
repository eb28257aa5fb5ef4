import type { Batch } from './batch.ts';
import type { PartitionState } from './partition-state.ts';

/**
 * The committer's part of a partition: batches and trims that are sealed with a commit, and durable with it.
 */
export class PartitionCommit {
  /** The seal in which the partition was last touched, noted by the committer. */
  touchedIn = -1;
  readonly #state: PartitionState;
  readonly #sealed: Batch[] = [];

  constructor(state: PartitionState) {
    this.#state = state;
  }

  /** Assigns the trims so far to the commit being sealed. */
  sealTrim(): void {
    this.#state.trimSealed = this.#state.trim;
  }

  trimDurable(): void {
    this.#state.trimDurable = this.#state.trimSealed;
    this.#state.dropTrimmed();
  }

  /** Adds a batch of the commit being sealed, with memory of its own. */
  sealed(batch: Batch): void {
    this.#sealed.push(batch);
  }

  /** Makes the sealed batches durable. */
  sealedDurable(): void {
    if (this.#state.deleted) this.#sealed.length = 0;
    for (const batch of this.#sealed) {
      this.#state.recent.add(batch);
      this.#state.durableEnd = batch.endOffset;
    }
    this.#sealed.length = 0;
    this.#state.dropTrimmed();
  }
}
