import type { LogOptions } from './log-options.ts';

const mib = 2 ** 20;
/** The journal takes this share of the disk, within these bounds, unless it is told how much. */
const shareOfDisk = 1 / 16;
const bytesMin = 16 * mib;
const bytesMax = 320 * mib;
/** A file is a fifth of the journal: four are live at most, one is ready to be used next. */
const filesPerJournal = 5;
const blockBytes = 4096;
export const journalFileBytesMin = 4096;

/** Bytes of one journal file, and of the journal that is live at most. */
export interface JournalSizes {
  readonly fileBytes: number;
  readonly checkpointBytes: number;
}

/** The sizes that follow from how much of the disk the journal may take. */
export async function journalSizes({
  files,
  dir,
  journalBytesMax,
  journalFileBytes,
  checkpointBytes,
}: LogOptions): Promise<JournalSizes> {
  const isSaid = journalFileBytes !== undefined && checkpointBytes !== undefined;
  const bytes = journalBytesMax ?? (isSaid ? bytesMax : await defaultBytes(files, dir));
  const fileBytes = Math.ceil(bytes / filesPerJournal / blockBytes) * blockBytes;
  return {
    fileBytes: journalFileBytes ?? fileBytes,
    checkpointBytes: checkpointBytes ?? fileBytes * (filesPerJournal - 1),
  };
}

async function defaultBytes(files: LogOptions['files'], dir: string): Promise<number> {
  const space = await files.space(dir).catch(() => undefined); // unknown: not a reason not to start
  return Math.min(bytesMax, Math.max(bytesMin, (space?.totalBytes ?? Infinity) * shareOfDisk));
}
