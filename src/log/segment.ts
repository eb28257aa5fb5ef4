import { readU32, type BlockPool } from '../util/index.ts';
import { BatchMemory } from './batch-memory.ts';
import { Batch, batchBytesAt, isIntactBatch, placeBatch } from './batch.ts';
import type { BufferPool } from './buffer-pool.ts';
import { LogError, systemCode, type DamageReport } from './errors.ts';
import {
  batchCrcAt,
  batchHeaderBytes,
  offsetIndexSuffix,
  segmentName,
  segmentSuffix,
  timeIndexSuffix,
  topicsDirName,
} from './format.ts';
import type { Decompress } from './log-options.ts';
import { OffsetIndex } from './offset-index.ts';
import type { OpenFiles } from './open-files.ts';
import type { Quarantine } from './quarantine.ts';
import { SegmentIndex, type SegmentIndexContext } from './segment-index.ts';
import { walkSegment, type DamagedRange } from './segment-walk.ts';

/** The context that the segments of all partitions share. */
export interface SegmentContext extends SegmentIndexContext {
  readonly openFiles: OpenFiles;
  readonly dataDir: string;
  readonly pool: BufferPool;
  readonly blocks: BlockPool;
  readonly quarantine: Quarantine;
  readonly decompress: Decompress | undefined;
  readonly damaged: (report: DamageReport) => void;
  /** Called when a failure cannot be recovered from. */
  readonly failed: (error: unknown) => void;
  /** A partition directory was created, so the directory above must be synced. */
  topicsDirUnsynced: boolean;
  /** Number of wrong indexes found. */
  indexesRebuilt: number;
}

/** The known properties of a segment that is not open: a row of the checkpoint's table. */
export interface SegmentRow {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly bytes: number;
  readonly maxTimestampMs: number;
  readonly sealed: boolean;
  /** Undefined if not known, as for a segment written by release 0.1.0. */
  readonly ends?: SegmentEnds;
}

/**
 * Properties that tell a segment's file from others of the same name: the checksums of its first and last
 * batch, and the length of the last one.
 */
export interface SegmentEnds {
  readonly firstCrc: number;
  readonly lastCrc: number;
  readonly lastBytes: number;
}

/** The ends of a segment after this batch is appended to it. */
export function extended(ends: SegmentEnds | undefined, batch: Uint8Array): SegmentEnds {
  const lastCrc = readU32(batch, batchCrcAt);
  return { firstCrc: ends?.firstCrc ?? lastCrc, lastCrc, lastBytes: batch.length };
}

const writePieceBytes = 2 ** 20;
const readBytesMin = 4096;

/**
 * A segment is a file of batches, byte for byte as they were committed: `<base offset>.log`, with `.index`
 * and `.timeindex` beside it.
 *
 * It is only appended to, and bytes beyond {@link bytes} do not count. Its batches follow each other without
 * a gap, from the base offset to {@link endOffset}. A batch's own checksum does not cover its base offset,
 * but only one offset is possible at each place. Every batch is checked when it is read. One that fails is
 * examined ({@link #examine}), reported once, and skipped.
 */
export class Segment {
  readonly baseOffset: number;
  readonly partitionId: number;
  endOffset: number;
  bytes: number;
  maxTimestampMs: number;
  sealed: boolean;
  #ends: SegmentEnds | undefined;
  /**
   * Resolves when the file has been compared with its known properties; undefined if that has not started.
   */
  #inspected: Promise<void> | undefined = undefined;
  #whole: Promise<boolean> | undefined = undefined;
  /** Number of the first checkpoint that has the segment as sealed; Infinity before. */
  sealedInCheckpoint: number = Infinity;
  /** The file was replaced or removed: a read may return neither the old content nor the new. */
  retired = false;
  readonly #context: SegmentContext;
  readonly #index: SegmentIndex;
  #damage: readonly DamagedRange[] = [];
  /** The file belongs to another log or segment. */
  #isForeign = false;
  /** End of the last read: the next one often starts there, and needs no index then. */
  #resume: { readonly offset: number; readonly position: number } | undefined = undefined;
  #examining: Promise<void> | undefined = undefined;

  constructor(context: SegmentContext, partitionId: number, row: SegmentRow) {
    this.#context = context;
    this.partitionId = partitionId;
    this.baseOffset = row.baseOffset;
    this.endOffset = row.endOffset;
    this.bytes = row.bytes;
    this.maxTimestampMs = row.maxTimestampMs;
    this.sealed = row.sealed;
    this.#ends = row.ends;
    if (row.bytes === 0) this.#whole = Promise.resolve(true);
    const paths = { offsets: this.path(offsetIndexSuffix), times: this.path(timeIndexSuffix) };
    const walk = async (): Promise<OffsetIndex> => (await this.#walk()).index;
    this.#index = new SegmentIndex(context, row.baseOffset, row.maxTimestampMs, paths, walk);
  }

  /** Path relative to the data directory. */
  get name(): string {
    return `${topicsDirName}/${this.partitionId}/${segmentName(this.baseOffset, segmentSuffix)}`;
  }

  path(suffix: string = segmentSuffix): string {
    return `${this.#context.dataDir}/${topicsDirName}/${this.partitionId}/${segmentName(this.baseOffset, suffix)}`;
  }

  get row(): SegmentRow {
    const { baseOffset, endOffset, bytes, maxTimestampMs, sealed } = this;
    const row = { baseOffset, endOffset, bytes, maxTimestampMs, sealed };
    return this.#ends === undefined ? row : { ...row, ends: this.#ends };
  }

  /** Whether damage was found. */
  get isDamaged(): boolean {
    return this.#damage.length > 0;
  }

  // ---- writing

  /**
   * Writes batches after the last one. They count only when all are written; a rejected write leaves the
   * segment unchanged.
   */
  async append(batches: readonly Batch[]): Promise<void> {
    const pool = this.#context.pool;
    let position = this.bytes;
    const isNew = this.bytes === 0;
    await this.#context.openFiles.change(this.path(), isNew, async (file) => {
      for (let next = 0; next < batches.length;) {
        let bytes = 0;
        let count = 0;
        while (
          next + count < batches.length &&
          (count === 0 || bytes + batches[next + count]!.bytes <= writePieceBytes)
        ) {
          bytes += batches[next + count]!.bytes;
          count++;
        }
        if (count === 1) {
          await file.write(batches[next]!.buffer, position);
        } else {
          const staging = pool.take(bytes);
          let at = 0;
          for (let i = next; i < next + count; i++) {
            staging.set(batches[i]!.buffer, at);
            at += batches[i]!.bytes;
          }
          await file.write(staging.subarray(0, bytes), position);
          pool.give(staging);
        }
        next += count;
        position += bytes;
      }
    });
    for (const batch of batches) {
      const { bytes, endOffset, maxTimestampMs } = batch;
      this.#index.note(this.bytes, bytes, endOffset - 1, maxTimestampMs);
      if (isNew || this.#ends !== undefined) this.#ends = extended(this.#ends, batch.buffer);
      this.bytes += bytes;
      this.endOffset = endOffset;
      if (maxTimestampMs > this.maxTimestampMs) this.maxTimestampMs = maxTimestampMs;
    }
    if (this.#index.isDue) await this.writeIndex();
  }

  /** Seals the segment: the next batch starts a new one. */
  async seal(): Promise<void> {
    this.sealed = true;
    this.#index.noteTime();
    await this.writeIndex();
  }

  /** Writes pending index entries to the index files. */
  writeIndex(): Promise<void> {
    return this.#index.write(this.bytes);
  }

  // ---- reading

  /**
   * The batches from the one that contains `offset`, or the next one, on: up to `bytesWanted`, but at least
   * one. An empty list if the segment has nothing at or after `offset`. Undefined if the segment was retired
   * meanwhile, and another has taken its place.
   */
  async readFrom(offset: number, bytesWanted: number): Promise<Batch[] | undefined> {
    await this.inspect();
    for (let attempt = 0; ; attempt++) {
      const batches = await this.#tryReadFrom(offset, bytesWanted);
      if (this.retired) return undefined;
      if (batches !== undefined) return batches;
      if (attempt === 2) {
        throw new LogError(
          'damaged',
          `Segment ${this.name} cannot be read at offset ${offset}: its bytes differ from one read to the next.`,
        );
      }
      await this.#examine();
    }
  }

  /** Undefined if the content is not as expected. */
  async #tryReadFrom(offset: number, bytesWanted: number): Promise<Batch[] | undefined> {
    const batches: Batch[] = [];
    const resumes = this.#resume !== undefined && this.#resume.offset === offset ? this.#resume : undefined;
    let { position, endOffset: mustEndAt } =
      resumes === undefined
        ? await this.#index.floor(offset, this.bytes)
        : { position: resumes.position, endOffset: undefined };
    /** Base offset of the next batch; undefined if only an index says that there is one. */
    let expected = resumes?.offset ?? (mustEndAt === undefined ? this.baseOffset : undefined);
    let size = Math.max(bytesWanted, readBytesMin);
    for (;;) {
      const damaged = this.#damage.find((range) => range.position === position);
      if (damaged !== undefined) {
        position = damaged.end;
        expected = damaged.toOffset;
        mustEndAt = undefined;
      }
      if (position >= this.bytes) return batches;
      const limit = this.#nextDamage(position);
      const buffer = this.#context.blocks.take(Math.min(size, limit - position));
      const memory = BatchMemory.of(buffer, this.#context.blocks);
      const count = await this.#read(buffer, position);
      if (count < buffer.length) return undefined; // -1: a place that cannot be read
      let at = 0;
      for (let bytes = 0; at < count; at += bytes) {
        if (count - at < batchHeaderBytes && position + count < limit) break;
        bytes = batchBytesAt(buffer, at, count);
        if (bytes < 0 || position + at + bytes > limit) return undefined;
        if (at + bytes > count) {
          if (at === 0) size = bytes;
          break;
        }
        if (!isIntactBatch(buffer, at, at + bytes)) return undefined;
        const batch = new Batch(buffer.subarray(at, at + bytes), this.#context.decompress, memory);
        if (expected !== undefined && batch.baseOffset !== expected) return undefined;
        if (mustEndAt !== undefined && batch.endOffset !== mustEndAt) return undefined;
        placeBatch(batch.buffer, batch.baseOffset); // sets the leader epoch, which no checksum covers either
        expected = batch.endOffset;
        mustEndAt = undefined;
        if (batch.endOffset > offset) batches.push(batch);
      }
      position += at;
      if (batches.length > 0) {
        this.#resume = { offset: batches[batches.length - 1]!.endOffset, position };
        return batches;
      }
    }
  }

  /** Start of the next damage after `position`, or the end of the segment. */
  #nextDamage(position: number): number {
    for (const range of this.#damage) if (range.position > position) return range.position;
    return this.bytes;
  }

  /** Estimated bytes before the batch that contains `offset`, from what is in memory. */
  estimatePosition(offset: number): number {
    if (offset <= this.baseOffset) return 0;
    if (offset >= this.endOffset) return this.bytes;
    const share = (offset - this.baseOffset) / (this.endOffset - this.baseOffset);
    return this.#index.pendingFloor(offset) ?? Math.floor(this.bytes * share);
  }

  /** An offset such that everything before its batch is older than `timestampMs`. */
  async offsetBefore(timestampMs: number): Promise<number> {
    for (const offset of await this.#index.before(timestampMs)) {
      if (offset < this.baseOffset || offset >= this.endOffset) continue;
      // A damaged index may lead too far: the batch must match the entry.
      const batch = (await this.readFrom(offset, 1))?.[0];
      if (batch !== undefined && batch.endOffset === offset + 1 && batch.maxTimestampMs < timestampMs)
        return offset;
    }
    return this.baseOffset;
  }

  /** Returns the bytes read: 0 if there is no file, -1 if the disk cannot read the place. */
  async #read(target: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#context.openFiles.use(this.path(), (file) => file.read(target, position));
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT') return 0;
      if (code === 'EIO') return -1;
      throw error;
    }
  }

  /** Reads the file as far as possible, with zeros for unreadable parts. */
  async #readAround(target: Uint8Array): Promise<number> {
    const count = await this.#read(target, 0);
    if (count >= 0) return count;
    let end = 0;
    for (let at = 0; at < target.length; at += readBytesMin) {
      const piece = target.subarray(at, at + readBytesMin);
      const got = await this.#read(piece, at);
      if (got < 0) piece.fill(0);
      if (got !== 0) end = at + (got < 0 ? piece.length : got);
    }
    return end;
  }

  /** Called before the file is replaced or removed; resolves when its index is no longer being written. */
  async retire(): Promise<void> {
    this.retired = true;
    await this.#examining?.catch(() => {}); // reported to the reader
  }

  // ---- damage

  /**
   * Checks once that the file exists, is long enough, and has the same first and last batch as at the last
   * checkpoint. Missing content is reported. A file that is foreign, or an older form of this one, is not
   * served.
   */
  inspect(): Promise<void> {
    this.#inspected ??= this.#inspectNow().catch((error: unknown) => {
      this.#inspected = undefined; // a shortage, say: the next check tries again
      throw error;
    });
    return this.#inspected;
  }

  async #inspectNow(): Promise<void> {
    if (!(await this.isWhole()) && !this.retired) await this.#examine();
  }

  /**
   * Whether the file matches the last checkpoint, by size and ends. Reports nothing: a segment that is
   * replayed may be about to be deleted.
   */
  isWhole(): Promise<boolean> {
    this.#whole ??= this.#isWhole().catch((error: unknown) => {
      this.#whole = undefined; // a shortage, say: the next check tries again
      throw error;
    });
    return this.#whole;
  }

  async #isWhole(): Promise<boolean> {
    const { bytes } = this;
    const ends = this.#ends;
    const isLongEnough = ((await this.#context.files.size(this.path())) ?? 0) >= bytes;
    if (ends === undefined) return isLongEnough;
    // A short file may be foreign as well; its content must not be served then.
    for (const [position, crc] of [
      [0, ends.firstCrc],
      [bytes - ends.lastBytes, ends.lastCrc],
    ] as const) {
      const header = new Uint8Array(batchHeaderBytes);
      if ((await this.#read(header, position)) < header.length || readU32(header, batchCrcAt) === crc)
        continue;
      if (this.retired) return true;
      // Otherwise it is this file, and damaged.
      if (await this.#isAnotherAt(position, header, crc)) this.#isForeign = true;
      return false;
    }
    return isLongEnough;
  }

  /** Whether there is an intact batch with this header that has another checksum. */
  async #isAnotherAt(position: number, header: Uint8Array, crc: number): Promise<boolean> {
    const length = batchBytesAt(header, 0, Infinity);
    if (length < batchHeaderBytes || position + length > this.bytes) return false;
    const batch = new Uint8Array(length);
    if ((await this.#read(batch, position)) < length || !isIntactBatch(batch, 0, length)) return false;
    return readU32(batch, batchCrcAt) !== crc;
  }

  async #walk(): Promise<{ index: OffsetIndex; damage: DamagedRange[]; buffer: Uint8Array }> {
    const { bytes, baseOffset, endOffset } = this; // it may grow while it is read
    const buffer = new Uint8Array(bytes);
    const count = await this.#readAround(buffer);
    const { positions, damage } = this.#isForeign
      ? { positions: [], damage: [{ position: 0, end: bytes, fromOffset: baseOffset, toOffset: endOffset }] }
      : walkSegment(buffer.subarray(0, count), bytes, baseOffset, endOffset);
    const index = new OffsetIndex();
    let since = 0;
    let last = 0;
    for (const position of positions) {
      since += position - last;
      last = position;
      if (since <= this.#context.indexIntervalBytes) continue;
      const batch = new Batch(buffer.subarray(position, position + batchHeaderBytes));
      if (index.add(batch.endOffset - 1 - this.baseOffset, position)) since = 0;
    }
    return { index, damage, buffer: buffer.subarray(0, count) };
  }

  /** Reads the whole segment, finds its damage, and rebuilds the index. */
  #examine(): Promise<void> {
    this.#examining ??= this.#examineNow().finally(() => {
      this.#examining = undefined;
    });
    return this.#examining;
  }

  async #examineNow(): Promise<void> {
    const { index, damage, buffer } = await this.#walk();
    if (this.retired) return;
    this.#resume = undefined;
    // The index is a cache, and errors in it must not prevent reads.
    await this.#index.replace(index, this.bytes).catch(() => {});
    if (damage.length === 0) this.#context.indexesRebuilt++; // not unusual after a crash
    const known = new Set(this.#damage.map(({ position, end }) => `${position}-${end}`));
    this.#damage = damage;
    for (const range of damage) {
      if (known.has(`${range.position}-${range.end}`)) continue;
      const { position, end, fromOffset, toOffset } = range;
      const bytes = buffer.subarray(position, end);
      const name = `${this.partitionId}-${segmentName(this.baseOffset, '')}-at-${position}`;
      const quarantined =
        bytes.length === 0
          ? undefined
          : await this.#context.quarantine.keep(name, bytes).catch(() => undefined);
      this.#context.damaged({
        kind: 'segment',
        message:
          `Segment ${this.name} is ${this.#isForeign ? "not the file that was written, but another's or an older form of it," : 'damaged or missing'} ` +
          `at bytes ${position} to ${end}: ` +
          `offsets ${fromOffset} to ${toOffset - 1} of partition ${this.partitionId} are lost, all others are served.`,
        path: this.name,
        position,
        bytes: end - position,
        partitionId: this.partitionId,
        fromOffset,
        toOffset,
        ...(quarantined === undefined ? {} : { quarantined }),
      });
    }
  }
}
