/** Where the first message with a dedupe id went. */
export interface Original {
  readonly partition: number;
  readonly offset: number;
  readonly timeMs: number;
}

/**
 * Deduplication remembers the dedupe ids of a topic for a window of time and count, so that a publish that is repeated is stored once.
 * Ids are stored with the commit that holds their message.
 */
export class Deduplication {
  readonly #originals = new Map<string, Original>();
  /** The latest message that had an id. */
  #last: { readonly id: string; readonly original: Original } | undefined = undefined;

  get size(): number {
    return this.#originals.size;
  }

  /** The id of the message at this place, which is the last one of its partition; undefined when it had none. */
  lastIdAt(partition: number, offset: number): string | undefined {
    const last = this.#last;
    return last?.original.partition === partition && last.original.offset === offset ? last.id : undefined;
  }

  find(id: string, nowMs: number, windowMs: number): Original | undefined {
    const original = this.#originals.get(id);
    return original && original.timeMs > nowMs - windowMs ? original : undefined;
  }

  add(id: string, original: Original, windowMs: number, entriesMax: number): void {
    this.#originals.delete(id); // a map keeps the place of a key that is set again; the newest belongs at the end
    this.#originals.set(id, original);
    this.#last = { id, original };
    for (const [oldest, { timeMs }] of this.#originals) {
      if (this.#originals.size <= entriesMax && timeMs > original.timeMs - windowMs) break;
      this.#originals.delete(oldest);
    }
  }

  entries(): IterableIterator<[string, Original]> {
    return this.#originals.entries();
  }

  clear(): void {
    this.#originals.clear();
  }
}
