/*
 * Every constant of the bytes on disk. docs/log-format.md is its twin: the grammar. A change of one must
 * change the other, and raise `formatVersion` if an older reader would misread the new bytes.
 *
 * All integers are big-endian; checksums are CRC-32C.
 */

/**
 * The version written to every versioned file: magic 8, version u32, then fields that depend on the version.
 * Readers know this version and all before it. They refuse a higher one without changing anything.
 *
 * 1: release 0.1.0. 2: `owner`; journal files name their predecessor; checkpoints know the ends of segments.
 */
export const formatVersion = 2;
/** A higher version is damage, not a later format. */
export const formatVersionMax: number = 2 ** 16;

// ---- the data directory

export const identityName = 'identity';
export const identityMagic = 'PBX-DATA';
/** magic 8, version u32, uuid 16, created i64, crc u32 */
export const identityBytes = 40;
export const uuidBytes = 16;
/** The owner of the directory, and how far its journal goes: two blocks, written in turn. */
export const ownerName = 'owner';
export const ownerMagic = 'PBX-OWNR';
/** Random bytes that identify a process. */
export const ownerTokenBytes = 16;
export const journalDirName = 'journal';
export const topicsDirName = 'topics';
export const quarantineDirName = 'quarantine';
/** Two checkpoints alternate between these. */
export const checkpointNames: readonly [string, string] = ['checkpoint-a', 'checkpoint-b'];
/** Present only between a clean stop and the next start. */
export const cleanStopName = 'clean-stop';
export const cleanStopMagic = 'PBX-STOP';
/** magic 8, checkpoint number i64, crc u32 */
export const cleanStopBytes = 20;
/** A file being written, before it is renamed. */
export const temporarySuffix = '.new';

// ---- journal

const journalSuffix = '.journal';
export const journalMagic = 'PBX-JRNL';
/**
 * A journal file starts with one block of this size. Commits are aligned to it, so that a torn write never
 * touches an older commit.
 */
export const blockBytes = 512;
/**
 * magic 8, version u32, uuid 16, start position i64, capacity i64, uses u32, since version 2: previous start
 * i64, previous end i64; crc u32
 */
export const journalHeaderBytes = 68;
export const journalHeaderBytesOfV1 = 52;

/** "PBXC" */
export const commitMagic = 0x50425843;
/**
 * magic u32, length u32, position i64, commit i64, timestamp i64, entries u32, tag u32, flags u32, crc u32
 */
export const commitHeaderBytes = 48;
export const commitLengthAt = 4;
export const commitPositionAt = 8;
export const commitNumberAt = 16;
export const commitTimestampAt = 24;
export const commitEntriesAt = 32;
export const commitTagAt = 36;
export const commitFlagsAt = 40;
export const commitCrcAt = 44;
/** class u8, kind u8, id u48, length u32, crc u32 */
export const commitEntryBytes = 16;
/** The maximum size of a commit: the length field and the engine's buffers allow more. */
export const commitBytesMax: number = 2 ** 30;

/** The kinds of entries in a commit. */
export const EntryClass = {
  /**
   * A RecordBatch v2; the id is its partition. The entry's CRC covers the first 21 bytes, the batch's own the
   * rest.
   */
  batch: 0,
  /** State of the host, which chooses kind and id. */
  host: 1,
  /** State of the log itself: a {@link LogEntryKind}; the id is a partition. */
  log: 2,
} as const;

export const LogEntryKind = {
  /** Segments below an offset are removed: offset i64. */
  trimmed: 0,
  /** A compacted segment replaced its original: base offset i64, bytes i64, rewrite i64. */
  compacted: 1,
} as const;

// ---- RecordBatch v2 (Kafka protocol guide, "Record Batch")

export const batchLengthAt = 8;
export const batchEpochAt = 12;
export const batchMagicAt = 16;
export const batchCrcAt = 17;
/** The batch's CRC covers everything from here on. */
export const batchAttributesAt = 21;
export const batchLastDeltaAt = 23;
export const batchBaseTimestampAt = 27;
export const batchMaxTimestampAt = 35;
export const batchProducerIdAt = 43;
export const batchProducerEpochAt = 51;
export const batchBaseSequenceAt = 53;
export const batchCountAt = 57;
export const batchHeaderBytes = 61;
/** The shortest record: length, attributes, two deltas, no key, no value, no headers. */
export const recordBytesMin = 7;
/** Base offset and length field, which the length field does not count. */
export const batchLengthOverhead = 12;
export const batchMagic = 2;
export const codecMask = 0x07;
export const logAppendTimeFlag = 0x08;
export const transactionalFlag = 0x10;
export const controlFlag = 0x20;

// ---- segments

export const segmentSuffix = '.log';
export const offsetIndexSuffix = '.index';
export const timeIndexSuffix = '.timeindex';
/** A compacted segment before it replaces its original: `<base>.<rewrite>.compacted`. */
export const compactedSuffix = '.compacted';
/** relative offset i32, position i32 */
export const offsetIndexEntryBytes = 8;
/** timestamp i64, relative offset i32 */
export const timeIndexEntryBytes = 12;
/** Offsets in an index are relative to the segment's base and positions are i32. */
export const relativeOffsetMax: number = 2 ** 31 - 1;

// ---- checkpoint

export const checkpointMagic = 'PBX-CKPT';
/**
 * magic 8, version u32, uuid 16, number i64, commit i64, position i64, timestamp i64, table bytes i64,
 * snapshot bytes i64, crc u32
 */
export const checkpointHeaderBytes = 80;

/** `offset` as the 20 digits that name a segment. */
export function segmentName(baseOffset: number, suffix: string): string {
  return String(baseOffset).padStart(20, '0') + suffix;
}

/** `position` as the 16 hex digits that name a journal file. */
export function journalName(start: number): string {
  return start.toString(16).padStart(16, '0') + journalSuffix;
}

/** The start position in the name of a journal file, if it is one. */
export function journalStart(name: string): number | undefined {
  const match = /^([0-9a-f]{16})\.journal$/.exec(name);
  if (!match) return undefined;
  const start = Number.parseInt(match[1]!, 16);
  return Number.isSafeInteger(start) && start % blockBytes === 0 ? start : undefined;
}

/** The next multiple of a block. */
export function alignUp(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}
