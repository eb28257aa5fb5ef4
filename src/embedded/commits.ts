import type { Broker } from '../broker/index.ts';

/** Those who wait for what they did to be on disk. They hear it when that fails, too. */
export class Commits {
  readonly #broker: Broker;
  readonly #waiting = new Set<(error: Error) => void>();
  #failure: Error | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** `true` once everything done so far is on disk; `false` at once. */
  answerOf(counts: boolean): Promise<boolean> {
    if (!counts) return Promise.resolve(false);
    const answer = new Promise<boolean>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.add(reject);
      this.#broker.afterCommit(() => {
        this.#waiting.delete(reject);
        resolve(true);
      });
    });
    answer.catch(() => undefined); // whoever does not wait for it does not want to hear it either
    return answer;
  }

  /** Nothing will be on disk any more. */
  fail(error: Error): void {
    this.#failure = error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}
