/**
 * A shelf keeps values by partition and offset, in a table for each topic or group. All its tables together
 * have at most `max` values; beyond that the oldest goes.
 */
export class Shelf<V> {
  readonly #max: number;
  readonly #entries = new Set<Entry<V>>();
  readonly #marks = new Marks();
  readonly #onDropped: (value: V) => void;

  constructor(max: number, onDropped: (value: V) => void = () => {}) {
    this.#max = max;
    this.#onDropped = onDropped;
  }

  get size(): number {
    return this.#entries.size;
  }

  table(): OffsetTable<V> {
    return new OffsetTable(this.#entries, this.#marks, () => this.#makeRoom());
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

/**
 * The marks say in one look, for nearly all offsets that have no value, that they have none: of 100 messages
 * one or fewer have. They count the values of each of some 130,000 remainders of offsets; a full count stays.
 */
class Marks {
  readonly #counts = new Uint8Array(2 ** 17);

  has(partition: number, offset: number): boolean {
    return this.#counts[placeOf(partition, offset)] !== 0;
  }

  add(partition: number, offset: number): void {
    const place = placeOf(partition, offset);
    if (this.#counts[place]! < 255) this.#counts[place]!++;
  }

  remove(partition: number, offset: number): void {
    const place = placeOf(partition, offset);
    if (this.#counts[place]! < 255) this.#counts[place]!--;
  }
}

function placeOf(partition: number, offset: number): number {
  return (offset + partition * 7919) & (2 ** 17 - 1);
}

/** The values of one topic or group. */
export class OffsetTable<V> {
  size = 0;
  readonly #all: Set<Entry<V>>;
  readonly #marks: Marks;
  readonly #makeRoom: () => void;
  readonly #partitions = new Map<number, Map<number, Entry<V>>>();

  constructor(all: Set<Entry<V>>, marks: Marks, makeRoom: () => void) {
    this.#all = all;
    this.#marks = marks;
    this.#makeRoom = makeRoom;
  }

  /** False: there is no value. True: there may be one. */
  mayHave(partition: number, offset: number): boolean {
    return this.size > 0 && this.#marks.has(partition, offset);
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
    this.#marks.add(partition, offset);
    this.size++;
  }

  /** Removes a value and returns it. */
  take(partition: number, offset: number): V | undefined {
    if (!this.mayHave(partition, offset)) return undefined;
    const entries = this.#partitions.get(partition);
    const entry = entries?.get(offset);
    if (!entries || !entry) return undefined;
    entries.delete(offset);
    if (entries.size === 0) this.#partitions.delete(partition);
    this.#all.delete(entry);
    this.#marks.remove(partition, offset);
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
