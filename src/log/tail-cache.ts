import type { Batch } from './batch.ts';

/** Whose batches the tail cache holds: a partition, which keeps them in its own list. */
export interface TailOwner {
  /** Lets go of its oldest clean batch, if that is the one with this base offset. */
  dropOldest(baseOffset: number): void;
  /** Whether the batch with this base offset, which was clean once, is still held. */
  holds(baseOffset: number): boolean;
}

/** What a batch costs beyond its bytes: the object, its view, its place in lists. */
export const batchOverheadBytes = 256;

/**
 * The tail cache bounds the memory of batches that are in their segment already: the oldest of all partitions
 * goes first.
 *
 * It is a queue of (partition, base offset); the batches themselves are in the partitions' lists. What a
 * partition drops by itself stays in the queue as an empty entry until it comes to the front, or too many of
 * them have gathered.
 */
export class TailCache {
  readonly #bytesMax: number;
  #owners: TailOwner[] = [];
  #offsets: number[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes in a batch that its owner holds. */
  add(owner: TailOwner, batch: Batch): void {
    this.#owners.push(owner);
    this.#offsets.push(batch.baseOffset);
    this.#count++;
    this.#bytes += batch.bytes + batchOverheadBytes;
    while (this.#bytes > this.#bytesMax && this.#head < this.#owners.length) {
      const at = this.#head++;
      this.#owners[at]!.dropOldest(this.#offsets[at]!); // calls `dropped`, unless it is gone already
    }
    if (this.#head > 1024 && this.#head > this.#owners.length / 2) this.#shift();
  }

  /** The owner let go of a batch. */
  dropped(batch: Batch): void {
    this.#count--;
    this.#bytes -= batch.bytes + batchOverheadBytes;
  }

  /** Entries without a batch outnumber those with one: time to look which are which. */
  get isCluttered(): boolean {
    const entries = this.#owners.length - this.#head;
    return entries > 4096 && entries > this.#count * 2;
  }

  /** Keeps the entries whose batch is still held. */
  tidy(): void {
    this.#shift();
    let kept = 0;
    for (let at = 0; at < this.#owners.length; at++) {
      const owner = this.#owners[at]!;
      const offset = this.#offsets[at]!;
      if (!owner.holds(offset)) continue;
      this.#owners[kept] = owner;
      this.#offsets[kept++] = offset;
    }
    this.#owners.length = kept;
    this.#offsets.length = kept;
  }

  #shift(): void {
    this.#owners.splice(0, this.#head);
    this.#offsets.splice(0, this.#head);
    this.#head = 0;
  }
}
