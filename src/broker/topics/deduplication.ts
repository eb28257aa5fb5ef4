import type { SteadyTime } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';

/** The offset of an original that is delayed: its partition has not appended it yet. */
export const delayedOffset = -1;

/** The partition and offset of the first message with a dedupe id. */
export interface Original {
  readonly partition: number;
  /** {@link delayedOffset}, if it was published with a delay. */
  readonly offset: number;
  /** Wall clock. */
  readonly timeMs: number;
}

/** Whether an id survives a restart. Messages in memory do not survive it, but delayed ones are on disk. */
export function survivesRestart(durability: 'disk' | 'memory', offset: number): boolean {
  return durability === 'disk' || offset === delayedOffset;
}

/** In memory, the time is also kept as steady time, as of when the id was added. */
interface Remembered extends Original {
  readonly steadyMs: number;
}

/**
 * Deduplication remembers the dedupe ids of a topic for a window of time and count, so that a repeated
 * publish is stored once. Ids are stored in the commit of their message.
 */
export class Deduplication {
  readonly #originals = new Map<string, Remembered>();
  readonly #meter: Meter;
  /** The latest message with an id. */
  #last: { readonly id: string; readonly original: Original } | undefined = undefined;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  get size(): number {
    return this.#originals.size;
  }

  /**
   * The id of the message at this offset, if it is the latest message with an id; otherwise undefined. The
   * offset must be the last of its partition.
   */
  lastIdAt(partition: number, offset: number): string | undefined {
    const last = this.#last;
    return last?.original.partition === partition && last.original.offset === offset ? last.id : undefined;
  }

  find(id: string, steady: SteadyTime, windowMs: number): Original | undefined {
    const original = this.#originals.get(id);
    return original && original.steadyMs > steady.now() - windowMs ? original : undefined;
  }

  add(id: string, original: Original, steady: SteadyTime, windowMs: number, entriesMax: number): void {
    // Setting an existing key of a map does not move it; the newest id belongs at the end.
    this.#originals.delete(id);
    const steadyMs = steady.of(original.timeMs);
    const { partition, offset, timeMs } = original;
    this.#originals.set(id, { partition, offset, timeMs, steadyMs });
    this.#last = { id, original };
    this.forget(steadyMs, windowMs, entriesMax);
  }

  /** Forgets ids whose window is over at this steady time, and the oldest ids beyond the maximum number. */
  forget(steadyMs: number, windowMs: number, entriesMax: number): void {
    for (const [oldest, kept] of this.#originals) {
      if (this.#originals.size <= entriesMax && kept.steadyMs > steadyMs - windowMs) break;
      this.#originals.delete(oldest);
    }
    this.#meter.set(this.#originals.size);
  }

  entries(): IterableIterator<[string, Original]> {
    return this.#originals.entries();
  }

  /** Called when the topic is deleted. */
  close(): void {
    this.#originals.clear();
    this.#meter.close();
  }
}
