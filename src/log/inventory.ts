import { decodeCheckpoint, takeCleanStop, type Checkpoint } from './checkpoint.ts';
import { readCommitHeader } from './commit.ts';
import type { DataDir } from './data-dir.ts';
import type { DamageReport } from './errors.ts';
import type { Files } from './files.ts';
import {
  blockBytes,
  checkpointNames,
  commitHeaderBytes,
  journalDirName,
  journalStart,
  temporarySuffix,
} from './format.ts';
import { readJournalHeader } from './journal-file.ts';
import { scanJournal } from './journal-scan.ts';
import { endOf, givenUp, withReadEnds, type ListedFile } from './journal-chain.ts';
import type { JournalMark } from './owner.ts';
import type { Quarantine } from './quarantine.ts';
import { readFile } from './whole-file.ts';

/*
 * The inventory of a data directory at a start: which checkpoints are intact, which files the journal has,
 * and how the log was stopped.
 */

/** The services that recovery needs. */
export interface RecoveryContext {
  readonly files: Files;
  readonly dataDir: DataDir;
  readonly quarantine: Quarantine;
  readonly damaged: (report: DamageReport) => void;
}

/** The intact checkpoints, and which slot each is in. */
export interface FoundCheckpoints {
  readonly newest:
    | { readonly checkpoint: Checkpoint; readonly slot: 0 | 1; readonly bytes: Uint8Array }
    | undefined;
  readonly older: { readonly checkpoint: Checkpoint; readonly slot: 0 | 1 } | undefined;
  /**
   * There were checkpoints, but none is intact: the position of the log is known from the journal and the
   * segments alone.
   */
  readonly lost: boolean;
}

/**
 * Reads both checkpoints and moves a damaged one to the quarantine. Checkpoints that are missing, or older
 * than the last owner's, are reported. Each checkpoint but the first has its predecessor in the other slot.
 */
export async function findCheckpoints(context: RecoveryContext): Promise<FoundCheckpoints> {
  const { files, dataDir, quarantine, damaged } = context;
  const found: { checkpoint: Checkpoint; slot: 0 | 1; bytes: Uint8Array }[] = [];
  const bad: string[] = [];
  for (const slot of [0, 1] as const) {
    const path = `${dataDir.dir}/${checkpointNames[slot]}`;
    const bytes = await readFile(files, path);
    if (bytes === undefined) continue;
    const checkpoint = decodeCheckpoint(bytes, dataDir.uuid);
    if (checkpoint !== undefined) found.push({ checkpoint, slot, bytes });
    else bad.push(checkpointNames[slot]);
  }
  const lost = found.length === 0 && !dataDir.isFresh;
  for (const name of bad) {
    const quarantined = await quarantine.move(`${dataDir.dir}/${name}`, name);
    const loss = lost
      ? 'No other is intact: definitions and positions that the journal does not hold any more are lost; all messages are kept.'
      : 'The other one and the journal behind it hold the same: nothing is lost.';
    damaged({
      kind: 'checkpoint',
      message: `${name} is damaged and was set aside as ${quarantined}. ${loss}`,
      path: name,
      quarantined,
    });
  }
  if (lost && bad.length === 0) {
    const message =
      'Both checkpoints are missing: definitions and positions that the journal does not hold any more are lost; all messages are kept.';
    damaged({ kind: 'checkpoint', message, path: checkpointNames[0] });
  }
  found.sort((a, b) => b.checkpoint.number - a.checkpoint.number);
  const newestNumber = found[0]?.checkpoint.number ?? 0;
  const known = dataDir.fence.former?.mark.checkpoint ?? 0;
  if (found.length > 0 && bad.length === 0) {
    const message =
      newestNumber < known
        ? `Checkpoint ${known}, the newest, is missing${found.length === 2 ? ': an older one is in its place' : ''}. The journal is replayed from checkpoint ${newestNumber}; what it no longer holds is reported apart.`
        : newestNumber > 1 && found[1]?.checkpoint.number !== newestNumber - 1
          ? `Checkpoint ${newestNumber - 1} is missing or was replaced. Nothing is lost: checkpoint ${newestNumber} is newer.`
          : undefined;
    const path = checkpointNames[found[0]!.slot === 0 ? 1 : 0];
    if (message !== undefined) damaged({ kind: 'checkpoint', message, path });
  }
  return { newest: found[0], older: found[1], lost };
}

/**
 * The files of the journal, by start. Files that are not journal files, or of no use, go to the quarantine.
 * The journal is needed from `position` on.
 */
export async function listJournal(context: RecoveryContext, position: number): Promise<ListedFile[]> {
  const { files, dataDir, quarantine, damaged } = context;
  const dir = `${dataDir.dir}/${journalDirName}`;
  const listed: ListedFile[] = [];
  for (const name of await files.list(dir)) {
    const path = `${dir}/${name}`;
    const start = journalStart(name);
    if (
      start === undefined &&
      name.endsWith(temporarySuffix) &&
      journalStart(name.slice(0, -temporarySuffix.length)) !== undefined
    ) {
      await files.remove(path); // a file that was still being filled with zeros
      continue;
    }
    const size = await files.size(path);
    if (start === undefined || size === undefined) {
      const quarantined = await quarantine.move(path, `${journalDirName}-${name}`);
      const message = `${journalDirName}/${name} is no journal file and was set aside as ${quarantined}.`;
      damaged({ kind: 'unknown-file', message, path: `${journalDirName}/${name}`, quarantined });
      continue;
    }
    const header = await readJournalHeader(files, path);
    const isOurs = header !== undefined && Buffer.compare(header.uuid, dataDir.uuid) === 0;
    const capacity = isOurs && header.start === start ? header.capacity : size - (size % blockBytes);
    listed.push({
      path,
      start,
      size,
      capacity,
      readEnd: start + capacity,
      uses: header?.uses ?? 0,
      previousStart: header?.previousStart ?? -1,
      previousEnd: header?.previousEnd ?? 0,
      header: header === undefined ? 'damaged' : isOurs && header.start === start ? 'intact' : 'misplaced',
    });
  }
  const kept: ListedFile[] = [];
  const old = new Set<ListedFile>();
  for (const file of givenUp(listed)) if (await holdsCommit(context, file)) old.add(file);
  for (const [at, file] of listed.entries()) {
    if (file.header === 'damaged') {
      kept.push(guessCapacity(file, listed[at + 1], dataDir.fence.former?.mark));
      continue;
    }
    // A file that is not needed may be in the middle of being recycled: its new header is written before it
    // is renamed.
    if ((file.header === 'intact' || endOf(file) <= position) && !old.has(file)) {
      kept.push(file);
      continue;
    }
    const name = file.path.slice(dir.length + 1);
    const quarantined = await quarantine.move(file.path, `${journalDirName}-${name}`);
    const what = old.has(file)
      ? 'was missing when the log was recovered, and the journal went on without it'
      : "has the header of another file: it was swapped, copied or renamed. If the other's place is empty, stop the broker and put it back under its name";
    const message = `${journalDirName}/${name} ${what}. It was set aside as ${quarantined}.`;
    damaged({ kind: 'journal', message, path: `${journalDirName}/${name}`, quarantined });
  }
  return withReadEnds(kept);
}

/**
 * Whether a file has a commit of this log. One that was only made ready for commits has none: a recovery that
 * went on behind it lost nothing by that.
 */
async function holdsCommit({ files, dataDir }: RecoveryContext, file: ListedFile): Promise<boolean> {
  let holds = false;
  const found = (): void => void (holds = true);
  await scanJournal(files, [file], file.start, dataDir.tag, found, () => Promise.resolve());
  return holds;
}

/** Without a header, the next file and the last owner tell how large a file was. */
function guessCapacity(
  file: ListedFile,
  next: ListedFile | undefined,
  mark: JournalMark | undefined,
): ListedFile {
  const known = mark?.fileStart === file.start ? mark.fileCapacity : 0;
  const byNext = next?.header === 'intact' && next.previousStart === file.start ? next.start - file.start : 0;
  const capacity = Math.max(file.capacity, known, byNext, 2 * blockBytes);
  return { ...file, capacity, readEnd: file.start + capacity };
}

/** Whether the log was stopped cleanly: there is a mark for this checkpoint, and no commit follows it. */
export async function wasStoppedCleanly(
  context: RecoveryContext,
  checkpoint: Checkpoint | undefined,
  journalFiles: readonly ListedFile[],
): Promise<boolean> {
  const { files, dataDir } = context;
  const number = await takeCleanStop(files, dataDir.dir);
  const { former } = dataDir.fence;
  if (checkpoint === undefined || number !== checkpoint.number) return false;
  // The mark of an earlier stop, put back, must not hide later commits.
  if (former !== undefined && (!former.stoppedCleanly || former.mark.commit > checkpoint.commit))
    return false;
  const file = journalFiles.find(
    ({ start, capacity }) => checkpoint.position >= start && checkpoint.position <= start + capacity,
  );
  if (file === undefined) return false;
  const opened = await files.open(file.path);
  try {
    const block = Buffer.alloc(blockBytes);
    const count = await opened.read(block, checkpoint.position - file.start);
    return (
      count < commitHeaderBytes ||
      readCommitHeader(block, 0, count, checkpoint.position, dataDir.tag) === undefined
    );
  } finally {
    await opened.close();
  }
}
