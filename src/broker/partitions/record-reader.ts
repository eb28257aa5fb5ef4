import { BatchReader, type Batch, type Record } from '../../log/index.ts';

/** A reader that looked at so many bytes of records without a pause leaves the event loop to others. */
export const turnBytes: number = 2 ** 20;

/** Is told of a batch of which records cannot be read, and why. */
export type OnUnreadable = (batch: Batch, reason: string) => void;

/**
 * A record reader is the log's batch reader for those who have to go on whatever a batch holds: records that
 * cannot be read (a client compressed something else, nobody has the codec) end the batch and are told of.
 * Nothing is thrown.
 */
export class RecordReader extends BatchReader {
  readonly #onUnreadable: OnUnreadable;
  #batch: Batch | undefined = undefined;
  #isWhole = true;

  constructor(onUnreadable: OnUnreadable) {
    super();
    this.#onUnreadable = onUnreadable;
  }

  /** Whether nothing of the batch had to be passed over, so far. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * Whether the batch may have taken long: records that cannot be read, or a compressed batch that has become
   * large. There may be many of them in a row: others get a turn before the next.
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
