import type { LogOptions } from './log-options.ts';

const mib = 2 ** 20;
/** Room is given back a segment at a time: one is a small part of the disk. */
const shareOfDisk = 1 / 16;
const bytesMin = 4 * mib;
const bytesMax = 64 * mib;

/** How large a segment grows unless it is said. */
export async function defaultSegmentBytes({
  files,
  dir,
}: Pick<LogOptions, 'files' | 'dir'>): Promise<number> {
  const space = await files.space(dir).catch(() => undefined); // unknown: not a reason not to start
  const share = Math.floor((space?.totalBytes ?? Infinity) * shareOfDisk);
  return Math.min(bytesMax, Math.max(bytesMin, share));
}
