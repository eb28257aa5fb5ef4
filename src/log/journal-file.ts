import { ByteReader, ByteWriter, crc32c } from '../util/index.ts';
import { LogError } from './errors.ts';
import type { File, Files } from './files.ts';
import { blockBytes, formatVersion, journalHeaderBytes, journalMagic, uuidBytes } from './format.ts';

/** What a journal file says of itself in its first block. The commits in it prove themselves; this says whose file it is. */
export interface JournalHeader {
  readonly uuid: Uint8Array;
  /** Journal position of the file's first byte. */
  readonly start: number;
  readonly capacity: number;
  /** How often the file was used before. */
  readonly uses: number;
}

/** `magic 8, version u32, uuid 16, start i64, capacity i64, uses u32, crc u32`, then zeros to the end of the block. */
export function encodeJournalHeader(header: JournalHeader): Uint8Array {
  const writer = new ByteWriter(blockBytes)
    .text(journalMagic)
    .u32(formatVersion)
    .bytes(header.uuid)
    .i64(header.start)
    .i64(header.capacity)
    .u32(header.uses);
  return writer.u32(crc32c(writer.view())).align(blockBytes).view();
}

/** Undefined when the block is no intact header. Throws `format-newer` for one of a later version. */
export function decodeJournalHeader(block: Uint8Array): JournalHeader | undefined {
  if (block.length < journalHeaderBytes) return undefined;
  const reader = new ByteReader(block);
  if (reader.text(journalMagic.length) !== journalMagic) return undefined;
  const version = reader.u32();
  const header = {
    uuid: Uint8Array.from(reader.bytes(uuidBytes)),
    start: reader.i64(),
    capacity: reader.i64(),
    uses: reader.u32(),
  };
  const crcAt = reader.position;
  if (reader.u32() !== crc32c(block, 0, crcAt)) return undefined;
  if (version > formatVersion) {
    throw new LogError(
      'format-newer',
      `The journal was written in format ${version}; this program knows formats up to ${formatVersion}. Start a newer program.`,
    );
  }
  return header;
}

const zeroFillBytes = 2 ** 20;
const zeroSyncBytes = 4 * zeroFillBytes;

/**
 * Fills `[from, to)` of a file with zeros and syncs it, a piece at a time, so that the commits of another file do not wait long behind it.
 * Only written zeros will do: space that is merely reserved still makes the first write to it change the file system's own records.
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

/** Reads the header of the journal file at `path`; undefined when there is none that is intact. */
export async function readJournalHeader(files: Files, path: string): Promise<JournalHeader | undefined> {
  const file = await files.open(path);
  try {
    const block = new Uint8Array(blockBytes);
    const count = await file.read(block, 0);
    return decodeJournalHeader(block.subarray(0, count));
  } finally {
    await file.close();
  }
}
