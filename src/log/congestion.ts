import type { Clock } from '../util/index.ts';

/** Congestion tells publishers to pause, and tells them when it is over. */
export class Congestion {
  readonly #clock: Clock;
  readonly #isCongested: () => boolean;
  readonly #relieved: () => void;
  /** A publisher was told of the congestion, but not yet of its end. */
  #wasSaid = false;
  #isAsking = false;

  constructor(clock: Clock, isCongested: () => boolean, relieved: () => void) {
    this.#clock = clock;
    this.#isCongested = isCongested;
    this.#relieved = relieved;
  }

  /** Whether there is congestion. After a `true` the caller will be told when it ends. */
  get isSaid(): boolean {
    const isCongested = this.#isCongested();
    if (isCongested) this.#wasSaid = true;
    return isCongested;
  }

  /**
   * Called after a commit, a flush, or when the disk has room again. Checks after the current work, and tells
   * if the congestion is over.
   */
  mayHaveEnded(): void {
    if (!this.#wasSaid || this.#isAsking) return;
    this.#isAsking = true;
    this.#clock.defer(() => {
      this.#isAsking = false;
      if (!this.#wasSaid || this.isSaid) return;
      this.#wasSaid = false;
      this.#relieved();
    });
  }
}
