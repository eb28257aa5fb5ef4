import { SystemClock } from '../../src/util/index.ts';

/**
 * A clock on which a millisecond passes at every read, and that counts deferred calls: time is steps here.
 */
export class SteppedClock extends SystemClock {
  turns = 0;
  #nowMs = 0;

  override monotonic(): number {
    return ++this.#nowMs;
  }

  override defer(callback: () => void): void {
    this.turns++;
    super.defer(callback);
  }
}
