/**
 * A shelf keeps values by partition and offset, in a table for each topic or group. All its tables together
 * have at most `max` values; beyond that the oldest goes.
 */
export class Shelf<V> {
  readonly #max: number;
  readonly #entries = new Set<Entry<V>>();
  readonly #onDropped: (value: V) => void;

  constructor(max: number, onDropped: (value: V) => void = () => {}) {
    this.#max = max;
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#entries.size;
  }

  table(): OffsetTable<V> {
    return new OffsetTable(this.#entries, () => this.#makeRoom());
  }

  /** Drops everything. */
  clear(): void {
    for (const entry of this.#entries) this.#drop(entry);
  }

  #makeRoom(): void {
    if (this.#entries.size < this.#max) return;
    for (const oldest of this.#entries) return this.#drop(oldest);
  }

  #drop({ table, partition, offset }: Entry<V>): void {
    const value = table.take(partition, offset);
    if (value !== undefined) this.#onDropped(value);
  }
}

interface Entry<V> {
  readonly table: OffsetTable<V>;
  readonly partition: number;
  readonly offset: number;
  readonly value: V;
}

/** The values of one topic or group. */
export class OffsetTable<V> {
  size = 0;
  readonly #all: Set<Entry<V>>;
  readonly #makeRoom: () => void;
  readonly #partitions = new Map<number, Map<number, Entry<V>>>();

  constructor(all: Set<Entry<V>>, makeRoom: () => void) {
    this.#all = all;
    this.#makeRoom = makeRoom;
  }

  get(partition: number, offset: number): V | undefined {
    return this.#partitions.get(partition)?.get(offset)?.value;
  }

  set(partition: number, offset: number, value: V): void {
    this.take(partition, offset);
    this.#makeRoom();
    const entry: Entry<V> = { table: this, partition, offset, value };
    let entries = this.#partitions.get(partition);
    if (!entries) this.#partitions.set(partition, (entries = new Map()));
    entries.set(offset, entry);
    this.#all.add(entry);
    this.size++;
  }

  /** Removes a value and returns it. */
  take(partition: number, offset: number): V | undefined {
    const entries = this.#partitions.get(partition);
    const entry = entries?.get(offset);
    if (!entries || !entry) return undefined;
    entries.delete(offset);
    if (entries.size === 0) this.#partitions.delete(partition);
    this.#all.delete(entry);
    this.size--;
    return entry.value;
  }

  /** Removes the values of a partition in `[from, to]` and returns them, the oldest first. */
  takeRange(partition: number, from: number, to: number): V[] {
    const offsets = [...(this.#partitions.get(partition)?.keys() ?? [])];
    return offsets
      .filter((offset) => offset >= from && offset <= to)
      .flatMap((offset) => this.take(partition, offset) ?? []);
  }

  /** The values of a partition in `[from, to]`. */
  range(partition: number, from: number, to: number): V[] {
    return [...(this.#partitions.get(partition)?.entries() ?? [])]
      .filter(([offset]) => offset >= from && offset <= to)
      .map(([, { value }]) => value);
  }
}
