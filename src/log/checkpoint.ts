import { ByteReader, ByteWriter, crc32c, readU32 } from '../util/index.ts';
import { systemCode } from './errors.ts';
import type { Files } from './files.ts';
import {
  checkpointHeaderBytes,
  checkpointMagic,
  checkpointNames,
  cleanStopBytes,
  cleanStopMagic,
  cleanStopName,
  formatVersion,
  uuidBytes,
} from './format.ts';
import type { SegmentRow } from './segment.ts';
import { versionOf } from './versioned.ts';
import { readFile, replaceFile } from './whole-file.ts';

/** A partition in a checkpoint. */
export interface PartitionRow {
  readonly id: number;
  /** Records below are trimmed. */
  readonly startOffset: number;
  /** As of the checkpoint's commit. */
  readonly endOffset: number;
  /** Records below are in the segments, or were trimmed; may be beyond {@link endOffset}. */
  readonly flushedEnd: number;
  readonly maxTimestampMs: number;
  /** The partition is being deleted; any files left of it may be removed. */
  readonly deleted?: boolean;
  readonly segments: readonly SegmentRow[];
}

/** Whether the row has no content: a partition that never had a record is created again when it is opened. */
export function isEmptyRow({ endOffset, flushedEnd, deleted, segments }: PartitionRow): boolean {
  return endOffset === 0 && flushedEnd === 0 && !deleted && segments.length === 0;
}

/**
 * A checkpoint is the log's table of partitions and the host's state as of one commit. Its only use is to
 * save the replay of earlier commits: a file is never removed because a checkpoint does not mention it.
 */
export interface Checkpoint {
  /** Increases by one. */
  readonly number: number;
  /** The last commit it covers. */
  readonly commit: number;
  /** Journal position after that commit. */
  readonly position: number;
  readonly timestampMs: number;
  readonly partitions: readonly PartitionRow[];
  readonly snapshot: Uint8Array;
}

/** The identifying fields of a checkpoint, without its content. */
export type CheckpointMark = Pick<Checkpoint, 'number' | 'commit' | 'position'>;

const sealedFlag = 1;
/** The checksums of the segment's first and last batch follow. */
const endsFlag = 2;
const deletedFlag = 1;

/**
 * `count:uvarint (id start end flushedEnd maxTimestamp+1:uvarint flags:u8 segments:uvarint (base
 * bytes-spanned bytes maxTimestamp+1:uvarint flags:u8 (first:u32 last:u32 last-bytes:uvarint)?)*)*`
 */
function encodeTable(rows: readonly PartitionRow[]): Buffer {
  const writer = new ByteWriter(4096).uvarint(rows.length);
  for (const row of rows) {
    writer
      .uvarint(row.id)
      .uvarint(row.startOffset)
      .uvarint(row.endOffset)
      .uvarint(row.flushedEnd)
      .i64(row.maxTimestampMs)
      .u8(row.deleted ? deletedFlag : 0)
      .uvarint(row.segments.length);
    for (const segment of row.segments) {
      writer
        .uvarint(segment.baseOffset)
        .uvarint(segment.endOffset - segment.baseOffset)
        .uvarint(segment.bytes)
        .i64(segment.maxTimestampMs)
        .u8((segment.sealed ? sealedFlag : 0) | (segment.ends === undefined ? 0 : endsFlag));
      if (segment.ends === undefined) continue;
      writer.u32(segment.ends.firstCrc).u32(segment.ends.lastCrc).uvarint(segment.ends.lastBytes);
    }
  }
  return writer.view();
}

function decodeTable(bytes: Uint8Array): PartitionRow[] {
  const reader = new ByteReader(bytes);
  const rows: PartitionRow[] = [];
  for (let count = reader.uvarint(); count > 0; count--) {
    const [id, startOffset, endOffset, flushedEnd] = [
      reader.uvarint(),
      reader.uvarint(),
      reader.uvarint(),
      reader.uvarint(),
    ];
    const maxTimestampMs = reader.i64();
    const deleted = (reader.u8() & deletedFlag) !== 0;
    const segments: SegmentRow[] = [];
    for (let left = reader.uvarint(); left > 0; left--) {
      const baseOffset = reader.uvarint();
      const row = {
        baseOffset,
        endOffset: baseOffset + reader.uvarint(),
        bytes: reader.uvarint(),
        maxTimestampMs: reader.i64(),
      };
      const flags = reader.u8();
      const sealed = (flags & sealedFlag) !== 0;
      if ((flags & endsFlag) === 0) segments.push({ ...row, sealed });
      else {
        const ends = { firstCrc: reader.u32(), lastCrc: reader.u32(), lastBytes: reader.uvarint() };
        segments.push({ ...row, sealed, ends });
      }
    }
    rows.push({ id, startOffset, endOffset, flushedEnd, maxTimestampMs, deleted, segments });
  }
  return rows;
}

/**
 * `header (magic 8, version u32, uuid 16, number, commit, position, timestamp, table bytes, snapshot bytes:
 * i64 each, crc u32) table crc:u32 snapshot crc:u32`
 */
export function encodeCheckpoint(
  uuid: Uint8Array,
  mark: CheckpointMark & { readonly timestampMs: number },
  rows: readonly PartitionRow[],
  snapshot: readonly Uint8Array[],
): Uint8Array[] {
  const table = encodeTable(rows);
  let snapshotBytes = 0;
  let snapshotCrc = 0;
  for (const piece of snapshot) {
    snapshotBytes += piece.length;
    snapshotCrc = crc32c(piece, 0, piece.length, snapshotCrc);
  }
  const header = new ByteWriter(checkpointHeaderBytes)
    .text(checkpointMagic)
    .u32(formatVersion)
    .bytes(uuid)
    .i64(mark.number)
    .i64(mark.commit)
    .i64(mark.position)
    .i64(mark.timestampMs)
    .i64(table.length)
    .i64(snapshotBytes);
  header.u32(crc32c(header.view()));
  return [
    header.view(),
    table,
    new ByteWriter(4).u32(crc32c(table)).view(),
    ...snapshot,
    new ByteWriter(4).u32(snapshotCrc).view(),
  ];
}

/** Undefined if the bytes are not an intact checkpoint of this log. Throws `format-newer`. */
export function decodeCheckpoint(bytes: Uint8Array, uuid: Uint8Array): Checkpoint | undefined {
  if (bytes.length < checkpointHeaderBytes) return undefined;
  const version = checkpointVersion(bytes, 'The checkpoint');
  if (version === undefined || !isIntactHeader(bytes)) return undefined;
  const reader = new ByteReader(bytes);
  reader.skip(checkpointMagic.length + 4);
  const owner = reader.bytes(uuidBytes);
  const [number, commit, position, timestampMs, tableBytes, snapshotBytes] = [
    reader.i64(),
    reader.i64(),
    reader.i64(),
    reader.i64(),
    reader.i64(),
    reader.i64(),
  ];
  reader.u32();
  if (Buffer.compare(owner, uuid) !== 0) return undefined;
  if (reader.remaining !== tableBytes + snapshotBytes + 8) return undefined;
  const table = reader.bytes(tableBytes);
  if (crc32c(table) !== reader.u32()) return undefined;
  const snapshot = reader.bytes(snapshotBytes);
  if (crc32c(snapshot) !== reader.u32()) return undefined;
  return { number, commit, position, timestampMs, partitions: decodeTable(table), snapshot };
}

function checkpointVersion(bytes: Uint8Array, what: string): number | undefined {
  return versionOf(bytes.subarray(0, checkpointHeaderBytes), checkpointMagic, what, isIntactHeader);
}

function isIntactHeader(bytes: Uint8Array): boolean {
  const crcAt = checkpointHeaderBytes - 4;
  return bytes.length >= checkpointHeaderBytes && crc32c(bytes, 0, crcAt) === readU32(bytes, crcAt);
}

/** Throws `format-newer` if the file at `path` is a checkpoint of a later version. */
export async function refuseLaterCheckpoint(files: Files, path: string): Promise<void> {
  if ((await files.size(path)) === undefined) return;
  const file = await files.open(path);
  try {
    const header = new Uint8Array(checkpointHeaderBytes);
    checkpointVersion(header.subarray(0, await file.read(header, 0)), `Checkpoint ${path}`);
  } finally {
    await file.close();
  }
}

/**
 * Writes a checkpoint to a slot: to a temporary file, which is synced and then renamed. The other slot is not
 * touched.
 */
export async function writeCheckpoint(
  files: Files,
  dir: string,
  slot: 0 | 1,
  pieces: readonly Uint8Array[],
): Promise<void> {
  const path = `${dir}/${checkpointNames[slot]}`;
  await replaceFile(files, dir, path, pieces);
}

/** Marks that no commit follows checkpoint `number`. */
export async function writeCleanStop(files: Files, dir: string, number: number): Promise<void> {
  const writer = new ByteWriter(cleanStopBytes).text(cleanStopMagic).i64(number);
  writer.u32(crc32c(writer.view()));
  await replaceFile(files, dir, `${dir}/${cleanStopName}`, [writer.view()]);
}

/**
 * The checkpoint after which the log was stopped cleanly. Removes the mark, which would be false from now on.
 */
export async function takeCleanStop(files: Files, dir: string): Promise<number | undefined> {
  const path = `${dir}/${cleanStopName}`;
  const bytes = await readFile(files, path);
  if (bytes === undefined) return undefined;
  try {
    await files.remove(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  await files.syncDir(dir);
  if (bytes.length !== cleanStopBytes) return undefined;
  const reader = new ByteReader(bytes);
  if (reader.text(cleanStopMagic.length) !== cleanStopMagic) return undefined;
  const number = reader.i64();
  return crc32c(bytes, 0, reader.position) === reader.u32() ? number : undefined;
}
