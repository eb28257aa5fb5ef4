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
import type { JournalFile } from './journal.ts';
import type { Quarantine } from './quarantine.ts';
import { readFile } from './whole-file.ts';

/*
 * The inventory of a data directory at a start: which checkpoints are intact, which files the journal has, and how the log was stopped.
 */

/** What recovery needs of the log around it. */
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
  /** There were checkpoints, and none is intact: where the log stood is known from the journal and the segments alone. */
  readonly lost: boolean;
}

/** Reads both checkpoints; a damaged one goes to the quarantine. */
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
  return { newest: found[0], older: found[1], lost };
}

/** The files of the journal, by start. What is no journal file goes to the quarantine. */
export async function listJournal(context: RecoveryContext): Promise<JournalFile[]> {
  const { files, dataDir, quarantine, damaged } = context;
  const dir = `${dataDir.dir}/${journalDirName}`;
  const journalFiles: JournalFile[] = [];
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
    journalFiles.push({ path, start, capacity: size - (size % blockBytes), uses: header?.uses ?? 0 });
  }
  return journalFiles;
}

/** Whether the log was stopped cleanly: it said so, for this checkpoint, and no commit stands behind it. */
export async function wasStoppedCleanly(
  context: RecoveryContext,
  checkpoint: Checkpoint | undefined,
  journalFiles: readonly JournalFile[],
): Promise<boolean> {
  const { files, dataDir } = context;
  const number = await takeCleanStop(files, dataDir.dir);
  if (checkpoint === undefined || number !== checkpoint.number) return false;
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
