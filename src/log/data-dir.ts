import { ByteReader, ByteWriter, crc32c, readU32, type Clock, type Random } from '../util/index.ts';
import { refuseLaterCheckpoint } from './checkpoint.ts';
import { isShortage, LogError, systemCode, type DamageReport } from './errors.ts';
import { Fence } from './fence.ts';
import type { DirectoryLock, Files } from './files.ts';
import {
  blockBytes,
  checkpointNames,
  cleanStopName,
  formatVersion,
  identityBytes,
  identityMagic,
  identityName,
  journalDirName,
  journalName,
  journalStart,
  ownerName,
  ownerTokenBytes,
  quarantineDirName,
  temporarySuffix,
  topicsDirName,
  uuidBytes,
} from './format.ts';
import { readJournalHeader } from './journal-file.ts';
import { isUnused, readOwners } from './owner.ts';
import { versionOf } from './versioned.ts';
import { readFile, replaceFile } from './whole-file.ts';

/** A data directory that belongs to us and is locked. */
export interface DataDir {
  readonly dir: string;
  readonly uuid: Uint8Array;
  /** The first bytes of the uuid, which are in every commit. */
  readonly tag: number;
  readonly lock: DirectoryLock;
  readonly fence: Fence;
  /** Nothing has ever been committed in it. */
  readonly isFresh: boolean;
  /** Damage found before the log was read. */
  readonly damage: readonly DamageReport[];
}

/** The names that we use in a data directory. */
const ourNames: ReadonlySet<string> = new Set([
  journalDirName,
  topicsDirName,
  ...checkpointNames,
  cleanStopName,
]);

/**
 * Creates or finds the data directory, takes its lock, checks that it is ours and not of a later format, and
 * sets up the fence.
 */
export async function openDataDir(
  files: Files,
  dir: string,
  clock: Clock,
  random: Random,
  heartbeatMs: number,
): Promise<DataDir> {
  let lock: DirectoryLock | undefined;
  try {
    const missing = await missingDirs(files, dir);
    if (missing.length > 0) await files.makeDir(dir);
    await files.makePrivate(dir);
    lock = await files.lock(dir);
    await refuseLaterFormats(files, dir);
    const identity = await findIdentity(files, dir, random);
    const { uuid, isFresh, damage } = identity;
    if (isFresh) await makeDurable(files, dir, missing);
    const token = random.bytes(ownerTokenBytes);
    const fence = await Fence.claim({ files, dir, uuid, lock, clock, token, heartbeatMs });
    // After the owner file: a directory of this format without one has lost it.
    if (identity.version !== formatVersion) {
      const created = encodeIdentity(uuid, identity.createdMs ?? clock.now());
      await replaceFile(files, dir, `${dir}/${identityName}`, [created]);
    }
    return { dir, lock, fence, uuid, isFresh, damage, tag: new ByteReader(uuid).u32() };
  } catch (error) {
    await lock?.release();
    throw explain(error, dir);
  }
}

/** The directory and its parents, as far as they do not exist. */
async function missingDirs(files: Files, dir: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = dir; parentOf(at) !== at && !(await isThere(files, at)); at = parentOf(at)) missing.push(at);
  return missing;
}

/**
 * Makes the entry of a directory durable in its parent, for directories just created, and for one that was
 * found empty: an earlier start may have been cut short before it did so. If the parent may not be read, this
 * is left to the system.
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

/** Explains in one sentence what is wrong with the directory, and what to do. */
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

/** Checks the version of every versioned file before anything is changed. Throws `format-newer`. */
async function refuseLaterFormats(files: Files, dir: string): Promise<void> {
  const identity = await readFile(files, `${dir}/${identityName}`);
  if (identity !== undefined) decodeIdentity(identity, dir);
  await readOwners(files, dir);
  for (const name of checkpointNames) await refuseLaterCheckpoint(files, `${dir}/${name}`);
  for (const name of await journalNames(files, dir))
    await readJournalHeader(files, `${dir}/${journalDirName}/${name}`);
}

interface FoundIdentity {
  readonly uuid: Uint8Array;
  readonly isFresh: boolean;
  /** Version of the file; undefined if there is no intact one. */
  readonly version: number | undefined;
  readonly createdMs: number | undefined;
  readonly damage: readonly DamageReport[];
}

async function findIdentity(files: Files, dir: string, random: Random): Promise<FoundIdentity> {
  const bytes = await readFile(files, `${dir}/${identityName}`);
  const identity = bytes === undefined ? undefined : decodeIdentity(bytes, dir);
  const names = await files.list(dir);
  const owner = (await readOwners(files, dir))?.[0];
  const isFirst = owner !== undefined && isUnused(owner.mark) && (await isCutShort(files, dir, names));
  const holdsData = !isFirst && (await hasData(files, dir, names));
  if (identity !== undefined) {
    const known = owner !== undefined && Buffer.compare(owner.uuid, identity.uuid) === 0 ? owner : undefined;
    const isFresh = !holdsData && (known === undefined || isUnused(known.mark));
    const damage = known === undefined && identity.version > 1 ? [ownerLost(owner !== undefined)] : [];
    return { ...identity, isFresh: isFresh && damage.length === 0, damage };
  }
  const unknown = { version: undefined, createdMs: undefined };
  if (bytes === undefined && isFirst) return { ...unknown, uuid: owner.uuid, isFresh: true, damage: [] };
  const uuid = owner?.uuid ?? (await uuidFromJournal(files, dir));
  if (uuid !== undefined) {
    const what = bytes === undefined ? 'is missing' : 'is damaged';
    const source = owner === undefined ? 'the journal says' : `${ownerName} says`;
    const message = `${identityName} ${what}; ${source} whose data this is, and it was written anew. Nothing is lost.`;
    return { ...unknown, uuid, isFresh: false, damage: [{ kind: 'identity', message, path: identityName }] };
  }
  const strangers = names.filter((name) => !isNeutral(name) && !ourNames.has(name));
  if (bytes !== undefined || holdsData) {
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
  return { ...unknown, uuid: random.bytes(uuidBytes), isFresh: true, damage: [] };
}

/**
 * Whether the directory contains only what a first start may leave that was cut short before any commit: an
 * empty journal file.
 */
async function isCutShort(files: Files, dir: string, names: readonly string[]): Promise<boolean> {
  if (names.some((name) => ourNames.has(name) && name !== journalDirName && name !== topicsDirName))
    return false;
  const topics = names.includes(topicsDirName) ? await files.list(`${dir}/${topicsDirName}`) : [];
  const journal = await journalNames(files, dir);
  if (topics.length > 0 || journal.some((name) => name !== journalName(0))) return false;
  const bytes =
    journal.length === 0 ? undefined : await readFile(files, `${dir}/${journalDirName}/${journal[0]}`);
  return bytes === undefined || bytes.subarray(blockBytes).every((byte) => byte === 0);
}

function ownerLost(isThere: boolean): DamageReport {
  const message =
    `${ownerName} is ${isThere ? 'of another data directory' : 'missing or damaged'}, and was made anew: how far the journal went is not known from it. ` +
    'If journal files are missing too, what was acknowledged last may be lost without another report: compare with a backup.';
  return { kind: 'owner', message, path: ownerName };
}

/** Locks, hidden files, the files that `mkfs` creates in the root of a disk, and an unfinished identity. */
function isNeutral(name: string): boolean {
  return (
    name.startsWith('lock.') ||
    name.startsWith('.') ||
    name === 'lost+found' ||
    name === quarantineDirName ||
    name === ownerName ||
    name === ownerName + temporarySuffix ||
    name === identityName + temporarySuffix
  );
}

/**
 * Whether there is anything besides the empty directories that a first start may leave when it is cut short.
 */
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

/**
 * Undefined if the bytes are not an intact identity. Throws `format-newer` for one of a later version,
 * whatever its length.
 */
export function decodeIdentity(
  bytes: Uint8Array,
  dir: string,
): { readonly uuid: Uint8Array; readonly version: number; readonly createdMs: number } | undefined {
  const version = versionOf(bytes, identityMagic, `Data directory ${dir}`, isIntactIdentity);
  if (version === undefined || !isIntactIdentity(bytes)) return undefined;
  const reader = new ByteReader(bytes);
  reader.skip(identityMagic.length + 4);
  return { uuid: Uint8Array.from(reader.bytes(uuidBytes)), version, createdMs: reader.i64() };
}

function isIntactIdentity(bytes: Uint8Array): boolean {
  const crcAt = identityBytes - 4;
  return bytes.length === identityBytes && crc32c(bytes, 0, crcAt) === readU32(bytes, crcAt);
}

export async function uuidFromJournal(files: Files, dir: string): Promise<Uint8Array | undefined> {
  for (const name of await journalNames(files, dir)) {
    const header = await readJournalHeader(files, `${dir}/${journalDirName}/${name}`);
    if (header !== undefined) return header.uuid;
  }
  return undefined;
}

async function journalNames(files: Files, dir: string): Promise<string[]> {
  try {
    const names = await files.list(`${dir}/${journalDirName}`);
    return names.filter((name) => journalStart(name) !== undefined);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
