import {
  ByteWriter,
  crc32c,
  readI64,
  readU16,
  readU32,
  writeI64,
  writeU16,
  writeU32,
} from '../util/index.ts';
import { isIntactBatch } from './batch.ts';
import {
  EntryClass,
  alignUp,
  batchAttributesAt,
  commitBytesMax,
  commitCrcAt,
  commitEntriesAt,
  commitEntryBytes,
  commitFlagsAt,
  commitHeaderBytes,
  commitLengthAt,
  commitMagic,
  commitNumberAt,
  commitPositionAt,
  commitTagAt,
  commitTimestampAt,
} from './format.ts';

/** One item of a commit: a batch, or an entry of state. */
export interface CommitItem {
  readonly entryClass: number;
  readonly kind: number;
  readonly id: number;
  /** For a batch that is still open, known only when the commit is sealed. */
  payload: Uint8Array;
  start: number;
  end: number;
}

/** The place and time of a commit. */
export interface CommitPlace {
  /**
   * Position of the first byte in the whole journal. Old bytes of a recycled file never pass for a commit,
   * because their position is different.
   */
  readonly position: number;
  /** Increases by one. */
  readonly commit: number;
  readonly timestampMs: number;
  /** The log's own tag, derived from its uuid. */
  readonly tag: number;
}

const two32 = 2 ** 32;

/** Bytes of a commit with these items on disk, before padding to whole blocks. */
export function commitBytes(items: readonly CommitItem[]): number {
  let bytes = commitHeaderBytes + items.length * commitEntryBytes;
  for (const item of items) bytes += item.end - item.start;
  return bytes;
}

/**
 * Writes a commit to the start of `target`, padded with zeros to whole blocks; returns the number of bytes.
 */
export function encodeCommit(target: Buffer, items: readonly CommitItem[], place: CommitPlace): number {
  const tableEnd = commitHeaderBytes + items.length * commitEntryBytes;
  let entryAt = commitHeaderBytes;
  let payloadAt = tableEnd;
  for (const item of items) {
    const { payload, start, end } = item;
    const length = end - start;
    target.set(start === 0 && end === payload.length ? payload : payload.subarray(start, end), payloadAt);
    target[entryAt] = item.entryClass;
    target[entryAt + 1] = item.kind;
    writeU16(target, entryAt + 2, Math.floor(item.id / two32));
    writeU32(target, entryAt + 4, item.id >>> 0);
    writeU32(target, entryAt + 8, length);
    writeU32(target, entryAt + 12, crc32c(target, payloadAt, coveredEnd(item.entryClass, payloadAt, length)));
    entryAt += commitEntryBytes;
    payloadAt += length;
  }
  writeU32(target, 0, commitMagic);
  writeU32(target, commitLengthAt, payloadAt);
  writeI64(target, commitPositionAt, place.position);
  writeI64(target, commitNumberAt, place.commit);
  writeI64(target, commitTimestampAt, place.timestampMs);
  writeU32(target, commitEntriesAt, items.length);
  writeU32(target, commitTagAt, place.tag);
  writeU32(target, commitFlagsAt, 0);
  writeU32(target, commitCrcAt, headerCrc(target, 0, tableEnd));
  const end = alignUp(payloadAt);
  target.fill(0, payloadAt, end);
  return end;
}

/**
 * End of the bytes that an entry's CRC covers. A batch has a CRC of its own over all but its first 21 bytes,
 * so that each byte is checksummed once.
 */
function coveredEnd(entryClass: number, start: number, length: number): number {
  return start + (entryClass === EntryClass.batch ? Math.min(length, batchAttributesAt) : length);
}

/** CRC of the header (without the CRC itself) and the entry table. */
function headerCrc(buffer: Uint8Array, start: number, tableEnd: number): number {
  return crc32c(buffer, start + commitHeaderBytes, tableEnd, crc32c(buffer, start, start + commitCrcAt));
}

/** The header of a commit. */
export interface CommitHeader extends CommitPlace {
  /** Bytes of header, table and payloads. */
  readonly length: number;
  readonly entries: number;
  /** Bytes of header and table: where the first payload starts. */
  readonly tableBytes: number;
}

/**
 * Reads the header of a commit in `buffer[start, end)` that must be at journal position `position`. Returns
 * undefined if there is none, or the number of bytes needed if it looks like one but is not complete.
 */
export function readCommitHeader(
  buffer: Uint8Array,
  start: number,
  end: number,
  position: number,
  tag: number,
): CommitHeader | number | undefined {
  if (end - start < commitHeaderBytes) return commitHeaderBytes;
  if (readU32(buffer, start) !== commitMagic) return undefined;
  if (readI64(buffer, start + commitPositionAt) !== position || readU32(buffer, start + commitTagAt) !== tag)
    return undefined;
  const length = readU32(buffer, start + commitLengthAt);
  const entries = readU32(buffer, start + commitEntriesAt);
  const tableBytes = commitHeaderBytes + entries * commitEntryBytes;
  if (length > commitBytesMax || tableBytes > length) return undefined;
  if (end - start < tableBytes) return tableBytes;
  const tableEnd = start + tableBytes;
  if (headerCrc(buffer, start, tableEnd) !== readU32(buffer, start + commitCrcAt)) return undefined;
  let payloads = 0;
  for (let at = start + commitHeaderBytes; at < tableEnd; at += commitEntryBytes)
    payloads += readU32(buffer, at + 8);
  if (tableBytes + payloads !== length) return undefined;
  return {
    position,
    commit: readI64(buffer, start + commitNumberAt),
    timestampMs: readI64(buffer, start + commitTimestampAt),
    tag,
    length,
    entries,
    tableBytes,
  };
}

/**
 * Bytes of a commit with a damaged header, by its length field, or undefined. The position or the number must
 * match, and one more of the first fields. Magic and tag alone do not count: every old commit of a recycled
 * file has them.
 */
export function readRuinedHeader(
  block: Uint8Array,
  place: Omit<CommitPlace, 'timestampMs'>,
): number | undefined {
  const own =
    Number(readI64(block, commitPositionAt) === place.position) +
    Number(readI64(block, commitNumberAt) === place.commit);
  const common =
    Number(readU32(block, 0) === commitMagic) + Number(readU32(block, commitTagAt) === place.tag);
  return own > 0 && own + common > 1 ? readU32(block, commitLengthAt) : undefined;
}

/** One entry of a commit that was read; the object is reused for the next entry. */
export interface CommitEntry {
  entryClass: number;
  kind: number;
  id: number;
  start: number;
  end: number;
  /** Whether its bytes match their checksum. */
  intact: boolean;
}

/**
 * Calls back for each entry of the commit at `start`, in order. With `check` the checksums are verified;
 * otherwise the entries count as intact.
 */
export function readCommitEntries(
  buffer: Uint8Array,
  start: number,
  header: CommitHeader,
  check: boolean,
  each: (entry: CommitEntry) => void,
): void {
  const entry: CommitEntry = { entryClass: 0, kind: 0, id: 0, start: 0, end: 0, intact: true };
  const tableEnd = start + header.tableBytes;
  let payloadAt = tableEnd;
  for (let at = start + commitHeaderBytes; at < tableEnd; at += commitEntryBytes) {
    const length = readU32(buffer, at + 8);
    entry.entryClass = buffer[at]!;
    entry.kind = buffer[at + 1]!;
    entry.id = readU16(buffer, at + 2) * two32 + readU32(buffer, at + 4);
    entry.start = payloadAt;
    entry.end = payloadAt + length;
    if (check) {
      entry.intact =
        crc32c(buffer, payloadAt, coveredEnd(entry.entryClass, payloadAt, length)) ===
          readU32(buffer, at + 12) &&
        (entry.entryClass !== EntryClass.batch || isIntactBatch(buffer, payloadAt, payloadAt + length));
    }
    each(entry);
    payloadAt += length;
  }
}

/**
 * A commit draft collects the content of the next commit. Payloads of entries are copied into one buffer;
 * batches stay where they are being built.
 */
export class CommitDraft {
  readonly items: CommitItem[] = [];
  readonly #entries = new ByteWriter(4096);
  /** Payload bytes so far, including open batches. */
  bytes = 0;

  get isEmpty(): boolean {
    return this.items.length === 0;
  }

  addEntry(entryClass: number, kind: number, id: number, payload: Uint8Array, length: number): void {
    const start = this.#entries.length;
    this.#entries.bytes(payload, 0, length);
    this.items.push({ entryClass, kind, id, payload: noBytes, start, end: start + length });
    this.bytes += length;
  }

  /**
   * Sets the payloads of the entries. This must wait until the end, because their buffer may move while it
   * grows.
   */
  close(): readonly CommitItem[] {
    const buffer = this.#entries.buffer;
    for (const item of this.items) if (item.entryClass !== EntryClass.batch) item.payload = buffer;
    return this.items;
  }

  clear(): void {
    this.items.length = 0;
    this.#entries.reset(2 ** 20);
    this.bytes = 0;
  }
}

const noBytes = new Uint8Array(0);
