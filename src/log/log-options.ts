import type { BlockPool, Clock, Random } from '../util/index.ts';
import type { Files } from './files.ts';

/**
 * Decompresses the records section of a batch: codec 1 gzip, 2 snappy, 3 lz4, 4 zstd. Throws if the result
 * would exceed `bytesMax`.
 */
export type Decompress = (codec: number, bytes: Uint8Array, bytesMax: number) => Uint8Array;

/** The place of the log, and its limits in bytes. */
export interface LogOptions {
  readonly dir: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * How often the broker checks that it still owns the data directory and that its files are in their places,
   * and writes a heartbeat. A broker that comes by another path, or from another machine, waits for five
   * times as long. Default 1000.
   */
  readonly heartbeatMs?: number;
  /**
   * About how much of the disk the journal takes at most. Default: a sixteenth of the disk, from 16 to 320
   * MiB.
   */
  readonly journalBytesMax?: number;
  /**
   * Size of a journal file once the log has warmed up; the first ones are smaller, so that a fresh start is
   * fast. Default: a fifth of {@link journalBytesMax}.
   */
  readonly journalFileBytes?: number;
  /**
   * Checkpoints are made often enough that at most about this much journal is live. Default: four fifths of
   * {@link journalBytesMax}.
   */
  readonly checkpointBytes?: number;
  /** Default: a sixteenth of the disk, from 4 to 64 MiB. */
  readonly segmentBytesMax?: number;
  /** One index entry per this many bytes of a segment. Default 4096. */
  readonly indexIntervalBytes?: number;
  /** A batch built by the log is closed when it has this many bytes or records. Defaults 64 KiB and 1000. */
  readonly batchBytesMax?: number;
  readonly batchRecordsMax?: number;
  /** The largest record, and the largest batch from outside. Default 64 MiB. */
  readonly recordBytesMax?: number;
  /**
   * Batches kept in memory after they went to their segment, of all partitions, oldest dropped first. Default
   * 32 MiB.
   */
  readonly tailCacheBytesMax?: number;
  /** Batches read back from disk, of all partitions, least recently used dropped first. Default 32 MiB. */
  readonly readCacheBytesMax?: number;
  /** Durable batches not yet written to their segment. Default 32 MiB. */
  readonly unflushedBytesMax?: number;
  /** The log is congested while more than this waits in the open commit. Default 16 MiB. */
  readonly commitBytesMax?: number;
  /** Open segment files; fewer if the system runs out of descriptors. Default 2048. */
  readonly openFilesMax?: number;
  /**
   * Lends the memory of large batches; by default a pool of its own. Callers that append whole batches may
   * take their memory from it too.
   */
  readonly blocks?: BlockPool;
  /** Needed to read compressed batches; without it they are stored and returned unchanged. */
  readonly decompress?: Decompress;
}
