import type { RecoveryStats } from './startup.ts';

/** The log in figures, for monitoring. In bytes, unless named otherwise. */
export interface LogStats {
  /** Since the log was opened. */
  readonly commits: number;
  readonly commitBytes: number;
  readonly checkpoints: number;
  /** Bytes of journal that a recovery might need, and of all journal files, including spares. */
  readonly journalLiveBytes: number;
  readonly journalDiskBytes: number;
  readonly segmentBytes: number;
  readonly unflushedBytes: number;
  readonly tailCacheBytes: number;
  readonly readCacheBytes: number;
  readonly openFiles: number;
  /** Segment indexes that were found wrong, as after a crash, and rebuilt. */
  readonly indexesRebuilt: number;
  readonly recovery: RecoveryStats;
  /** Files that this run put into the quarantine, relative to the data directory. */
  readonly quarantined: readonly string[];
}
