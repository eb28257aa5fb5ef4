/** Whose decompressed records are kept for a while. */
export interface Opened {
  readonly openedBytes: number;
  /** Lets go of them; they are decompressed again when somebody asks. */
  close(): void;
}

/**
 * The opened batches bound the memory of decompressed records, which may be a thousand times what was stored:
 * those opened first are let go first. Readers that stand in one keep it for as long as they do.
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
