import type { Clock } from '../util/index.ts';
import { Batch } from './batch.ts';
import {
  encodeCheckpoint,
  isEmptyRow,
  writeCheckpoint,
  type CheckpointMark,
  type PartitionRow,
} from './checkpoint.ts';
import type { Flusher } from './flusher.ts';
import { alignUp, blockBytes, journalDirName, quarantineDirName, topicsDirName } from './format.ts';
import { Journal, type JournalFile, type JournalOptions } from './journal.ts';
import type { LogHost } from './log-host.ts';
import type { Partitions } from './partitions.ts';
import {
  findCheckpoints,
  listJournal,
  wasStoppedCleanly,
  type FoundCheckpoints,
  type RecoveryContext,
} from './inventory.ts';
import { endOf, type ListedFile } from './journal-chain.ts';
import { JournalReplay, type Replayed } from './journal-replay.ts';
import { walkSegment } from './segment-walk.ts';
import { Survey, rowsFromFiles } from './survey.ts';
import { readFile } from './whole-file.ts';

/** The services that the start needs. */
export interface StartupContext extends RecoveryContext {
  readonly host: LogHost;
  readonly clock: Clock;
  readonly partitions: Partitions;
  readonly flusher: Flusher;
  readonly journal: JournalOptions;
}

/** The result of opening the log. */
export interface RecoveryStats {
  /** The log had been closed, and nothing was replayed. */
  readonly cleanStop: boolean;
  /** Bytes of journal replayed. */
  readonly journalBytes: number;
  readonly commits: number;
  /** Bytes of an unacknowledged last commit that was cut off. */
  readonly tornBytes: number;
  readonly ms: number;
}

export interface Started {
  readonly journal: Journal;
  readonly nextCommit: number;
  readonly checkpoints: {
    readonly newest: CheckpointMark;
    readonly older: CheckpointMark | undefined;
    readonly slot: 0 | 1;
  };
  /** The journal is damaged: a checkpoint is due, so that the next start does not find the damage again. */
  readonly isDamaged: boolean;
  readonly stats: Omit<RecoveryStats, 'ms'>;
}

/** Starts a log: a new one, or the one that the last process left. */
export async function startLog(context: StartupContext): Promise<Started> {
  const { files, dataDir } = context;
  for (const name of [journalDirName, topicsDirName, quarantineDirName])
    await files.makeDir(`${dataDir.dir}/${name}`);
  await files.syncDir(dataDir.dir);
  return dataDir.isFresh ? startFresh(context) : recover(context);
}

async function startFresh(context: StartupContext): Promise<Started> {
  const { files, dataDir, clock, host } = context;
  const first: CheckpointMark = { number: 1, commit: 0, position: blockBytes };
  const journal = await Journal.create(context.journal);
  await writeCheckpoint(
    files,
    dataDir.dir,
    0,
    encodeCheckpoint(dataDir.uuid, { ...first, timestampMs: clock.now() }, [], []),
  );
  host.restore(undefined);
  return {
    journal,
    nextCommit: 1,
    isDamaged: false,
    checkpoints: { newest: first, older: undefined, slot: 0 },
    stats: { cleanStop: false, journalBytes: 0, commits: 0, tornBytes: 0 },
  };
}

async function recover(context: StartupContext): Promise<Started> {
  const { host, partitions } = context;
  const found = await findCheckpoints(context);
  const checkpoint = found.newest?.checkpoint;
  const journalFiles = await listJournal(context, checkpoint?.position ?? 0);
  if (await wasStoppedCleanly(context, checkpoint, journalFiles)) {
    partitions.load(storedRows(checkpoint!.partitions), checkpoint!.number);
    host.restore(stateOf(found));
    partitions
      .deleteTombstones(checkpoint!.commit + 1)
      .forEach((deletion) => void deletion.catch(context.journal.failed));
    const replayed: Replayed = {
      position: checkpoint!.position,
      nextCommit: checkpoint!.commit + 1,
      commits: 0,
      bytes: 0,
      tornBytes: 0,
      whole: true,
      leaveTo: undefined,
      last: undefined,
      lostOffsets: () => 0,
    };
    return resume(context, found, journalFiles, replayed, true);
  }
  return recoverUnclean(context, found, journalFiles);
}

/** Checkpoints of earlier versions list partitions that never had a record. */
function storedRows(rows: readonly PartitionRow[]): PartitionRow[] {
  return rows.filter((row) => !isEmptyRow(row));
}

/** The first checkpoint of a new log has no state. */
function stateOf(found: FoundCheckpoints): Uint8Array | undefined {
  const checkpoint = found.newest?.checkpoint;
  return checkpoint === undefined || checkpoint.commit === 0 ? undefined : checkpoint.snapshot;
}

async function recoverUnclean(
  context: StartupContext,
  found: FoundCheckpoints,
  journalFiles: readonly ListedFile[],
): Promise<Started> {
  const { files, dataDir, host, partitions, flusher, damaged } = context;
  const checkpoint = found.newest?.checkpoint;
  const survey = new Survey(files, dataDir.dir, context.quarantine, damaged);
  let rows: PartitionRow[];
  if (checkpoint === undefined)
    rows = await rowsFromFiles(files, dataDir.dir, (path, bytes, base) =>
      readToEnd(context, path, bytes, base),
    );
  else {
    await survey.begin(new Map(checkpoint.partitions.map((row) => [row.id, row])));
    rows = storedRows(checkpoint.partitions).map((row) => (survey.isLonger(row.id) ? sealedRow(row) : row));
  }
  partitions.load(rows, checkpoint?.number ?? 0);
  partitions.oweDirSyncs(checkpoint === undefined ? rows.map(({ id }) => id) : survey.found);
  host.restore(stateOf(found));

  const compactions: (() => Promise<void>)[] = [];
  const replay = new JournalReplay(
    context,
    {
      partition: (id) => partitions.ofJournal(id),
      batch: (partition, batch) => host.replayBatch(partition, batch),
      entry: (kind, id, payload) => host.replayEntry(kind, id, payload),
      compacted: (id, baseOffset, bytes, rewrite) => {
        compactions.push(async () =>
          partitions.ofJournal(id)?.upkeep.recoverCompacted(baseOffset, bytes, rewrite),
        );
      },
      committed: (commit, timestampMs) => host.replayedCommit?.(commit, timestampMs),
      pause: async (last) => {
        if (!flusher.isDue) return;
        await writeAgain(context, last); // the segments must not have batches that the journal may lose
        flusher.kick();
        await flusher.settled();
      },
    },
    checkpoint,
  );
  const replayed = await replay.run(journalFiles);
  await writeAgain(context, replayed.last);
  // Any partition may have lost records, even one that nothing else mentions.
  if (!replayed.whole) host.openPartitions?.((id) => replayed.lostOffsets(id) > 0);
  await flusher.settled();
  for (const compaction of compactions) await compaction();
  for (const partition of partitions.disk) {
    const kept = partition.recovery.recovered();
    const lost = partition.recovery.passOver(replayed.lostOffsets(partition.id));
    if (lost !== undefined) {
      damaged({
        kind: 'journal',
        message:
          `Damaged commits held the last records of partition ${partition.id}, or may have: how many is not known, so offsets ` +
          `${lost.from} to ${lost.to - 1} are never used again.`,
        path: journalDirName,
        partitionId: partition.id,
        fromOffset: lost.from,
        toOffset: lost.to,
      });
    }
    if (kept === undefined) continue;
    damaged({
      kind: 'journal',
      message:
        `Offsets ${kept.keptFrom} to ${kept.keptTo - 1} of partition ${partition.id} are in its segments but no longer in the journal: ` +
        'the records are kept; state changes of the same time may be lost.',
      path: journalDirName,
    });
  }
  partitions
    .deleteTombstones(replayed.nextCommit)
    .forEach((deletion) => void deletion.catch(context.journal.failed));
  if (checkpoint !== undefined) await survey.finish(replayed.whole, (id) => partitions.isKnown(id));
  if (found.newest !== undefined)
    await writeCheckpoint(files, dataDir.dir, found.newest.slot, [found.newest.bytes]);
  return resume(context, found, journalFiles, replayed, false);
}

function sealedRow(row: PartitionRow): PartitionRow {
  return {
    ...row,
    segments: row.segments.map((segment, i) =>
      i === row.segments.length - 1 ? { ...segment, sealed: true } : segment,
    ),
  };
}

/** How far a segment is intact, if nothing else says where it ends. */
async function readToEnd(
  context: StartupContext,
  path: string,
  bytes: number,
  baseOffset: number,
): Promise<{ endOffset: number; bytes: number; maxTimestampMs: number }> {
  const buffer = (await readFile(context.files, path)) ?? new Uint8Array(0);
  const { positions } = walkSegment(buffer, bytes, baseOffset, Number.MAX_SAFE_INTEGER);
  let maxTimestampMs = -1;
  let last: Batch | undefined;
  for (const position of positions) {
    last = new Batch(buffer.subarray(position));
    maxTimestampMs = Math.max(maxTimestampMs, last.maxTimestampMs);
  }
  if (last === undefined) return { endOffset: baseOffset, bytes: 0, maxTimestampMs };
  const lastBytes = new DataView(last.buffer.buffer, last.buffer.byteOffset).getInt32(8) + 12;
  return { endOffset: last.endOffset, bytes: positions[positions.length - 1]! + lastBytes, maxTimestampMs };
}

/**
 * Data just read may only be in the system's memory: the previous process may have ended because a sync
 * failed, after which the system shows the new bytes but never writes them. So the commit whose sync may have
 * been the last is written again before anything relies on it; the checkpoint is written again at the end of
 * the start.
 */
async function writeAgain({ files, dataDir }: StartupContext, last: Replayed['last']): Promise<void> {
  if (last === undefined) return;
  const { file, position, bytes } = last;
  const opened = await files.open(file.path, { syncWrites: true });
  try {
    const commit = Buffer.allocUnsafe(bytes);
    const count = await opened.read(commit, position - file.start);
    await opened.write(commit.subarray(0, count), position - file.start);
  } finally {
    await opened.close();
  }
  await files.syncDir(`${dataDir.dir}/${journalDirName}`);
}

/** A file that no checkpoint needs can be reused if it has its full size; otherwise it is removed. */
async function keepSpare(context: StartupContext, spares: JournalFile[], file: ListedFile): Promise<void> {
  if (file.size >= file.capacity) spares.push(file);
  else await context.files.remove(file.path);
}

async function resume(
  context: StartupContext,
  found: FoundCheckpoints,
  journalFiles: readonly ListedFile[],
  replayed: Replayed,
  cleanStop: boolean,
): Promise<Started> {
  const { quarantine, damaged } = context;
  const needed = (found.older ?? found.newest)?.checkpoint.position ?? 0;
  const { leaveTo } = replayed;
  const older: JournalFile[] = [];
  const spares: JournalFile[] = [];
  let current: JournalFile | undefined;
  // A later file says that the journal goes on behind this position: a commit written here would not be read.
  const isLeft = journalFiles.some(
    (file) =>
      file.readEnd < endOf(file) && replayed.position > file.start && replayed.position <= endOf(file),
  );
  const goesOn = leaveTo === undefined && !isLeft;
  for (const file of journalFiles) {
    const end = endOf(file);
    if (goesOn && replayed.position > file.start && replayed.position <= end) current = file;
    else if (end <= needed) await keepSpare(context, spares, file);
    else if (file.start < Math.max(replayed.position, leaveTo ?? 0) || (isLeft && leaveTo === undefined))
      older.push(file); // a later file that is left has its place: the owner record may name it
    else if (replayed.whole && !found.lost) await keepSpare(context, spares, file);
    else {
      // After the end, where nothing was found; but other parts were damaged, and so may be this one.
      const name = file.path.slice(file.path.lastIndexOf('/') + 1);
      const quarantined = await quarantine.move(file.path, `${journalDirName}-${name}`);
      const message = `${journalDirName}/${name} holds no commit that can be read and was set aside as ${quarantined}.`;
      damaged({ kind: 'journal', message, path: `${journalDirName}/${name}`, quarantined });
    }
  }
  let journal: Journal;
  if (current !== undefined) {
    journal = await Journal.resume(context.journal, { current, position: replayed.position, older, spares });
  } else {
    const start = alignUp(Math.max(0, replayed.position, leaveTo ?? 0, ...journalFiles.map(endOf)));
    const before = older.findLast((file) => file.start < replayed.position);
    const predecessor = {
      previousStart: before?.start ?? context.dataDir.fence.former?.mark.fileStart ?? -1,
      previousEnd: goesOn ? 0 : replayed.position,
    };
    journal = await Journal.create(context.journal, start, spares, older, predecessor);
  }
  let newest: CheckpointMark | undefined = found.newest?.checkpoint;
  if (newest === undefined) {
    // Without any checkpoint the journal is needed from its start. This mark says so, and the first
    // checkpoint replaces it.
    newest = {
      number: 0,
      commit: 0,
      position: Math.min(replayed.position, ...journalFiles.map(({ start }) => start)),
    };
  }
  return {
    journal,
    nextCommit: replayed.nextCommit,
    checkpoints: { newest, older: found.older?.checkpoint, slot: found.newest?.slot ?? 1 },
    isDamaged: leaveTo !== undefined || !replayed.whole,
    stats: {
      cleanStop,
      journalBytes: replayed.bytes,
      commits: replayed.commits,
      tornBytes: replayed.tornBytes,
    },
  };
}
