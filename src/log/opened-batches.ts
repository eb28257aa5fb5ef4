/** A batch whose decompressed records are kept for a while. */
export interface Opened {
  readonly openedBytes: number;
  /** Drops them; the next reader decompresses them again. */
  close(): void;
}

/**
 * The opened batches limit the memory of decompressed records, which may be a thousand times the stored size.
 * Those opened first are dropped first. A reader inside a batch keeps its records for as long as it needs
 * them.
 */
export class OpenedBatches {
  readonly #bytesMax: number;
  readonly #opened = new Set<Opened>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(batch: Opened): void {
    this.#opened.add(batch);
    this.#bytes += batch.openedBytes;
    for (const oldest of this.#opened) {
      if (this.#bytes <= this.#bytesMax || oldest === batch) return;
      this.#opened.delete(oldest);
      this.#bytes -= oldest.openedBytes;
      oldest.close();
    }
  }
}
