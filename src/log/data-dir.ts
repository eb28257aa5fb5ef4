import { ByteReader, ByteWriter, crc32c, type Clock, type Random } from '../util/index.ts';
import { isShortage, LogError, systemCode, type DamageReport } from './errors.ts';
import type { DirectoryLock, Files } from './files.ts';
import {
  checkpointNames,
  cleanStopName,
  formatVersion,
  identityBytes,
  identityMagic,
  identityName,
  journalDirName,
  journalStart,
  quarantineDirName,
  temporarySuffix,
  topicsDirName,
  uuidBytes,
} from './format.ts';
import { readJournalHeader } from './journal-file.ts';
import { readFile, replaceFile } from './whole-file.ts';

/** A data directory that is ours and locked. */
export interface DataDir {
  readonly dir: string;
  readonly uuid: Uint8Array;
  /** Set into every commit: first bytes of the uuid. */
  readonly tag: number;
  readonly lock: DirectoryLock;
  /** Nothing was ever committed in it. */
  readonly isFresh: boolean;
  /** What was found wrong with its identity. */
  readonly damage: DamageReport | undefined;
}

/** Names of ours in a data directory. */
const ourNames: ReadonlySet<string> = new Set([
  journalDirName,
  topicsDirName,
  ...checkpointNames,
  cleanStopName,
]);

/** Makes or finds the data directory, takes its lock, and makes sure that it is ours and not from the future. */
export async function openDataDir(files: Files, dir: string, clock: Clock, random: Random): Promise<DataDir> {
  let lock: DirectoryLock | undefined;
  try {
    const missing = await missingDirs(files, dir);
    if (missing.length > 0) await files.makeDir(dir);
    lock = await files.lock(dir);
    const identity = await findIdentity(files, dir, clock, random, missing);
    return { dir, lock, tag: new ByteReader(identity.uuid).u32(), ...identity };
  } catch (error) {
    await lock?.release();
    throw explain(error, dir);
  }
}

/** The directory and those above it, as far as they are not there. */
async function missingDirs(files: Files, dir: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = dir; parentOf(at) !== at && !(await isThere(files, at)); at = parentOf(at)) missing.push(at);
  return missing;
}

/**
 * Makes sure that a directory that was made, and one that was found empty, is there after a power loss: whoever made that one (a start that was cut short, say)
 * may not have come to it. Where the directory above may not be read, it is left to the system.
 */
async function makeDurable(files: Files, dir: string, made: readonly string[]): Promise<void> {
  for (const each of made.length > 0 ? made : [dir]) {
    try {
      await files.syncDir(parentOf(each));
    } catch (error) {
      const code = systemCode(error);
      if (code !== 'EACCES' && code !== 'EPERM') throw error;
    }
  }
}

async function isThere(files: Files, dir: string): Promise<boolean> {
  try {
    await files.list(dir);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function parentOf(dir: string): string {
  const trimmed = dir.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : trimmed.slice(0, slash);
}

/** Says in one sentence what is wrong with the directory, and what to do. */
export function explain(error: unknown, dir: string): unknown {
  if (error instanceof LogError) return error;
  const code = systemCode(error);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new LogError(
      'data-dir-read-only',
      `Data directory ${dir} cannot be written to (${code}). Give this user write access, or choose another.`,
      error,
    );
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new LogError('data-dir-foreign', `${dir} is not a directory. Choose another.`, error);
  }
  if (isShortage(error)) {
    return new LogError(
      'disk-full',
      `There is no room to start in data directory ${dir} (${code}). Free some space or open files, and start again.`,
      error,
    );
  }
  if (code !== undefined)
    return new LogError(
      'io-failed',
      `Data directory ${dir} cannot be used: ${(error as Error).message}.`,
      error,
    );
  return error;
}

async function findIdentity(
  files: Files,
  dir: string,
  clock: Clock,
  random: Random,
  made: readonly string[],
): Promise<Pick<DataDir, 'uuid' | 'isFresh' | 'damage'>> {
  const path = `${dir}/${identityName}`;
  const bytes = await readFile(files, path);
  const uuid = bytes === undefined ? undefined : decodeIdentity(bytes, dir);
  const names = await files.list(dir);
  if (uuid !== undefined) return { uuid, isFresh: !(await hasData(files, dir, names)), damage: undefined };
  const inJournal = await uuidFromJournal(files, dir);
  if (inJournal !== undefined) {
    await replaceFile(files, dir, path, [encodeIdentity(inJournal, clock.now())]);
    const what = bytes === undefined ? 'is missing' : 'is damaged';
    const message = `${identityName} ${what}; the journal says whose data this is, and it was written anew. Nothing is lost.`;
    return { uuid: inJournal, isFresh: false, damage: { kind: 'identity', message, path: identityName } };
  }
  const strangers = names.filter((name) => !isNeutral(name) && !ourNames.has(name));
  if (bytes !== undefined || (await hasData(files, dir, names))) {
    throw new LogError(
      'damaged',
      `Data directory ${dir}: ${identityName} is ${bytes === undefined ? 'missing' : 'damaged'} and no journal file says whose data this is. ` +
        `Nothing was changed. Restore ${identityName} or a backup, see what "pillarbox doctor --repair" can do, or choose another directory.`,
    );
  }
  if (strangers.length > 0) {
    throw new LogError(
      'data-dir-foreign',
      `${dir} is not empty and holds no Pillarbox data (it has ${strangers.slice(0, 3).join(', ')}). Choose an empty or new directory.`,
    );
  }
  await makeDurable(files, dir, made);
  const fresh = random.bytes(uuidBytes);
  await replaceFile(files, dir, path, [encodeIdentity(fresh, clock.now())]);
  return { uuid: fresh, isFresh: true, damage: undefined };
}

/** Locks, hidden files, what `mkfs` puts at the root of a disk, and an identity that was never finished. */
function isNeutral(name: string): boolean {
  return (
    name.startsWith('lock.') ||
    name.startsWith('.') ||
    name === 'lost+found' ||
    name === quarantineDirName ||
    name === identityName + temporarySuffix
  );
}

/** Whether there is anything but the empty directories that a first start cut short may leave. */
export async function hasData(files: Files, dir: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    if (!ourNames.has(name)) continue;
    if (name !== journalDirName && name !== topicsDirName) return true;
    for (const inner of await files.list(`${dir}/${name}`)) if (!inner.endsWith(temporarySuffix)) return true;
  }
  return false;
}

/** `magic 8, version u32, uuid 16, created i64, crc u32` */
export function encodeIdentity(uuid: Uint8Array, createdMs: number): Uint8Array {
  const writer = new ByteWriter(identityBytes)
    .text(identityMagic)
    .u32(formatVersion)
    .bytes(uuid)
    .i64(createdMs);
  return writer.u32(crc32c(writer.view())).view();
}

export function decodeIdentity(bytes: Uint8Array, dir: string): Uint8Array | undefined {
  if (bytes.length !== identityBytes) return undefined;
  const reader = new ByteReader(bytes);
  if (reader.text(identityMagic.length) !== identityMagic) return undefined;
  const version = reader.u32();
  const uuid = Uint8Array.from(reader.bytes(uuidBytes));
  reader.i64();
  if (crc32c(bytes, 0, reader.position) !== reader.u32()) return undefined;
  if (version > formatVersion) {
    throw new LogError(
      'format-newer',
      `Data directory ${dir} was written in format ${version}; this program knows formats up to ${formatVersion}. Start a newer program.`,
    );
  }
  return uuid;
}

export async function uuidFromJournal(files: Files, dir: string): Promise<Uint8Array | undefined> {
  let names: string[];
  try {
    names = await files.list(`${dir}/${journalDirName}`);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  for (const name of names) {
    if (journalStart(name) === undefined) continue;
    const header = await readJournalHeader(files, `${dir}/${journalDirName}/${name}`);
    if (header !== undefined) return header.uuid;
  }
  return undefined;
}
