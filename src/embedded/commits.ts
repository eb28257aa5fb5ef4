import type { Broker } from '../broker/index.ts';

/** Callers waiting for their changes to be on disk. When a commit fails, they are told that too. */
export class Commits {
  readonly #broker: Broker;
  readonly #waiting = new Set<(error: Error) => void>();
  #failure: Error | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Resolves to `true` once all changes so far are on disk, or at once to `false` if `counts` is false. */
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
    answer.catch(() => undefined); // callers may ignore the promise
    return answer;
  }

  /** Rejects all waiting calls and all later ones: nothing will be on disk any more. */
  fail(error: Error): void {
    this.#failure = error;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
  }
}
