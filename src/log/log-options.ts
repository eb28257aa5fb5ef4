import type { BlockPool, Clock, Random } from '../util/index.ts';
import type { Files } from './files.ts';

/**
 * Opens the records section of a batch: codec 1 gzip, 2 snappy, 3 lz4, 4 zstd. Throws when the result would
 * exceed `bytesMax`.
 */
export type Decompress = (codec: number, bytes: Uint8Array, bytesMax: number) => Uint8Array;

/** Where the log lives and its limits, in bytes. */
export interface LogOptions {
  readonly dir: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * The broker sees so often that the data directory is still its own and its files where they were, and says
   * there that it lives. A broker that comes by another path, or from another machine, waits for five times
   * as long. Default 1000.
   */
  readonly heartbeatMs?: number;
  /**
   * About how much of the disk the journal takes at most. Default: a sixteenth of the disk, from 16 to 320
   * MiB.
   */
  readonly journalBytesMax?: number;
  /**
   * Size of a journal file once the log has warmed up; the first ones are smaller, so that a fresh start is
   * quick. Default: a fifth of {@link journalBytesMax}.
   */
  readonly journalFileBytes?: number;
  /**
   * A checkpoint is made often enough that about this much journal is live at most. Default: four fifths of
   * {@link journalBytesMax}.
   */
  readonly checkpointBytes?: number;
  /** Default: a sixteenth of the disk, from 4 to 64 MiB. */
  readonly segmentBytesMax?: number;
  /** One index entry per this many bytes of a segment. Default 4096. */
  readonly indexIntervalBytes?: number;
  /** A batch built here is closed when it has this many bytes or records. Defaults 64 KiB and 1000. */
  readonly batchBytesMax?: number;
  readonly batchRecordsMax?: number;
  /** No record and no batch from outside may be larger. Default 64 MiB. */
  readonly recordBytesMax?: number;
  /**
   * Batches kept in memory after they went to their segment, of all partitions, oldest out first. Default 32
   * MiB.
   */
  readonly tailCacheBytesMax?: number;
  /** Batches read back from disk, of all partitions, least recently used out first. Default 32 MiB. */
  readonly readCacheBytesMax?: number;
  /** Durable batches not yet written to their segment. Default 32 MiB. */
  readonly unflushedBytesMax?: number;
  /** The log calls itself congested while more than this waits in the open commit. Default 16 MiB. */
  readonly commitBytesMax?: number;
  /** Open segment files; fewer when the system has no more descriptors to give. Default 2048. */
  readonly openFilesMax?: number;
  /**
   * Lends the memory of large batches; a pool of its own by default. Whoever brings batches whole may take
   * their memory from it too.
   */
  readonly blocks?: BlockPool;
  /** Needed to look into compressed batches; without it they are stored and handed out as they are. */
  readonly decompress?: Decompress;
}
