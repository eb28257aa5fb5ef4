/** Hears how a publish ended. One object serves many publishes; the token says which. */
export interface PublishListener<T> {
  /** The message is on disk. `duplicate`: it was there before, at this offset. */
  published(token: T, partition: number, offset: number, duplicate: boolean): void;
  refused(token: T, error: Error): void;
}

/**
 * The publishes of one commit that wait to hear "ok": parallel lists, so that a publish costs no object.
 */
export class PublishesOfCommit {
  readonly #listeners: PublishListener<unknown>[] = [];
  readonly #tokens: unknown[] = [];
  readonly #offsets: number[] = [];
  /** Partition * 2 + 1 if it is a duplicate. */
  readonly #flags: number[] = [];

  get size(): number {
    return this.#listeners.length;
  }

  add<T>(
    listener: PublishListener<T>,
    token: T,
    partition: number,
    offset: number,
    duplicate: boolean,
  ): void {
    this.#listeners.push(listener);
    this.#tokens.push(token);
    this.#offsets.push(offset);
    this.#flags.push(partition * 2 + (duplicate ? 1 : 0));
  }

  /** Tells everybody, and forgets them. */
  committed(): void {
    const count = this.#listeners.length;
    for (let i = 0; i < count; i++) {
      const flags = this.#flags[i]!;
      this.#listeners[i]!.published(this.#tokens[i], flags >>> 1, this.#offsets[i]!, (flags & 1) === 1);
    }
    this.clear();
  }

  failed(error: Error): void {
    const count = this.#listeners.length;
    for (let i = 0; i < count; i++) this.#listeners[i]!.refused(this.#tokens[i], error);
    this.clear();
  }

  clear(): void {
    this.#listeners.length = 0;
    this.#tokens.length = 0;
    this.#offsets.length = 0;
    this.#flags.length = 0;
  }
}
