import { Task, type Hall, type TurnTaker } from '../protocols/index.ts';

/**
 * A round looks at every topic and group of the broker. Rounds are taken again and again, in turns with all
 * other work; one that is due while the last of its kind goes on is left out.
 */
export class Rounds {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #task: Task;
  #isStopped = false;

  constructor({ turns }: Pick<Hall, 'turns'>) {
    this.#task = new Task(turns, () => this.#isStopped);
  }

  every(ms: number, round: (taker: TurnTaker) => Promise<void>, onError: (error: unknown) => void): void {
    let isRunning = false;
    const timer = setInterval(() => {
      if (isRunning) return;
      isRunning = true;
      round(this.#task)
        .catch((error: unknown) => {
          if (!this.#isStopped) onError(error);
        })
        .finally(() => (isRunning = false));
    }, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  /** No round begins any more, and those that go on end with their turn. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
  }
}
