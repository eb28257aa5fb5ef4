import type { Clock } from '../util/index.ts';

/** Congestion is the word to publishers to pause, and the word that they may go on once it is over. */
export class Congestion {
  readonly #clock: Clock;
  readonly #isCongested: () => boolean;
  readonly #relieved: () => void;
  /** A publisher was told of it, and not yet that it is over. */
  #wasSaid = false;
  #isAsking = false;

  constructor(clock: Clock, isCongested: () => boolean, relieved: () => void) {
    this.#clock = clock;
    this.#isCongested = isCongested;
    this.#relieved = relieved;
  }

  /** Whether there is congestion; asking obliges to tell the end of it. */
  get isSaid(): boolean {
    const isCongested = this.#isCongested();
    if (isCongested) this.#wasSaid = true;
    return isCongested;
  }

  /** After a commit, a flush, or room on the disk: looks, behind what runs now, and tells. */
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
