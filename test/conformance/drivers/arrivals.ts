/** Arrivals are messages that a client was sent before the test asked for them. */
export class Arrivals<T> {
  readonly #arrived: T[] = [];
  #waiting: (() => void) | undefined = undefined;

  add(item: T): void {
    this.#arrived.push(item);
    this.#waiting?.();
  }

  /** The next one; undefined if none comes within the time. */
  async next(waitMs: number): Promise<T | undefined> {
    if (this.#arrived.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#waiting = undefined;
    }
    return this.#arrived.shift();
  }
}
