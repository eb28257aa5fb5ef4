import { Queue } from '../util/index.ts';
import { ClientError, closedError } from './errors.ts';

/** A publish that waits for its turn. */
interface Waiting {
  readonly begin: () => void;
  readonly refuse: (reason: unknown) => void;
  isOver: boolean;
}

/**
 * The window bounds how many publishes are under way to the target. Further ones wait in their order, so that
 * an outage holds a bounded number of messages in memory; beyond that they are refused.
 */
export class PublishWindow {
  readonly #unackedMax: number;
  readonly #waitingMax: number;
  readonly #waiting = new Queue<Waiting>();
  #unacked = 0;
  #whenIdle: (() => void)[] = [];
  #isClosed = false;

  constructor(unackedMax: number, waitingMax: number) {
    this.#unackedMax = unackedMax;
    this.#waitingMax = waitingMax;
  }

  /** Runs a publish when there is room. */
  run<P>(publish: () => Promise<P>, signal?: AbortSignal): Promise<P> {
    if (this.#isClosed) return Promise.reject(closedError('The client'));
    if (this.#unacked < this.#unackedMax) return this.#start(publish);
    if (this.#waiting.size >= this.#waitingMax)
      return Promise.reject(
        new ClientError(
          'buffer-full',
          `${this.#unacked} publishes are not confirmed, and ${this.#waitingMax} wait already. Await some of the promises of publish().`,
        ),
      );
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        begin: () => {
          signal?.removeEventListener('abort', onAbort);
          this.#start(publish).then(resolve, reject);
        },
        refuse: reject,
        isOver: false,
      };
      const onAbort = (): void => {
        entry.isOver = true;
        reject(signal!.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(entry);
    });
  }

  /** Takes no more publishes, and resolves once none is under way or waits. */
  async drain(): Promise<void> {
    this.#isClosed = true;
    if (this.#unacked > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Refuses those that wait. */
  refuseWaiting(reason: unknown): void {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift())
      if (!next.isOver) next.refuse(reason);
  }

  async #start<P>(publish: () => Promise<P>): Promise<P> {
    this.#unacked += 1;
    try {
      return await publish();
    } finally {
      this.#unacked -= 1;
      this.#next();
    }
  }

  #next(): void {
    let next = this.#waiting.shift();
    while (next?.isOver === true) next = this.#waiting.shift();
    if (next) return next.begin();
    if (this.#unacked > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
