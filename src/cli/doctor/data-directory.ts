import { mkdtemp, open, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { formatBytes } from '../format.ts';
import type { Check, Examination } from './check.ts';

const freeBytesMin = 2 ** 30;
const syncs = 64;
const syncBytes = 4096;

/** File systems that may lose synced data, by the magic number of statfs(2). */
const fileSystems: { readonly [magic: number]: readonly [name: string, problem: string] } = {
  0x01_02_19_94: ['tmpfs', 'it lives in memory: nothing survives a restart of the machine'],
  0x85_84_58_f6: ['ramfs', 'it lives in memory: nothing survives a restart of the machine'],
  0x69_69: ['NFS', 'locks and syncs over the network are not what a log may rely on'],
  0x79_4c_76_30: ['overlayfs', 'in a container it goes when the container goes: mount a volume'],
};

/** Whether messages can be kept in the data directory, and how long a sync takes. Leaves no files behind. */
export async function checkDataDirectory({ data }: Examination): Promise<readonly Check[]> {
  const path = resolve(data);
  const present = await firstThatExists(path);
  const isThere = present === path;
  const where = isThere ? path : `${path} (to be created in ${present})`;
  let scratch: string;
  try {
    if (!(await stat(present)).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    scratch = await mkdtemp(join(present, '.pillarbox-doctor-'));
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOTDIR' ? `${present} is not a directory` : `cannot be written: ${code}`;
    return [
      {
        name: 'data directory',
        status: 'problem',
        message: `${where}: ${reason}`,
        advice: 'Give another one with --data, or let this user write there.',
      },
    ];
  }
  try {
    const fileSystem = await checkFileSystem(present);
    return [
      { name: 'data directory', status: 'ok', message: where },
      await checkSpace(present),
      ...(fileSystem ? [fileSystem] : []),
      await checkSync(scratch),
    ];
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function firstThatExists(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const isThere = await stat(at).then(
      () => true,
      () => false,
    );
    if (isThere || dirname(at) === at) return at;
  }
}

async function checkSpace(path: string): Promise<Check> {
  const { bavail, blocks, bsize } = await statfs(path);
  const freeBytes = bavail * bsize;
  const totalBytes = blocks * bsize;
  const check = {
    name: 'disk space',
    message: `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free`,
    figures: { freeBytes, totalBytes },
  };
  if (freeBytes >= freeBytesMin) return { ...check, status: 'ok' };
  return {
    ...check,
    status: 'warning',
    advice: 'The broker refuses publishes when the disk is nearly full: make room.',
  };
}

async function checkFileSystem(path: string): Promise<Check | undefined> {
  const known = fileSystems[(await statfs(path)).type];
  if (!known) return undefined;
  const [name, problem] = known;
  return {
    name: 'file system',
    status: 'warning',
    message: name,
    advice: `Messages on ${name} are not safe: ${problem}.`,
  };
}

/**
 * Overwrites one block and syncs, as the journal does. A publisher that waits for each ack cannot be faster
 * than this.
 */
async function checkSync(directory: string): Promise<Check> {
  const file = await open(join(directory, 'sync'), 'w');
  const block = new Uint8Array(syncBytes);
  const times: number[] = [];
  try {
    await file.write(block, 0, syncBytes, 0);
    await file.sync();
    for (let done = 0; done < syncs; done++) {
      const start = performance.now();
      await file.write(block, 0, syncBytes, 0);
      await file.datasync();
      times.push(performance.now() - start);
    }
  } finally {
    await file.close();
  }
  times.sort((a, b) => a - b);
  const medianMs = times[Math.floor(syncs / 2)] ?? 0;
  const slowestMs = times.at(-1) ?? 0;
  const check = {
    name: 'sync',
    message: `${medianMs.toFixed(2)} ms median, ${slowestMs.toFixed(2)} ms slowest of ${syncs} syncs of 4 KiB`,
    figures: { medianMs, slowestMs },
  };
  if (medianMs > 20)
    return {
      ...check,
      status: 'warning',
      advice: 'Every acknowledgement waits for a sync: a faster disk pays off here.',
    };
  return { ...check, status: 'ok' };
}
