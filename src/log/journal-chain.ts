import { blockBytes, journalDirName, journalName } from './format.ts';
import type { JournalFile } from './journal.ts';
import type { FormerOwner } from './fence.ts';

/** A file of the journal as found at a start. */
export interface ListedFile extends JournalFile {
  /** Bytes of the file: fewer than `capacity` if it was cut short. */
  readonly size: number;
  readonly header: 'intact' | 'damaged' | 'misplaced';
  /** The file's content is not part of the journal from this position on. */
  readonly readEnd: number;
}

/** Something that the journal should have but does not. */
export interface ChainProblem {
  readonly path: string;
  readonly message: string;
  /** The positions `[from, to)` of the missing content. */
  readonly from: number;
  readonly to: number;
}

/** The size assumed for a missing file: the largest that files grow to by themselves. */
const unknownCapacity = 64 * 2 ** 20;

/** The end of the positions that a file holds. */
export function endOf({ start, capacity }: JournalFile): number {
  return start + capacity;
}

/** Sets the read end of files: a later file may say that it follows another one, and where that ends. */
export function withReadEnds(files: readonly ListedFile[]): ListedFile[] {
  return files.map((file) => {
    const next = files.find(
      ({ previousStart, previousEnd }) => previousEnd > 0 && previousStart === file.start,
    );
    return next === undefined ? file : { ...file, readEnd: Math.min(endOf(file), next.previousEnd) };
  });
}

/** Files that a recovery gave up, according to the first file after it, but that are there again. */
export function givenUp(files: readonly ListedFile[]): ListedFile[] {
  return files.filter(({ start }) =>
    files.some((later) => later.previousEnd > 0 && start >= later.previousEnd && start < later.start),
  );
}

/**
 * Compares the files with the statements they make about each other, with the checkpoint, which needs the
 * journal from `position` on, and with the record of the last owner. Files that never had a commit do not
 * count.
 */
export function chainProblems(
  files: readonly ListedFile[],
  position: number,
  former: FormerOwner | undefined,
): ChainProblem[] {
  const problems: ChainProblem[] = [];
  const mark = former?.mark;
  const isUsed = ({ start }: ListedFile): boolean => mark === undefined || start <= mark.fileStart;
  const needed = files.filter((file) => endOf(file) > position && isUsed(file));
  for (const file of needed) {
    const path = pathOf(file.start);
    const { start, size } = file;
    if (size < file.capacity) {
      const message = `${path} has ${size} of ${file.capacity} bytes: it was cut short.`;
      problems.push({ path, message, from: start + size, to: endOf(file) });
    } else if (file.header === 'damaged') {
      const message = `The header of ${path} is damaged. Its commits prove themselves: nothing is lost by that.`;
      problems.push({ path, message, from: start, to: start });
    }
  }
  const missing = (start: number, end: number): void => {
    if (problems.some(({ from, to }) => from <= start && end <= to)) return;
    const path = pathOf(start);
    problems.push({ path, message: `${path} is missing.`, from: start, to: end });
  };
  const isThere = (at: number): boolean =>
    files.some(
      (file) => (file.start < at && at <= endOf(file)) || file.start === at || file.previousEnd === at,
    );
  for (const [at, file] of needed.entries()) {
    const before = needed[at - 1];
    if (before !== undefined && endOf(before) < file.start && file.previousStart !== before.start)
      missing(endOf(before), file.start);
  }
  const next = needed[0];
  if (!isThere(position) && position > 0) {
    const start =
      mark !== undefined && mark.fileStart < position ? mark.fileStart : position - (position % blockBytes);
    missing(start, Math.max(position, next?.start ?? endOfMark(former) ?? position + unknownCapacity));
  }
  const markEnd = endOfMark(former);
  if (
    mark !== undefined &&
    markEnd !== undefined &&
    markEnd > position &&
    !files.some((file) => file.start === mark.fileStart)
  )
    missing(mark.fileStart, markEnd);
  return problems;
}

function endOfMark(former: FormerOwner | undefined): number | undefined {
  return former === undefined || former.mark.fileStart < 0
    ? undefined
    : former.mark.fileStart + former.mark.fileCapacity;
}

function pathOf(start: number): string {
  return `${journalDirName}/${journalName(start)}`;
}
