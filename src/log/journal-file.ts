import { ByteReader, ByteWriter, crc32c, readU32 } from '../util/index.ts';
import type { File, Files } from './files.ts';
import {
  blockBytes,
  formatVersion,
  journalHeaderBytes,
  journalHeaderBytesOfV1,
  journalMagic,
  uuidBytes,
} from './format.ts';
import { versionOf } from './versioned.ts';

/**
 * The header of a journal file. The commits in the file are valid by themselves; the header says which log it
 * belongs to.
 */
export interface JournalHeader {
  readonly uuid: Uint8Array;
  /** Journal position of the file's first byte. */
  readonly start: number;
  readonly capacity: number;
  /** How many times the file was used before. */
  readonly uses: number;
  /** The start of the previous file; -1 if there is none or it is not known. */
  readonly previousStart: number;
  /**
   * From this position on, the content of the previous file is not part of the journal; 0 if all of it may
   * be.
   */
  readonly previousEnd: number;
}

/**
 * `magic 8, version u32, uuid 16, start i64, capacity i64, uses u32, previous start i64, previous end i64,
 * crc u32`, then zeros to the end of the block.
 */
export function encodeJournalHeader(header: JournalHeader): Uint8Array {
  const writer = new ByteWriter(blockBytes)
    .text(journalMagic)
    .u32(formatVersion)
    .bytes(header.uuid)
    .i64(header.start)
    .i64(header.capacity)
    .u32(header.uses)
    .i64(header.previousStart)
    .i64(header.previousEnd);
  return writer.u32(crc32c(writer.view())).align(blockBytes).view();
}

/** Undefined if the block is not an intact header. Throws `format-newer` for one of a later version. */
export function decodeJournalHeader(
  block: Uint8Array,
  what: string = 'The journal',
): JournalHeader | undefined {
  const version = versionOf(block.subarray(0, journalHeaderBytes), journalMagic, what, isIntact);
  if (version === undefined || !isIntact(block, version)) return undefined;
  const reader = new ByteReader(block);
  reader.skip(journalMagic.length + 4);
  return {
    uuid: Uint8Array.from(reader.bytes(uuidBytes)),
    start: reader.i64(),
    capacity: reader.i64(),
    uses: reader.u32(),
    previousStart: version === 1 ? -1 : reader.i64(),
    previousEnd: version === 1 ? 0 : reader.i64(),
  };
}

function isIntact(block: Uint8Array, version: number): boolean {
  const bytes = version === 1 ? journalHeaderBytesOfV1 : journalHeaderBytes;
  return block.length >= bytes && crc32c(block, 0, bytes - 4) === readU32(block, bytes - 4);
}

const zeroFillBytes = 2 ** 20;
const zeroSyncBytes = 4 * zeroFillBytes;

/**
 * Fills `[from, to)` of a file with zeros and syncs it, a piece at a time, so that the commits of another
 * file do not wait long. Only written zeros help: with space that is merely reserved, the first write still
 * changes the file system's own records.
 */
export async function fillWithZeros(
  file: File,
  from: number,
  to: number,
  cancelled: () => boolean,
): Promise<void> {
  const zeros = new Uint8Array(Math.min(to - from, zeroFillBytes));
  let unsynced = 0;
  for (let at = from; at < to && !cancelled(); at += zeros.length) {
    const piece = Math.min(zeros.length, to - at);
    await file.write(piece === zeros.length ? zeros : zeros.subarray(0, piece), at);
    unsynced += piece;
    if (unsynced >= zeroSyncBytes) {
      await file.sync();
      unsynced = 0;
    }
  }
  await file.sync();
}

/** Reads the header of the journal file at `path`; undefined if there is no intact one. */
export async function readJournalHeader(files: Files, path: string): Promise<JournalHeader | undefined> {
  const file = await files.open(path);
  try {
    const block = new Uint8Array(blockBytes);
    const count = await file.read(block, 0);
    return decodeJournalHeader(block.subarray(0, count), `Journal file ${path}`);
  } finally {
    await file.close();
  }
}
