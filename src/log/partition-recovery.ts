import { BatchMemory } from './batch-memory.ts';
import { Batch } from './batch.ts';
import type { PartitionState } from './partition-state.ts';

/** The part of a partition that recovery uses, until the log is open. */
export class PartitionRecovery {
  readonly #state: PartitionState;

  constructor(state: PartitionState) {
    this.#state = state;
  }

  /**
   * Takes in a batch from the journal: a copy, unless the segments have it already. Says what the host is to
   * see, and from where on offsets before it are nowhere.
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
   * Replay is over. Offsets that the segments have and the journal does not are records whose commit was
   * damaged: they are kept; says from where.
   */
  recovered(): { readonly keptFrom: number; readonly keptTo: number } | undefined {
    const { flushedEnd } = this.#state.recent;
    if (this.#state.endOffset >= flushedEnd) return undefined;
    const keptFrom = this.#state.endOffset;
    this.#state.endOffset = this.#state.durableEnd = flushedEnd;
    return { keptFrom, keptTo: flushedEnd };
  }

  /** Leaves out so many offsets, because records may have had them that nobody will see again. */
  passOver(count: number): { readonly from: number; readonly to: number } | undefined {
    if (count === 0) return undefined;
    const from = this.#state.endOffset;
    this.#state.endOffset = this.#state.durableEnd = from + count;
    return { from, to: from + count };
  }
}
