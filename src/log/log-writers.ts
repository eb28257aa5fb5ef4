import { Checkpointer } from './checkpointer.ts';
import { Committer } from './committer.ts';
import type { DataDir } from './data-dir.ts';
import type { Journal } from './journal.ts';
import { journalFileBytesMin } from './journal-sizes.ts';
import type { LogHost } from './log-host.ts';
import type { LogOptions } from './log-options.ts';
import type { LogStores } from './log-stores.ts';
import type { Partitions } from './partitions.ts';
import type { Started } from './startup.ts';

/** The parts of a log that write. They are created when recovery has ended. */
export interface LogWriters {
  readonly journal: Journal;
  readonly committer: Committer;
  readonly checkpointer: Checkpointer;
  /** Number of the checkpoint that the start found or wrote. */
  readonly firstCheckpoint: number;
}

/**
 * The context of the writers: the parts created before them, and the log, which is told of commits and
 * failures.
 */
export interface LogWritersContext {
  readonly host: LogHost;
  readonly options: LogOptions;
  readonly dataDir: DataDir;
  readonly stores: LogStores;
  readonly partitions: Partitions;
  /** A checkpoint is due when this much of the journal is live. */
  readonly checkpointBytes: number;
  committed(): void;
  failed(error: unknown): void;
}

export function logWriters(
  context: LogWritersContext,
  { journal, nextCommit, checkpoints }: Started,
): LogWriters {
  const { host, stores } = context;
  const { clock, dir, decompress } = context.options;
  const { fence, tag, uuid } = context.dataDir;
  const committer = new Committer(
    {
      host,
      clock,
      pool: stores.pool,
      blocks: stores.blocks,
      smallBatches: stores.smallBatches,
      decompress,
      tag,
      sealing: (draft) => checkpointer.sealing(draft),
      isCheckpointWanted: () => checkpointer.isWanted,
      confirm: () => fence.confirm(),
      committed: () => context.committed(),
      failed: (error) => context.failed(error),
    },
    journal,
    nextCommit,
  );
  const checkpointer: Checkpointer = new Checkpointer(
    {
      host,
      files: stores.files,
      clock,
      dir,
      uuid,
      partitions: context.partitions,
      segments: stores.segments,
      requestCommit: () => committer.request(),
      look: () => fence.look(),
      intervalBytes: Math.max(journalFileBytesMin, context.checkpointBytes / 2),
    },
    journal,
    checkpoints,
  );
  return { journal, committer, checkpointer, firstCheckpoint: checkpoints.newest.number };
}
