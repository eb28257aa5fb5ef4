import type { LogOptions } from './log-options.ts';

const mib = 2 ** 20;
/** By default the journal takes this share of the disk, within these bounds. */
const shareOfDisk = 1 / 16;
const bytesMin = 16 * mib;
const bytesMax = 320 * mib;
/** A file is a fifth of the journal: at most four are live, and one is ready to be used next. */
const filesPerJournal = 5;
const blockBytes = 4096;
export const journalFileBytesMin = 4096;

/** Bytes of one journal file, and the most bytes of live journal. */
export interface JournalSizes {
  readonly fileBytes: number;
  readonly checkpointBytes: number;
}

/** The sizes that follow from the journal's share of the disk. */
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
  const space = await files.space(dir).catch(() => undefined); // unknown, which must not prevent a start
  return Math.min(bytesMax, Math.max(bytesMin, (space?.totalBytes ?? Infinity) * shareOfDisk));
}
