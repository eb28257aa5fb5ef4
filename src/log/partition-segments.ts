import type { Batch } from './batch.ts';
import { BatchBuilder } from './batch-builder.ts';
import { withoutRecords } from './batch-rewrite.ts';
import { LogError, systemCode } from './errors.ts';
import {
  compactedSuffix,
  offsetIndexSuffix,
  relativeOffsetMax,
  segmentName,
  segmentSuffix,
  timeIndexSuffix,
  topicsDirName,
} from './format.ts';
import { Segment, extended, type SegmentContext, type SegmentEnds, type SegmentRow } from './segment.ts';

/** The suffixes of all files of a segment. */
export const segmentSuffixes: readonly string[] = [segmentSuffix, offsetIndexSuffix, timeIndexSuffix];

const compactionReadBytes = 2 ** 20;
/**
 * A segment that contains only removed messages is no longer written to once it has this share of its size:
 * freeing its room is worth a new file.
 */
const spentShareMin = 1 / 16;

/**
 * The segments of one partition, oldest first. The last one is written to unless it is sealed. The partition
 * makes sure that changes are made one at a time.
 */
export class PartitionSegments {
  readonly #context: SegmentContext;
  readonly #partitionId: number;
  /** The maximum size of a segment, unless it consists of one batch. */
  bytesMax: number;
  readonly #segments: Segment[] = [];
  /** Created, and nothing written to it yet. */
  #next: Segment | undefined = undefined;
  /** Segments written to since the last {@link sync}. */
  readonly #unsynced = new Set<Segment>();
  #bytes = 0;
  /** Names in the directory that are not ours; undefined before the first write. */
  #strangers: Set<string> | undefined = undefined;
  #dirUnsynced = false;

  /** `checkpoint` is the number of the checkpoint that contains the rows. */
  constructor(
    context: SegmentContext,
    partitionId: number,
    bytesMax: number,
    rows: readonly SegmentRow[],
    checkpoint: number,
  ) {
    this.#context = context;
    this.#partitionId = partitionId;
    this.bytesMax = bytesMax;
    for (const row of rows) {
      const segment = new Segment(context, partitionId, row);
      if (row.sealed) segment.sealedInCheckpoint = checkpoint;
      this.#segments.push(segment);
      this.#bytes += row.bytes;
    }
  }

  get dir(): string {
    return `${this.#context.dataDir}/${topicsDirName}/${this.#partitionId}`;
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  /** The segment that contains `offset`, or the next one. */
  find(offset: number): Segment | undefined {
    const segments = this.#segments;
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (segments[middle]!.endOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return segments[low];
  }

  /** The segment after one that may have been removed meanwhile. */
  after(segment: Segment): Segment | undefined {
    return this.find(segment.endOffset);
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Estimated bytes before the batch that contains `offset`. */
  bytesBefore(offset: number): number {
    let bytes = 0;
    for (const segment of this.#segments) {
      if (segment.endOffset > offset) return bytes + segment.estimatePosition(offset);
      bytes += segment.bytes;
    }
    return bytes;
  }

  // ---- writing

  /**
   * Writes batches after the last ones, starting new segments when due. After each piece `wrote` is called
   * with the number of batches written. Messages below `removedBelow` will not be read any more.
   */
  async append(
    batches: readonly Batch[],
    removedBelow: number,
    wrote: (count: number) => void,
  ): Promise<void> {
    for (let next = 0; next < batches.length;) {
      const segment = await this.#segmentFor(batches[next]!, removedBelow);
      const isNew = segment === this.#next;
      let last = batches[next]!;
      let bytes = segment.bytes + last.bytes;
      let count = 1;
      while (
        next + count < batches.length &&
        this.#fits(segment, bytes, last.endOffset, batches[next + count]!)
      ) {
        last = batches[next + count]!;
        bytes += last.bytes;
        count++;
      }
      this.#unsynced.add(segment);
      const before = segment.bytes;
      if (isNew) this.#dirUnsynced = true; // its file is created only now
      await segment.append(batches.slice(next, next + count));
      if (isNew) {
        this.#segments.push(segment);
        this.#next = undefined;
      }
      this.#bytes += segment.bytes - before;
      next += count;
      wrote(count);
    }
  }

  /** There are no gaps within a segment: after a gap left by a trim or by damage, a new segment starts. */
  #fits(segment: Segment, bytes: number, endOffset: number, batch: Batch): boolean {
    if (batch.baseOffset !== endOffset) return false;
    return (
      bytes + batch.bytes <= this.bytesMax && batch.endOffset - 1 - segment.baseOffset <= relativeOffsetMax
    );
  }

  async #segmentFor(batch: Batch, removedBelow: number): Promise<Segment> {
    if (this.#strangers === undefined) await this.#enterDir();
    const last = this.#segments[this.#segments.length - 1];
    if (last !== undefined && !last.sealed) {
      // Nothing is added to a file that is short or foreign, nor to one whose room would be freed if nothing
      // were added.
      const isSpent = last.endOffset <= removedBelow && last.bytes >= this.bytesMax * spentShareMin;
      if (
        !isSpent &&
        !last.isDamaged &&
        (await last.isWhole()) &&
        this.#fits(last, last.bytes, last.endOffset, batch)
      )
        return last;
      await last.seal();
    }
    const { baseOffset } = batch;
    if (this.#next?.baseOffset === baseOffset) return this.#next; // there was no room the last time
    const segment = new Segment(this.#context, this.#partitionId, {
      baseOffset,
      endOffset: baseOffset,
      bytes: 0,
      maxTimestampMs: -1,
      sealed: false,
    });
    for (const suffix of segmentSuffixes)
      await this.#makeWay(segment.path(suffix), segmentName(baseOffset, suffix));
    this.#next = segment;
    return segment;
  }

  /** Before the first write: creates the directory and lists its content. */
  async #enterDir(): Promise<void> {
    // Even if there are segments: a partition that is replayed up to its deletion has already lost its
    // directory.
    await this.#context.files.makeDir(this.dir);
    this.#context.topicsDirUnsynced = true;
    const names = await this.#context.files.list(this.dir);
    const known = new Set(this.#segments.map(({ baseOffset }) => segmentName(baseOffset, '')));
    this.#strangers = new Set(names.filter((name) => !known.has(name.slice(0, name.indexOf('.')))));
  }

  /** There should be no file at the path of a new one. If there is one, it is not ours to overwrite. */
  async #makeWay(path: string, name: string): Promise<void> {
    if (!this.#strangers!.delete(name)) return;
    const quarantined = await this.#context.quarantine.move(path, `${this.#partitionId}-${name}`);
    this.#context.damaged({
      kind: 'unknown-file',
      message: `${path} was not expected there and was set aside as ${quarantined}.`,
      path: path.slice(this.#context.dataDir.length + 1),
      quarantined,
    });
  }

  /** Seals the last segment. */
  async roll(): Promise<void> {
    const last = this.#segments[this.#segments.length - 1];
    if (last !== undefined && !last.sealed && last.bytes > 0) await last.seal();
  }

  /** Makes everything written so far durable. */
  async sync(): Promise<void> {
    for (const segment of this.#unsynced) {
      await this.#context.openFiles.sync(segment.path());
      this.#unsynced.delete(segment);
    }
    if (this.#dirUnsynced) await this.#context.files.syncDir(this.dir);
    this.#dirUnsynced = false;
  }

  /**
   * Changes of the directory by the previous process may only be in the system's memory: the next {@link
   * sync} makes them durable.
   */
  oweDirSync(): void {
    this.#dirUnsynced = true;
  }

  /**
   * Compares every file with its known properties; files of segments below `removedBelow` may be gone
   * already.
   */
  async inspect(removedBelow: number): Promise<void> {
    for (const segment of this.#segments.slice())
      if (!segment.retired && segment.endOffset > removedBelow) await segment.inspect();
  }

  /** Writes pending index entries, if they are worth a file. */
  async writeIndexes(): Promise<void> {
    const last = this.#segments[this.#segments.length - 1];
    if (last !== undefined) await last.writeIndex();
  }

  // ---- removing

  /**
   * Takes the segments that lie completely below `offset` off the list. Their files are to be removed once a
   * checkpoint without them is durable.
   */
  takeBelow(offset: number): Segment[] {
    let count = 0;
    while (count < this.#segments.length && this.#segments[count]!.endOffset <= offset) count++;
    const taken = this.#segments.splice(0, count);
    for (const segment of taken) {
      segment.retired = true;
      this.#bytes -= segment.bytes;
      this.#unsynced.delete(segment);
    }
    return taken;
  }

  async removeFiles(segment: Segment): Promise<void> {
    await segment.retire();
    // another segment with the same base offset
    if (this.#segments.some(({ baseOffset }) => baseOffset === segment.baseOffset)) return;
    for (const suffix of segmentSuffixes) {
      const path = segment.path(suffix);
      await this.#context.openFiles.drop(path);
      await removeIfThere(this.#context, path);
    }
    this.#dirUnsynced = true;
  }

  /** Removes all files of the partition and its directory; foreign files go to the quarantine. */
  async removeAll(): Promise<void> {
    const { files, openFiles, quarantine } = this.#context;
    this.#unsynced.clear();
    this.#dirUnsynced = false;
    const segments = this.#segments.splice(0);
    this.#bytes = 0;
    for (const segment of segments) await segment.retire();
    for (const segment of segments) await openFiles.drop(segment.path());
    let names: string[];
    try {
      names = await files.list(this.dir);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw error;
    }
    for (const name of names) {
      if (isSegmentFile(name)) await removeIfThere(this.#context, `${this.dir}/${name}`);
      else await quarantine.move(`${this.dir}/${name}`, `${this.#partitionId}-${name}`);
    }
    await files.removeDir(this.dir);
    await files.syncDir(`${this.#context.dataDir}/${topicsDirName}`);
  }

  // ---- compaction

  /** The path of the compacted form of a segment. */
  compactedPath(baseOffset: number, rewrite: number): string {
    return `${this.dir}/${segmentName(baseOffset, `.${rewrite}${compactedSuffix}`)}`;
  }

  /**
   * Writes and syncs the compacted form of a segment beside it. Returns its size, or undefined if nothing
   * would be removed.
   */
  async writeCompacted(
    segment: Segment,
    path: string,
    keep: (offset: number) => boolean,
  ): Promise<{ readonly bytes: number; readonly ends: SegmentEnds | undefined } | undefined> {
    const { files, pool } = this.#context;
    const file = await files.open(path, { create: true, truncate: true });
    let bytes = 0;
    let ends: SegmentEnds | undefined;
    let done = false;
    /**
     * Everything below is in the new form; removed batches leave an empty batch, so that there are no gaps.
     */
    let covered = segment.baseOffset;
    const write = async (batch: Uint8Array): Promise<void> => {
      await file.write(batch, bytes);
      bytes += batch.length;
      ends = extended(ends, batch);
    };
    try {
      for (let offset = segment.baseOffset; offset < segment.endOffset;) {
        const batches = await segment.readFrom(offset, compactionReadBytes);
        if (segment.isDamaged || batches === undefined || batches.length === 0) {
          throw new LogError('damaged', `Segment ${segment.name} is damaged and is left as it is.`);
        }
        for (const batch of batches) {
          offset = batch.endOffset;
          const kept = compactBatch(batch, keep, pool);
          if (kept === undefined) continue;
          if (covered < batch.baseOffset) await write(BatchBuilder.empty(covered, batch.baseOffset, pool));
          await write(kept);
          covered = batch.endOffset;
        }
      }
      if (bytes > 0 && covered < segment.endOffset)
        await write(BatchBuilder.empty(covered, segment.endOffset, pool));
      done = bytes < segment.bytes;
      if (done) await file.sync();
    } finally {
      await file.close();
      if (!done) await removeIfThere(this.#context, path);
    }
    return done ? { bytes, ends } : undefined;
  }

  /**
   * Replaces the original by its compacted form. The entry that records this is durable, so there is no way
   * back, and any failure is final. A segment of no bytes is removed.
   */
  async replace(segment: Segment, path: string, bytes: number, ends?: SegmentEnds): Promise<void> {
    try {
      await this.#replaceNow(segment, path, bytes, ends);
    } catch (error) {
      this.#context.failed(error);
      throw error;
    }
  }

  async #replaceNow(
    segment: Segment,
    path: string,
    bytes: number,
    ends: SegmentEnds | undefined,
  ): Promise<void> {
    const { files, openFiles } = this.#context;
    const index = this.#segments.indexOf(segment);
    await segment.retire();
    await openFiles.drop(segment.path());
    if (bytes === 0) {
      await removeIfThere(this.#context, path);
      await removeIfThere(this.#context, segment.path());
    } else if ((await files.size(path)) !== undefined) await files.rename(path, segment.path());
    await files.syncDir(this.dir);
    await openFiles.drop(segment.path()); // a reader may have opened the old one meanwhile
    for (const suffix of [offsetIndexSuffix, timeIndexSuffix])
      await removeIfThere(this.#context, segment.path(suffix));
    // Its index must not come back after that.
    this.#dirUnsynced = true; // the next checkpoint may know no such segment
    this.#bytes += bytes - segment.bytes;
    if (bytes === 0) this.#segments.splice(index, 1);
    else {
      const { ends: _, ...row } = segment.row;
      const replacedRow = ends === undefined ? { ...row, bytes } : { ...row, bytes, ends };
      const replaced = new Segment(this.#context, this.#partitionId, replacedRow);
      replaced.sealedInCheckpoint = segment.sealedInCheckpoint;
      this.#segments[index] = replaced;
    }
  }
}

function isSegmentFile(name: string): boolean {
  return /^\d{20}(\.log|\.index|\.timeindex|\.\d+\.compacted)(\.aside)?$/.test(name);
}

async function removeIfThere(context: SegmentContext, path: string): Promise<void> {
  try {
    await context.files.remove(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * The batch without the records to be removed; undefined if none is left. Offsets, times and producer fields
 * do not change.
 */
function compactBatch(
  batch: Batch,
  keep: (offset: number) => boolean,
  pool: SegmentContext['pool'],
): Uint8Array | undefined {
  if (batch.count === 0) return undefined;
  if (batch.compressed || batch.control) {
    for (let offset = batch.baseOffset; offset < batch.endOffset; offset++)
      if (keep(offset)) return batch.buffer;
    return undefined;
  }
  return withoutRecords(batch, keep, pool);
}
