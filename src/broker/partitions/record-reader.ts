import { BatchReader, type Batch, type Record } from '../../log/index.ts';

/** A reader that has read this many bytes of records without a pause gives other work a turn. */
export const turnBytes: number = 2 ** 20;

/** Is called with a batch whose records cannot all be read, and the reason. */
export type OnUnreadable = (batch: Batch, reason: string) => void;

/**
 * A record reader is the log's batch reader for callers that must continue whatever a batch contains. Records
 * that cannot be read (a client compressed other content, the codec is not available) end the batch and are
 * reported. Nothing is thrown.
 */
export class RecordReader extends BatchReader {
  readonly #onUnreadable: OnUnreadable;
  #batch: Batch | undefined = undefined;
  #isWhole = true;

  constructor(onUnreadable: OnUnreadable) {
    super();
    this.#onUnreadable = onUnreadable;
  }

  /** Whether nothing of the batch had to be skipped so far. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * Whether the batch may have taken long: it has unreadable records, or is a compressed batch that became
   * large. Many such batches may follow each other, so other work gets a turn before the next.
   */
  get wasCostly(): boolean {
    return !this.#isWhole || (this.#batch !== undefined && this.#batch.openedBytes >= turnBytes);
  }

  override reset(batch: Batch, offset?: number): void {
    this.#batch = batch;
    this.#isWhole = true;
    try {
      super.reset(batch, offset);
      const { readable, count } = batch;
      if (readable === count) return;
      this.#isWhole = false;
      this.#onUnreadable(batch, `only ${readable} of ${count} records are whole`);
    } catch (error) {
      this.#fail(error);
    }
  }

  override next(record: Record): boolean {
    if (this.#batch === undefined) return false;
    try {
      return super.next(record);
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    const batch = this.#batch!;
    this.#batch = undefined;
    this.#isWhole = false;
    this.#onUnreadable(batch, error instanceof Error ? error.message : String(error));
  }
}
