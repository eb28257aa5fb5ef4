import type { SpyEvent } from './event.ts';

/** The most events that are remembered. */
const eventsMax = 100_000;

/** The journal of a kit has all events so far, and tells of new ones. */
export class Journal {
  readonly events: SpyEvent[] = [];
  /** Goes up with everything that happens: a kit has settled when it stands still. */
  activity = 0;
  readonly #listeners = new Set<(event: SpyEvent) => void>();

  add(event: SpyEvent): void {
    this.activity += 1;
    if (this.events.length < eventsMax) this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  /** Returns the function that stops this. */
  listen(listener: (event: SpyEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
