import type { Batch } from './batch.ts';

/** The owner of batches in the tail cache: a partition, which has them in its own list. */
export interface TailOwner {
  /** Drops its oldest clean batch, if that has this base offset. */
  dropOldest(baseOffset: number): void;
  /** Whether the batch with this base offset, which was clean before, is still held. */
  holds(baseOffset: number): boolean;
}

/** Memory of a batch besides its bytes: the object, its view, its slots in lists. */
export const batchOverheadBytes = 256;

/**
 * The tail cache limits the memory of batches that are in their segment already: the oldest of all partitions
 * is dropped first.
 *
 * It is a queue of (partition, base offset); the batches themselves are in the partitions' lists. A batch
 * that its partition drops by itself stays in the queue as an empty entry until it comes to the front, or
 * until there are too many of them.
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

  /** Adds a batch that its owner holds. */
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

  /** Called when the owner has dropped a batch. */
  dropped(batch: Batch): void {
    this.#count--;
    this.#bytes -= batch.bytes + batchOverheadBytes;
  }

  /** Whether entries without a batch outnumber those with one, so that it is time to tidy. */
  get isCluttered(): boolean {
    const entries = this.#owners.length - this.#head;
    return entries > 4096 && entries > this.#count * 2;
  }

  /** Keeps only the entries whose batch is still held. */
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
