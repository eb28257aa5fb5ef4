import { BatchMemory } from './batch-memory.ts';
import { Batch } from './batch.ts';
import type { PartitionState } from './partition-state.ts';

/** Recovery's part of a partition, until the log is open. */
export class PartitionRecovery {
  readonly #state: PartitionState;

  constructor(state: PartitionState) {
    this.#state = state;
  }

  /**
   * Takes in a batch of the journal: a copy, unless the segments have it already. Returns the batch for the
   * host. Offsets from `lostFrom` up to the batch are neither in the segments nor in the journal.
   */
  replayed(found: Batch): { readonly batch: Batch; readonly lostFrom: number } {
    const { flushedEnd } = this.#state.recent;
    const lostFrom = Math.max(this.#state.endOffset, flushedEnd);
    let batch = found;
    if (found.endOffset > flushedEnd && found.baseOffset >= this.#state.durableEnd) {
      const { smallBatches, decompress, blocks } = this.#state.context;
      const own = smallBatches.copy(found.buffer);
      batch = new Batch(own, decompress, BatchMemory.of(own, blocks));
      this.#state.aheadBytes += batch.bytes;
      this.#state.recent.add(batch);
    }
    this.#state.endOffset = this.#state.durableEnd = Math.max(this.#state.endOffset, batch.endOffset);
    this.#state.maxTimestampMs = Math.max(this.#state.maxTimestampMs, batch.maxTimestampMs);
    return { batch, lostFrom };
  }

  /** A trim that comes from replaying the journal is as durable as its cause. */
  trimRecovered(): void {
    this.#state.trimSealed = this.#state.trimDurable = this.#state.trim;
    this.#state.dropTrimmed();
  }

  /**
   * Ends the replay. Offsets that the segments have but the journal does not are records whose commit was
   * damaged. They are kept; returns their range.
   */
  recovered(): { readonly keptFrom: number; readonly keptTo: number } | undefined {
    const { flushedEnd } = this.#state.recent;
    if (this.#state.endOffset >= flushedEnd) return undefined;
    const keptFrom = this.#state.endOffset;
    this.#state.endOffset = this.#state.durableEnd = flushedEnd;
    return { keptFrom, keptTo: flushedEnd };
  }

  /** Skips `count` offsets, because lost records may have had them. */
  passOver(count: number): { readonly from: number; readonly to: number } | undefined {
    if (count === 0) return undefined;
    const from = this.#state.endOffset;
    this.#state.endOffset = this.#state.durableEnd = from + count;
    return { from, to: from + count };
  }
}
