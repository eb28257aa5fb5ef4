/** The heap place of a removed entry. */
const noPlace = 0xffff_ffff;
const slotsMin = 64;

/**
 * A due table holds entries of (due time, offset, partition id) in 28 bytes each. The earliest due time comes
 * first; of equal due times, the lowest offset. An entry is also found by its offset, so that it can be moved
 * to another time or removed.
 *
 * Entries stand in slots in the order of their offsets, and a heap of slots gives the order of due times. New
 * offsets are expected to ascend. A lower one is accepted; the slots are sorted before the next search then.
 */
export class DueTable {
  #dueMs = new Float64Array(slotsMin);
  #offsets = new Float64Array(slotsMin);
  #partitionIds = new Uint32Array(slotsMin);
  /** The place of each slot in the heap. */
  #places = new Uint32Array(slotsMin);
  #heap = new Uint32Array(slotsMin);
  #size = 0;
  /** Slots from `begin` to `end` are in use; some of their entries may have been removed. */
  #begin = 0;
  #end = 0;
  #offsetMax = -1;
  #isSorted = true;

  get size(): number {
    return this.#size;
  }

  firstDueMs(): number {
    return this.#size === 0 ? Infinity : this.#dueMs[this.#heap[0]!]!;
  }

  /** -1 if the table is empty. */
  firstOffset(): number {
    return this.#size === 0 ? -1 : this.#offsets[this.#heap[0]!]!;
  }

  firstPartitionId(): number {
    return this.#partitionIds[this.#heap[0]!]!;
  }

  /** The lowest offset of all entries; undefined if the table is empty. */
  lowestOffset(): number | undefined {
    this.#sort();
    return this.#size === 0 ? undefined : this.#offsets[this.#begin]!;
  }

  has(offset: number): boolean {
    return this.#slotOf(offset) >= 0;
  }

  /** The due time of an entry; undefined if there is no such entry. */
  dueMsOf(offset: number): number | undefined {
    const slot = this.#slotOf(offset);
    return slot < 0 ? undefined : this.#dueMs[slot];
  }

  /** The partition id of an entry; undefined if there is no such entry. */
  partitionIdOf(offset: number): number | undefined {
    const slot = this.#slotOf(offset);
    return slot < 0 ? undefined : this.#partitionIds[slot];
  }

  /** Adds an entry. Its offset must be new. */
  add(dueMs: number, offset: number, partitionId: number): void {
    if (this.#end === this.#offsets.length) this.#makeRoom();
    if (offset < this.#offsetMax) this.#isSorted = false;
    else this.#offsetMax = offset;
    const slot = this.#end++;
    this.#dueMs[slot] = dueMs;
    this.#offsets[slot] = offset;
    this.#partitionIds[slot] = partitionId;
    this.#rise(this.#size++, slot);
  }

  /** Moves an entry to another time. False if there is no such entry. */
  move(offset: number, dueMs: number): boolean {
    const slot = this.#slotOf(offset);
    if (slot < 0) return false;
    this.#dueMs[slot] = dueMs;
    this.#settle(this.#places[slot]!, slot);
    return true;
  }

  /** Removes an entry. False if there is no such entry. */
  remove(offset: number): boolean {
    const slot = this.#slotOf(offset);
    if (slot < 0) return false;
    const place = this.#places[slot]!;
    this.#places[slot] = noPlace;
    const last = this.#heap[--this.#size]!;
    if (last !== slot) this.#settle(place, last);
    while (this.#begin < this.#end && this.#places[this.#begin] === noPlace) this.#begin++;
    const used = this.#end - this.#begin;
    if (this.#end > slotsMin && (this.#size * 2 < used || used * 4 < this.#end)) this.#compact();
    return true;
  }

  /**
   * Visits the entries of the wanted partitions (absent: of all), from an offset on, in the order of their
   * offsets, until `visit` returns false or `slotsMax` slots were passed. The table must not change
   * meanwhile. Returns the offset to go on from; undefined at the end.
   */
  visit(
    from: number,
    visit: (offset: number, dueMs: number, partitionId: number) => boolean,
    wanted?: ReadonlySet<number>,
    slotsMax: number = Infinity,
  ): number | undefined {
    this.#sort();
    const places = this.#places;
    const partitionIds = this.#partitionIds;
    const first = this.#lowerBound(from);
    const end = Math.min(this.#end, first + slotsMax);
    // Most slots of a large table are passed over, so this is the whole of the loop for them.
    for (let slot = first; slot < end; slot++) {
      const partitionId = partitionIds[slot]!;
      if (places[slot] === noPlace || (wanted !== undefined && !wanted.has(partitionId))) continue;
      if (!visit(this.#offsets[slot]!, this.#dueMs[slot]!, partitionId)) return this.#offsets[slot]! + 1;
    }
    return end < this.#end ? this.#offsets[end]! : undefined;
  }

  // ---- slots

  #slotOf(offset: number): number {
    if (offset > this.#offsetMax) return -1;
    this.#sort();
    const slot = this.#lowerBound(offset);
    const isThere = slot < this.#end && this.#offsets[slot] === offset && this.#places[slot] !== noPlace;
    return isThere ? slot : -1;
  }

  /** The first slot with this offset or a higher one. */
  #lowerBound(offset: number): number {
    let low = this.#begin;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #makeRoom(): void {
    if (this.#size * 4 < this.#end * 3) return this.#compact();
    this.#resize(this.#offsets.length * 2);
  }

  /** Frees the slots of removed entries. */
  #compact(): void {
    let kept = 0;
    for (let slot = this.#begin; slot < this.#end; slot++) {
      const place = this.#places[slot]!;
      if (place === noPlace) continue;
      this.#dueMs[kept] = this.#dueMs[slot]!;
      this.#offsets[kept] = this.#offsets[slot]!;
      this.#partitionIds[kept] = this.#partitionIds[slot]!;
      this.#places[kept] = place;
      this.#heap[place] = kept++;
    }
    this.#begin = 0;
    this.#end = kept;
    if (kept * 4 < this.#offsets.length) this.#resize(Math.max(slotsMin, kept * 2));
  }

  #resize(slots: number): void {
    this.#dueMs = resized(this.#dueMs, new Float64Array(slots));
    this.#offsets = resized(this.#offsets, new Float64Array(slots));
    this.#partitionIds = resized(this.#partitionIds, new Uint32Array(slots));
    this.#places = resized(this.#places, new Uint32Array(slots));
    this.#heap = resized(this.#heap, new Uint32Array(slots));
  }

  /** Restores the order of the slots after a lower offset was added. */
  #sort(): void {
    if (this.#isSorted) return;
    this.#isSorted = true;
    this.#compact();
    const slots = new Uint32Array(this.#end).map((_, slot) => slot);
    slots.sort((a, b) => this.#offsets[a]! - this.#offsets[b]!);
    const [dueMs, offsets, partitionIds, places] = [
      this.#dueMs.slice(),
      this.#offsets.slice(),
      this.#partitionIds.slice(),
      this.#places.slice(),
    ];
    for (const [slot, from] of slots.entries()) {
      this.#dueMs[slot] = dueMs[from]!;
      this.#offsets[slot] = offsets[from]!;
      this.#partitionIds[slot] = partitionIds[from]!;
      this.#places[slot] = places[from]!;
      this.#heap[places[from]!] = slot;
    }
  }

  // ---- heap

  /** Puts a slot into the heap, at or near a place whose content may be overwritten. */
  #settle(place: number, slot: number): void {
    if (place > 0 && this.#isBefore(slot, this.#heap[(place - 1) >> 1]!)) this.#rise(place, slot);
    else this.#sink(place, slot);
  }

  #rise(from: number, slot: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#isBefore(slot, this.#heap[parent]!)) break;
      this.#place(place, this.#heap[parent]!);
      place = parent;
    }
    this.#place(place, slot);
  }

  #sink(from: number, slot: number): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (!this.#isBefore(this.#heap[child]!, slot)) break;
      this.#place(place, this.#heap[child]!);
      place = child;
    }
    this.#place(place, slot);
  }

  #place(place: number, slot: number): void {
    this.#heap[place] = slot;
    this.#places[slot] = place;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#dueMs[a]! - this.#dueMs[b]!;
    return difference < 0 || (difference === 0 && this.#offsets[a]! < this.#offsets[b]!);
  }
}

function resized<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from.length > to.length ? from.subarray(0, to.length) : from);
  return to;
}
