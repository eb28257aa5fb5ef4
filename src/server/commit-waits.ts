import type { Broker } from '../broker/index.ts';
import { SyncTimes } from './sync-times.ts';

/**
 * The commit waits are samples of what a publisher waits for: how long it takes until a change made now is on
 * disk, with the commit before it, its own write, and the callbacks. Nothing is asked of a broker at rest.
 */
export class CommitWaits {
  readonly times: SyncTimes = new SyncTimes();
  readonly #broker: Broker;
  #commits = 0;
  #isAsking = false;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Takes a sample, if there were commits since the last one. */
  sample(): void {
    const { commits } = this.#broker.stats().log;
    const isAtRest = commits === this.#commits;
    this.#commits = commits;
    if (isAtRest || this.#isAsking) return;
    const startMs = performance.now();
    this.#isAsking = true;
    this.#broker.afterCommit(() => {
      this.#isAsking = false;
      this.times.note(performance.now() - startMs);
    });
  }
}
