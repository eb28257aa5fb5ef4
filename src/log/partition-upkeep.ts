import { writeI64 } from '../util/index.ts';
import type { PartitionRow } from './checkpoint.ts';
import { logErrorOf } from './errors.ts';
import { LogEntryKind } from './format.ts';
import type { SegmentInfo } from './partition-log.ts';
import type { PartitionState } from './partition-state.ts';
import type { Segment } from './segment.ts';

/**
 * The upkeep of a partition's segments: the flusher writes them, the checkpointer accounts for them, the host
 * has them compacted, and what was trimmed or deleted goes.
 */
export class PartitionUpkeep {
  readonly #state: PartitionState;
  #endAtCheckpoint: number;
  #trimAtCheckpoint: number;
  /** Segments that the next checkpoint no longer lists, to be removed after it. */
  #doomed: Segment[] = [];

  constructor(state: PartitionState) {
    this.#state = state;
    this.#endAtCheckpoint = state.endOffset;
    this.#trimAtCheckpoint = state.trim;
  }

  /** Writes what is unflushed to the segments. */
  flush(): Promise<void> {
    return this.#state.lock.run(() => this.#flushNow());
  }

  async #flushNow(): Promise<void> {
    this.#state.dropTrimmed();
    if (this.#state.deleted || this.#state.recent.unflushedBytes === 0) return;
    const batches = this.#state.recent.startFlush();
    let written = 0;
    try {
      await this.#state.segments.append(batches, this.#state.trimDurable, (count) => {
        if (this.#state.deleted) return; // meanwhile; nothing is kept of it
        for (const batch of batches.slice(written, (written += count))) this.#state.aheadBytes -= batch.bytes;
        this.#state.recent.flushed(count);
      });
    } finally {
      this.#state.recent.endFlush();
    }
    this.#state.dropTrimmed();
  }

  /**
   * Where the partition stands in the commit being sealed, which a checkpoint will be of; true when it has
   * segments to drop.
   */
  markCheckpoint(): boolean {
    this.#endAtCheckpoint = this.#state.endOffset;
    this.#trimAtCheckpoint = this.#state.trimSealed;
    const first = this.#state.segments.all[0];
    return first !== undefined && first.endOffset <= this.#state.trimSealed;
  }

  /** Segments are on disk that nobody reads any more; they go with a checkpoint. */
  get hasTrimmedSegments(): boolean {
    const first = this.#state.segments.all[0];
    return this.#doomed.length > 0 || (first !== undefined && first.endOffset <= this.#state.trim);
  }

  /** The entry that says which segments are gone; see {@link markCheckpoint}. */
  get trimmedEntry(): Uint8Array {
    return offsetsEntry(this.#state.trimSealed);
  }

  /** Brings the segments up to date and on disk, and says what the checkpoint should say of them. */
  checkpointRow(number: number): Promise<PartitionRow> {
    return this.#state.lock.run(async () => {
      if (this.#state.deleted) return this.deletedRow;
      this.#doomed.push(...this.#state.segments.takeBelow(this.#trimAtCheckpoint));
      await this.#flushNow();
      await this.#state.segments.sync();
      for (const segment of this.#state.segments.all) {
        if (segment.sealed && segment.sealedInCheckpoint > number) segment.sealedInCheckpoint = number;
      }
      return {
        id: this.#state.id,
        startOffset: this.#trimAtCheckpoint,
        endOffset: this.#endAtCheckpoint,
        flushedEnd: this.#state.recent.flushedEnd,
        maxTimestampMs: this.#state.maxTimestampMs,
        segments: this.#state.segments.all.map((segment) => segment.row),
      };
    });
  }

  /** See {@link PartitionSegments.oweDirSync}. */
  oweDirSync(): void {
    this.#state.segments.oweDirSync();
  }

  /** What a checkpoint says of the partition while it is being deleted. */
  get deletedRow(): PartitionRow {
    return {
      id: this.#state.id,
      startOffset: this.#trimAtCheckpoint,
      endOffset: this.#endAtCheckpoint,
      flushedEnd: this.#endAtCheckpoint,
      maxTimestampMs: this.#state.maxTimestampMs,
      deleted: true,
      segments: [],
    };
  }

  /** A checkpoint without them is durable: the files of dropped segments go. */
  removeDoomed(): Promise<void> {
    return this.#state.lock.run(() => this.#removeDoomedNow());
  }

  async #removeDoomedNow(): Promise<void> {
    for (let segment = this.#doomed[0]; segment !== undefined; segment = this.#doomed[0]) {
      await this.#state.segments.removeFiles(segment);
      this.#doomed.shift();
    }
  }

  /**
   * The same before the checkpoint is there, which has no room: the commit it is of says durably that these
   * segments are gone ({@link trimmedEntry}), and a start that replays it misses none of them. True when
   * there were any.
   */
  removeTrimmedEarly(): Promise<boolean> {
    return this.#state.lock.run(async () => {
      if (this.#state.deleted) return false;
      this.#doomed.push(...this.#state.segments.takeBelow(this.#trimAtCheckpoint));
      const isAny = this.#doomed.length > 0;
      await this.#removeDoomedNow();
      return isAny;
    });
  }

  writeIndexes(): Promise<void> {
    return this.#state.lock.run(() => this.#state.segments.writeIndexes());
  }

  /** Holds every segment's file against what is known of it, and reports what is missing. */
  inspect(): Promise<void> {
    return this.#state.segments.inspect(this.#state.trimDurable);
  }

  async roll(): Promise<void> {
    try {
      await this.#state.lock.run(async () => {
        await this.#flushNow();
        await this.#state.segments.roll();
      });
    } catch (error) {
      throw logErrorOf(error, `The segment of partition ${this.#state.id} cannot be sealed`, 'io-failed');
    }
  }

  /** Of the sealed segments, oldest first. */
  infos(): SegmentInfo[] {
    const infos: SegmentInfo[] = [];
    for (const { sealed, baseOffset, endOffset, bytes, maxTimestampMs } of this.#state.segments.all) {
      if (sealed) infos.push({ baseOffset, endOffset, bytes, maxTimestampMs });
    }
    return infos;
  }

  async compact(baseOffset: number, keep: (offset: number) => boolean): Promise<void> {
    // Not before both checkpoints have it sealed: what is replayed from either never writes to it again.
    for (let i = 0; i < 2; i++)
      if (this.#isTooNew(this.#sealedAt(baseOffset))) await this.#state.context.checkpoint();
    try {
      await this.#state.lock.run(() => this.#compactNow(baseOffset, keep));
    } catch (error) {
      const what = `The segment at offset ${baseOffset} of partition ${this.#state.id} cannot be compacted`;
      throw logErrorOf(error, what, 'io-failed');
    }
  }

  #sealedAt(baseOffset: number): Segment | undefined {
    const segment = this.#state.segments.find(baseOffset);
    return segment !== undefined && segment.baseOffset === baseOffset && segment.sealed ? segment : undefined;
  }

  #isTooNew(segment: Segment | undefined): boolean {
    return segment !== undefined && segment.sealedInCheckpoint > this.#state.context.olderCheckpoint();
  }

  async #compactNow(baseOffset: number, keep: (offset: number) => boolean): Promise<void> {
    const context = this.#state.context;
    const segment = this.#sealedAt(baseOffset);
    if (segment === undefined || this.#state.deleted || this.#isTooNew(segment)) return;
    const rewrite = context.openCommitNumber();
    const path = this.#state.segments.compactedPath(baseOffset, rewrite);
    const compacted = await this.#state.segments.writeCompacted(segment, path, keep);
    if (compacted === undefined) return;
    const { bytes, ends } = compacted;
    await context.segments.files.syncDir(this.#state.segments.dir);
    await context.recordDurably(
      LogEntryKind.compacted,
      this.#state.id,
      offsetsEntry(baseOffset, bytes, rewrite),
    );
    await this.#state.segments.replace(segment, path, bytes, ends);
    this.#state.cold.forget(segment.baseOffset, segment.endOffset);
    // Batches are dropped from the front only: those before it go too.
    this.#state.recent.dropCleanBelow(segment.endOffset);
  }

  /** Makes good a compaction whose entry was found in the journal, after replay. */
  recoverCompacted(baseOffset: number, bytes: number, rewrite: number): Promise<void> {
    return this.#state.lock.run(async () => {
      const segment = this.#sealedAt(baseOffset);
      if (segment === undefined || this.#state.deleted) return;
      await this.#state.segments.replace(
        segment,
        this.#state.segments.compactedPath(baseOffset, rewrite),
        bytes,
      );
    });
  }

  /** Removes every file; resolves when that is durable. */
  removeFiles(): Promise<void> {
    return this.#state.lock.run(() => this.#state.segments.removeAll());
  }
}

/** Offsets or sizes as the payload of one of the log's own entries: an i64 each. */
function offsetsEntry(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  values.forEach((value, i) => writeI64(bytes, i * 8, value));
  return bytes;
}
