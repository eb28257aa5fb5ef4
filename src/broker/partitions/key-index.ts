import type { Meter } from '../budgets.ts';

/** State of one key of a partition. */
export interface KeyState {
  /** Number of live messages with the key. */
  count: number;
  /** Lowest live offset; a lower bound while {@link firstStale}. */
  first: number;
  /** Highest live offset; an upper bound while {@link lastStale}. */
  last: number;
  firstStale: boolean;
  lastStale: boolean;
  /** Every live offset in order, kept only if the topic limits messages per key. */
  readonly offsets: number[] | undefined;
}

/**
 * A key index remembers count, first and last offset of every distinct key of a partition, some 150 bytes per
 * key.
 *
 * Keys are bytes, held as strings of one char per byte (latin1), the most compact form in the engine.
 */
export class KeyIndex {
  readonly #states = new Map<string, KeyState>();
  /** Whether every live offset of a key is kept, as limits per key require. */
  readonly withOffsets: boolean;

  readonly #meter: Meter;

  constructor(options: { readonly withOffsets: boolean; readonly meter: Meter }) {
    this.#meter = options.meter;
    this.withOffsets = options.withOffsets;
  }

  get size(): number {
    return this.#states.size;
  }

  /** Number of messages counted, of all keys. The cost is linear in the number of keys. */
  get messages(): number {
    let count = 0;
    for (const state of this.#states.values()) count += state.count;
    return count;
  }

  get(key: string): KeyState | undefined {
    return this.#states.get(key);
  }

  entries(): IterableIterator<[string, KeyState]> {
    return this.#states.entries();
  }

  visit(visit: (state: KeyState, key: string) => void): void {
    this.#states.forEach(visit);
  }

  /** Adds an appended message. */
  add(key: string, offset: number): KeyState {
    let state = this.#states.get(key);
    if (!state) {
      state = {
        count: 1,
        first: offset,
        last: offset,
        firstStale: false,
        lastStale: false,
        offsets: this.withOffsets ? [offset] : undefined,
      };
      this.#states.set(key, state);
      this.#meter.set(this.#states.size);
      return state;
    }
    state.count++;
    state.last = offset;
    state.lastStale = false;
    state.offsets?.push(offset);
    return state;
  }

  /** Subtracts a removed message. */
  remove(key: string, offset: number): void {
    const state = this.#states.get(key);
    if (!state) return;
    state.count--;
    if (state.count === 0) {
      this.#states.delete(key);
      this.#meter.set(this.#states.size);
      return;
    }
    if (state.offsets) {
      const at = state.offsets[0] === offset ? 0 : state.offsets.indexOf(offset);
      if (at >= 0) state.offsets.splice(at, 1);
      state.first = state.offsets[0]!;
      state.last = state.offsets[state.offsets.length - 1]!;
      return;
    }
    if (offset <= state.first) state.firstStale = true;
    if (offset >= state.last) state.lastStale = true;
    if (state.count === 1 && !state.lastStale) {
      // One message is left and the highest is known: it is also the lowest.
      state.first = state.last;
      state.firstStale = false;
    }
  }

  /** Restores a state from a checkpoint. */
  restore(key: string, state: Omit<KeyState, 'offsets'> & { offsets: number[] }): void {
    this.#states.set(key, { ...state, offsets: this.withOffsets ? state.offsets : undefined });
    this.#meter.set(this.#states.size);
  }

  /** Called when the index is no longer used. */
  close(): void {
    this.#meter.close();
  }

  clear(): void {
    this.#states.clear();
    this.#meter.set(0);
  }
}
