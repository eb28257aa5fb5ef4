import { ByteReader, ByteWriter, crc32c, readU32 } from '../util/index.ts';
import type { Files } from './files.ts';
import { blockBytes, formatVersion, ownerMagic, ownerName, ownerTokenBytes, uuidBytes } from './format.ts';
import { versionOf } from './versioned.ts';
import { readFile } from './whole-file.ts';

/** How far the journal is known to go: if a start finds less than this, content is missing. */
export interface JournalMark {
  /** Number of the newest durable checkpoint. */
  readonly checkpoint: number;
  /** The start of the file that takes commits; -1 if there is none yet. */
  readonly fileStart: number;
  readonly fileCapacity: number;
  /** The last durable commit, and the position after it. */
  readonly commit: number;
  readonly position: number;
}

export const noMark: JournalMark = { checkpoint: 0, fileStart: -1, fileCapacity: 0, commit: 0, position: 0 };

/** Whether the log was never open. */
export function isUnused({ checkpoint, commit }: JournalMark): boolean {
  return checkpoint === 0 && commit === 0;
}

/** The owner of a data directory, as recorded in its file. */
export interface OwnerRecord {
  readonly uuid: Uint8Array;
  /** Increases with each start. */
  readonly epoch: number;
  /** Identifies the process. */
  readonly token: Uint8Array;
  /** Increases with each heartbeat, through all epochs. */
  readonly beat: number;
  /** False if the owner released the directory. */
  readonly isRunning: boolean;
  /** The scope of its lock. */
  readonly scope: string;
  /** A description for people. */
  readonly holder: string;
  readonly mark: JournalMark;
  /** The interval of its heartbeats. */
  readonly heartbeatMs: number;
}

/** The interval of owners whose record does not have it. */
const formerHeartbeatMs = 1000;
const textBytesMax = 120;
const crcAt = blockBytes - 4;

/**
 * One block: `magic 8, version u32, uuid 16, epoch i64, token 16, beat i64, running u8, checkpoint i64, file
 * start i64, file capacity i64, commit i64, position i64, scope (u8 length, text), holder (u8 length, text),
 * heartbeat u32 (0: 1000)`, zeros, and in the last four bytes `crc u32`.
 */
export function encodeOwner(record: OwnerRecord): Uint8Array {
  const { mark } = record;
  const writer = new ByteWriter(blockBytes)
    .text(ownerMagic)
    .u32(formatVersion)
    .bytes(record.uuid)
    .i64(record.epoch)
    .bytes(record.token)
    .i64(record.beat)
    .u8(record.isRunning ? 1 : 0)
    .i64(mark.checkpoint)
    .i64(mark.fileStart)
    .i64(mark.fileCapacity)
    .i64(mark.commit)
    .i64(mark.position);
  for (const text of [record.scope, record.holder]) {
    const bytes = Buffer.from(text).subarray(0, textBytesMax);
    writer.u8(bytes.length).bytes(bytes);
  }
  writer.u32(record.heartbeatMs);
  writer.zeros(crcAt - writer.length);
  return writer.u32(crc32c(writer.view())).view();
}

/** Undefined if the block is not intact. Throws `format-newer`. */
function decodeOwner(block: Uint8Array, what: string): OwnerRecord | undefined {
  if (versionOf(block, ownerMagic, what, isIntact) === undefined || !isIntact(block)) return undefined;
  const reader = new ByteReader(block);
  reader.skip(ownerMagic.length + 4);
  const uuid = Uint8Array.from(reader.bytes(uuidBytes));
  const epoch = reader.i64();
  const token = Uint8Array.from(reader.bytes(ownerTokenBytes));
  const beat = reader.i64();
  const isRunning = reader.u8() === 1;
  const [checkpoint, fileStart, fileCapacity, commit, position] = [
    reader.i64(),
    reader.i64(),
    reader.i64(),
    reader.i64(),
    reader.i64(),
  ];
  const scope = reader.text(reader.u8());
  const holder = reader.text(reader.u8());
  const mark = { checkpoint, fileStart, fileCapacity, commit, position };
  const heartbeatMs = reader.u32() || formerHeartbeatMs;
  return { uuid, epoch, token, beat, isRunning, scope, holder, mark, heartbeatMs };
}

function isIntact(block: Uint8Array): boolean {
  return block.length >= blockBytes && crc32c(block, 0, crcAt) === readU32(block, crcAt);
}

/** The intact records of an owner file, newest first. */
export function ownersIn(bytes: Uint8Array, what: string): OwnerRecord[] {
  const records: OwnerRecord[] = [];
  for (const at of [0, blockBytes]) {
    const record = decodeOwner(bytes.subarray(at, at + blockBytes), what);
    if (record !== undefined) records.push(record);
  }
  return records.sort((a, b) => b.epoch - a.epoch || b.beat - a.beat);
}

/** The records of a data directory; undefined if it has no such file. */
export async function readOwners(files: Files, dir: string): Promise<OwnerRecord[] | undefined> {
  const path = `${dir}/${ownerName}`;
  const bytes = await readFile(files, path);
  return bytes === undefined ? undefined : ownersIn(bytes, `Data directory ${dir}`);
}
