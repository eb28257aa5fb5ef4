const slotBytes = 64;
const slotsAtStart = 1024;

/**
 * Reply slots hold the reply subjects of publishes that wait for their commit, one after another in one
 * buffer. So a publish under way is a number, and allocates no object. A reply subject that is longer than a
 * slot has memory of its own.
 */
export class ReplySlots {
  #bytes: Buffer = Buffer.allocUnsafeSlow(slotsAtStart * slotBytes);
  #lengths: Uint16Array = new Uint16Array(slotsAtStart);
  readonly #long = new Map<number, Uint8Array>();
  /** Free slots; the last one is taken next. */
  readonly #free: number[] = Array.from({ length: slotsAtStart }, (_, i) => slotsAtStart - 1 - i);

  /** Number of slots in use. */
  get taken(): number {
    return this.#lengths.length - this.#free.length;
  }

  take(source: Uint8Array, start: number, end: number): number {
    const slot = this.#free.pop() ?? this.#grow();
    const length = end - start;
    if (length > slotBytes) {
      this.#long.set(slot, Uint8Array.prototype.slice.call(source, start, end));
      return slot;
    }
    this.#lengths[slot] = length;
    const bytes = this.#bytes;
    for (let from = start, to = slot * slotBytes; from < end; from++, to++) bytes[to] = source[from]!;
    return slot;
  }

  give(slot: number): void {
    if (this.#long.size > 0) this.#long.delete(slot);
    this.#free.push(slot);
  }

  /** Sets {@link buffer}, {@link start} and {@link end} to the subject of a slot. */
  find(slot: number): void {
    const long = this.#long.size > 0 ? this.#long.get(slot) : undefined;
    this.buffer = long ?? this.#bytes;
    this.start = long ? 0 : slot * slotBytes;
    this.end = long ? long.length : this.start + this.#lengths[slot]!;
  }

  buffer: Uint8Array = this.#bytes;
  start = 0;
  end = 0;

  #grow(): number {
    const count = this.#lengths.length;
    const bytes = Buffer.allocUnsafeSlow(2 * count * slotBytes);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    const lengths = new Uint16Array(2 * count);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
    for (let slot = 2 * count - 1; slot > count; slot--) this.#free.push(slot);
    return count;
  }
}
