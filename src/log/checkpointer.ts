import type { Clock } from '../util/index.ts';
import {
  encodeCheckpoint,
  isEmptyRow,
  writeCheckpoint,
  type CheckpointMark,
  type PartitionRow,
} from './checkpoint.ts';
import type { CommitDraft } from './commit.ts';
import type { DiskPartitionLog } from './disk-partition-log.ts';
import { LogError, isShortage, logErrorOf } from './errors.ts';
import type { Files } from './files.ts';
import { EntryClass, LogEntryKind, topicsDirName } from './format.ts';
import type { Journal } from './journal.ts';
import type { LogHost } from './log-host.ts';
import type { Partitions } from './partitions.ts';
import type { SegmentContext } from './segment.ts';

/** The services that the log offers to its checkpointer. */
export interface CheckpointerContext {
  readonly host: LogHost;
  readonly files: Files;
  readonly clock: Clock;
  readonly dir: string;
  readonly uuid: Uint8Array;
  readonly partitions: Partitions;
  readonly segments: SegmentContext;
  /** A caller waits for a checkpoint: seals a commit, even an empty one. */
  readonly requestCommit: () => void;
  /** Checks that the directory is still ours, as the last step before a checkpoint is relied on. */
  readonly look: () => Promise<void>;
  /** A checkpoint is due when this much journal was written since the last one. */
  readonly intervalBytes: number;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const retryAfterMs = 1000;
/**
 * Each attempt uses a block of the journal. If only journal files would be freed, attempts that find no room
 * become rarer.
 */
const excessRetryAfterMsMax = 60_000;
/** On a busy thread each step waits for its turn; concurrent steps wait together. */
const partitionsAtATime = 8;

/**
 * The checkpointer frees the journal. It brings the journal's content to the segments, and writes state and
 * table as of one commit. Journal files that neither this checkpoint nor the previous one needs are recycled.
 *
 * The state is taken while a commit is being sealed. Everything else happens afterwards, while commits go on.
 */
export class Checkpointer {
  readonly #context: CheckpointerContext;
  readonly #journal: Journal;
  #newest: CheckpointMark;
  #older: CheckpointMark | undefined;
  /** Slot of the newest checkpoint. */
  #slot: 0 | 1;
  #running: Promise<void> | undefined = undefined;
  #waiting: Waiter[] = [];
  #notBeforeMs = 0;
  #excessRetryAfterMs = retryAfterMs;
  #excessNotBeforeMs = 0;
  #stopped = false;
  /** Ends a checkpoint whose commit can no longer become durable. */
  #giveUp: (error: LogError) => void = () => {};

  constructor(
    context: CheckpointerContext,
    journal: Journal,
    found: { newest: CheckpointMark; older: CheckpointMark | undefined; slot: 0 | 1 },
  ) {
    this.#context = context;
    this.#journal = journal;
    this.#newest = found.newest;
    this.#older = found.older;
    this.#slot = found.slot;
  }

  get newest(): CheckpointMark {
    return this.#newest;
  }

  /** Number of the checkpoint to fall back to if the newest is damaged. */
  get olderNumber(): number {
    return this.#older?.number ?? -1;
  }

  /** Bytes of journal that a recovery might need. */
  get liveBytes(): number {
    return this.#journal.position - (this.#older ?? this.#newest).position;
  }

  /** Resolves when a checkpoint of everything so far is durable. The caller also asks for a commit. */
  wait(): Promise<void> {
    if (this.#stopped) return Promise.reject(new LogError('closed', 'The log was closed.'));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Whether a checkpoint could start now, and it or the next one would free room on the disk. */
  get givesRoom(): boolean {
    const { clock, partitions } = this.#context;
    if (this.#stopped || this.#running !== undefined || this.#waiting.length > 0) return false;
    if (clock.monotonic() < this.#notBeforeMs) return false;
    if (this.#journal.hasExcess && clock.monotonic() >= this.#excessNotBeforeMs) return true;
    for (const partition of partitions.disk) if (partition.upkeep.hasTrimmedSegments) return true;
    return false;
  }

  /** Whether a commit should be sealed, because a caller waits for a checkpoint. */
  get isWanted(): boolean {
    return this.#waiting.length > 0 && this.#running === undefined;
  }

  get #isDue(): boolean {
    const { clock, intervalBytes } = this.#context;
    return (
      this.#journal.position - this.#newest.position >= intervalBytes &&
      clock.monotonic() >= this.#notBeforeMs
    );
  }

  /**
   * Called while a commit is being sealed, when it is complete. If a checkpoint is due or wanted, takes the
   * state and returns the function to call once the commit is durable.
   */
  sealing(draft: CommitDraft): ((commit: number, position: number) => void) | undefined {
    if (this.#stopped || this.#running !== undefined || (this.#waiting.length === 0 && !this.#isDue))
      return undefined;
    const { host, partitions, clock } = this.#context;
    const snapshot = host.snapshot();
    for (const partition of partitions.disk) {
      if (!partition.upkeep.markCheckpoint()) continue;
      const entry = partition.upkeep.trimmedEntry;
      draft.addEntry(EntryClass.log, LogEntryKind.trimmed, partition.id, entry, entry.length);
    }
    const timestampMs = clock.now();
    const waiters = this.#waiting;
    this.#waiting = [];
    let start: (mark: { commit: number; position: number }) => void = () => {};
    const durable = new Promise<{ commit: number; position: number }>((resolve, reject) => {
      start = resolve;
      this.#giveUp = reject;
    });
    this.#running = durable
      .then((mark) => this.#make({ number: this.#newest.number + 1, ...mark, timestampMs }, snapshot))
      .then(
        () => {
          this.#excessRetryAfterMs = retryAfterMs;
          this.#excessNotBeforeMs = 0;
          for (const { resolve } of waiters) resolve();
        },
        (error: unknown) => {
          this.#notBeforeMs = clock.monotonic() + retryAfterMs;
          this.#excessNotBeforeMs = clock.monotonic() + this.#excessRetryAfterMs;
          this.#excessRetryAfterMs = Math.min(this.#excessRetryAfterMs * 2, excessRetryAfterMsMax);
          for (const { reject } of waiters)
            reject(logErrorOf(error, 'No checkpoint could be made', 'io-failed'));
        },
      )
      .finally(() => {
        this.#running = undefined;
        if (this.#waiting.length > 0 && !this.#stopped) this.#context.requestCommit();
      });
    return (commit, position) => start({ commit, position });
  }

  async #make(
    mark: CheckpointMark & { readonly timestampMs: number },
    snapshot: readonly Uint8Array[],
  ): Promise<void> {
    const { files, dir, uuid, partitions, segments } = this.#context;
    const disk = [...partitions.disk];
    const deleted = partitions.deletedRows(mark.commit);
    const rows = await this.#orWithoutTrimmed(disk, () => this.#rows(disk, mark.number));
    const mentioned = new Set(rows.map(({ id }) => id));
    for (const row of deleted) if (!mentioned.has(row.id)) rows.push(row);
    if (segments.topicsDirUnsynced) {
      segments.topicsDirUnsynced = false;
      await files.syncDir(`${dir}/${topicsDirName}`).catch((error: unknown) => {
        segments.topicsDirUnsynced = true;
        throw error;
      });
    }
    this.#checkRunning();
    await this.#context.look();
    const slot = this.#slot === 0 ? 1 : 0;
    const pieces = encodeCheckpoint(uuid, mark, rows, snapshot);
    await this.#orWithoutTrimmed(disk, () => writeCheckpoint(files, dir, slot, pieces));
    this.#older = this.#newest;
    this.#newest = mark;
    this.#slot = slot;
    partitions.forgetDeletions(rows.filter((row) => row.deleted));
    await this.#journal.free(this.#older.position);
    for (const partition of disk) await partition.upkeep.removeDoomed();
  }

  async #rows(disk: readonly DiskPartitionLog[], number: number): Promise<PartitionRow[]> {
    const rows: PartitionRow[] = [];
    const left = disk.values();
    const work = async (): Promise<void> => {
      for (const partition of left) {
        this.#checkRunning();
        const row = await partition.upkeep.checkpointRow(number);
        if (!isEmptyRow(row)) rows.push(row);
      }
    };
    // All of them end before this function does, even if one fails.
    for (const end of await Promise.allSettled(Array.from({ length: partitionsAtATime }, work))) {
      if (end.status === 'rejected') throw end.reason;
    }
    return rows;
  }

  /**
   * A checkpoint that finds no room is retried without the segments that it no longer lists. On a disk that
   * is full to the last byte, nothing else would ever make room for it.
   */
  async #orWithoutTrimmed<T>(disk: readonly DiskPartitionLog[], step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (!isShortage(error)) throw error;
      let isMore = false;
      for (const partition of disk) if (await partition.upkeep.removeTrimmedEarly()) isMore = true;
      if (!isMore) throw error;
      return step();
    }
  }

  #checkRunning(): void {
    if (this.#stopped) throw new LogError('closed', 'The log was closed.');
  }

  /** Starts no more checkpoints; resolves when the current one has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const closed = new LogError('closed', 'The log was closed.');
    for (const { reject } of this.#waiting.splice(0)) reject(closed);
    this.#giveUp(closed);
    await this.#running;
  }
}
