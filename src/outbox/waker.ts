import type { Listening, SqlDatabase } from '../databases/index.ts';

/** A time to wait for a notice that came, or comes. */
export interface Notice {
  /** Resolves at the notice, or after so many milliseconds. */
  within(ms: number): Promise<void>;
}

/** The time between two tries to listen. */
const listenAgainMs = 5_000;

/** A waker wakes one relay: in the process, or by LISTEN where the client can. */
export class Waker {
  readonly #database: SqlDatabase<unknown> | undefined;
  readonly #channel: string;
  readonly #onClose: () => void;
  #wake: () => void = () => undefined;
  #listening: Listening | undefined;
  #isLost = true;
  #retryAtMs = 0;

  /** Without a database it does not listen. */
  constructor(database: SqlDatabase<unknown> | undefined, channel: string, onClose: () => void) {
    this.#database = database;
    this.#channel = channel;
    this.#onClose = onClose;
  }

  wake(): void {
    this.#wake();
  }

  /** Notices from now on. A notice that comes before the wait begins is not lost. */
  next(): Notice {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const noticed = new Promise<void>((resolve) => (this.#wake = resolve));
    return {
      within: async (ms) => {
        const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
        await Promise.race([noticed, over]);
        clearTimeout(timer);
      },
    };
  }

  /**
   * Begins to listen, if the client can, and again after the connection was lost. If that fails, the relay
   * polls, and this is tried again later.
   */
  async listen(onError: (error: unknown) => void): Promise<void> {
    const nowMs = performance.now();
    if (!this.#isLost || !this.#database?.listen || nowMs < this.#retryAtMs) return;
    this.#isLost = false;
    this.#retryAtMs = nowMs + listenAgainMs;
    const lost = (): void => void (this.#isLost = true);
    try {
      this.#listening = await this.#database.listen(this.#channel, () => this.wake(), lost);
    } catch (error) {
      lost();
      onError(error);
    }
  }

  async close(): Promise<void> {
    this.#onClose();
    await this.#listening?.close().catch(() => undefined);
  }
}
