import type { LogOptions } from './log-options.ts';

const mib = 2 ** 20;
/** Room is freed a segment at a time, so a segment is a small part of the disk. */
const shareOfDisk = 1 / 16;
const bytesMin = 4 * mib;
const bytesMax = 64 * mib;

/** The default size of a segment. */
export async function defaultSegmentBytes({
  files,
  dir,
}: Pick<LogOptions, 'files' | 'dir'>): Promise<number> {
  const space = await files.space(dir).catch(() => undefined); // unknown, which must not prevent a start
  const share = Math.floor((space?.totalBytes ?? Infinity) * shareOfDisk);
  return Math.min(bytesMax, Math.max(bytesMin, share));
}
