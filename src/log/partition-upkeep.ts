import { writeI64 } from '../util/index.ts';
import type { PartitionRow } from './checkpoint.ts';
import { logErrorOf } from './errors.ts';
import { LogEntryKind } from './format.ts';
import type { SegmentInfo } from './partition-log.ts';
import type { PartitionState } from './partition-state.ts';
import type { Segment } from './segment.ts';

/**
 * The upkeep of a partition's segments: the flusher writes them, the checkpointer records them, the host has
 * them compacted, and trimmed or deleted ones are removed.
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

  /** Writes unflushed batches to the segments. */
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
        if (this.#state.deleted) return; // deleted meanwhile; nothing of it is kept
        for (const batch of batches.slice(written, (written += count))) this.#state.aheadBytes -= batch.bytes;
        this.#state.recent.flushed(count);
      });
    } finally {
      this.#state.recent.endFlush();
    }
    this.#state.dropTrimmed();
  }

  /**
   * Records the partition's end in the commit being sealed, for the checkpoint of that commit. Returns true
   * if there are segments to drop.
   */
  markCheckpoint(): boolean {
    this.#endAtCheckpoint = this.#state.endOffset;
    this.#trimAtCheckpoint = this.#state.trimSealed;
    const first = this.#state.segments.all[0];
    return first !== undefined && first.endOffset <= this.#state.trimSealed;
  }

  /** Whether there are segments that will not be read any more; a checkpoint removes them. */
  get hasTrimmedSegments(): boolean {
    const first = this.#state.segments.all[0];
    return this.#doomed.length > 0 || (first !== undefined && first.endOffset <= this.#state.trim);
  }

  /** The entry that records which segments are removed; see {@link markCheckpoint}. */
  get trimmedEntry(): Uint8Array {
    return offsetsEntry(this.#state.trimSealed);
  }

  /** Brings the segments up to date and to disk, and returns the partition's row for the checkpoint. */
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

  /** The partition's row in a checkpoint while it is being deleted. */
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

  /** Removes the files of dropped segments, once a checkpoint without them is durable. */
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
   * Removes them before a checkpoint that has no room. Its commit records durably that these segments are
   * removed ({@link trimmedEntry}), so a start that replays it does not miss them. Returns true if there were
   * any.
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

  /** Compares every segment's file with its known properties, and reports missing content. */
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

  /** The sealed segments, oldest first. */
  infos(): SegmentInfo[] {
    const infos: SegmentInfo[] = [];
    for (const { sealed, baseOffset, endOffset, bytes, maxTimestampMs } of this.#state.segments.all) {
      if (sealed) infos.push({ baseOffset, endOffset, bytes, maxTimestampMs });
    }
    return infos;
  }

  async compact(baseOffset: number, keep: (offset: number) => boolean): Promise<void> {
    // Only after both checkpoints have it as sealed: no replay from either one writes to it again.
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
    // Batches are dropped from the front only, so those before it are dropped too.
    this.#state.recent.dropCleanBelow(segment.endOffset);
  }

  /** After replay: completes a compaction whose entry was found in the journal. */
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

  /** Removes all files; resolves when that is durable. */
  removeFiles(): Promise<void> {
    return this.#state.lock.run(() => this.#state.segments.removeAll());
  }
}

/** Offsets or sizes as the payload of one of the log's own entries, an i64 each. */
function offsetsEntry(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 8);
  values.forEach((value, i) => writeI64(bytes, i * 8, value));
  return bytes;
}
