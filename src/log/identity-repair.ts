import { type Clock, type Random, ByteReader } from '../util/index.ts';
import { decodeCheckpoint } from './checkpoint.ts';
import { readCommitHeader } from './commit.ts';
import { decodeIdentity, encodeIdentity, hasData, uuidFromJournal } from './data-dir.ts';
import type { Files } from './files.ts';
import {
  blockBytes,
  checkpointMagic,
  checkpointNames,
  commitMagic,
  commitTagAt,
  identityName,
  journalDirName,
  journalStart,
  uuidBytes,
} from './format.ts';
import { readOwners } from './owner.ts';
import { Quarantine } from './quarantine.ts';
import { readFile, replaceFile } from './whole-file.ts';

/** Where the identity of a data directory was recovered from. */
export interface RepairedIdentity {
  /**
   * `tag`: only its first four bytes, which the journal's commits carry; `nowhere`: nothing else identifies
   * the data.
   */
  readonly from: 'checkpoint' | 'tag' | 'nowhere';
  /** The damaged file, relative to the data directory. */
  readonly quarantined: string | undefined;
}

/**
 * Restores the identity of a data directory if neither its own file nor a journal file has it: from a
 * checkpoint's header, or from the commits of the journal. The damaged file goes to the quarantine. Returns
 * undefined if there is no need. No process may have the directory open; the caller holds its lock.
 */
export async function repairIdentity(
  files: Files,
  dir: string,
  clock: Clock,
  random: Random,
): Promise<RepairedIdentity | undefined> {
  const path = `${dir}/${identityName}`;
  const bytes = await readFile(files, path);
  if (bytes !== undefined && decodeIdentity(bytes, dir) !== undefined) return undefined;
  if (((await readOwners(files, dir)) ?? []).length > 0) return undefined; // the start repairs it
  if ((await uuidFromJournal(files, dir)) !== undefined) return undefined; // and this
  // No data of ours.
  if (bytes === undefined && !(await hasData(files, dir, await files.list(dir)))) return undefined;
  const found = (await uuidOfCheckpoint(files, dir)) ?? (await uuidOfCommits(files, dir, random));
  const uuid = found?.uuid ?? random.bytes(uuidBytes);
  const quarantined =
    bytes === undefined ? undefined : await new Quarantine(files, dir).move(path, identityName);
  await replaceFile(files, dir, path, [encodeIdentity(uuid, clock.now())]);
  return { from: found?.from ?? 'nowhere', quarantined };
}

interface Found {
  readonly uuid: Uint8Array;
  readonly from: 'checkpoint' | 'tag';
}

/** A checkpoint has the uuid after magic and version. */
async function uuidOfCheckpoint(files: Files, dir: string): Promise<Found | undefined> {
  for (const name of checkpointNames) {
    const bytes = await readFile(files, `${dir}/${name}`);
    if (bytes === undefined || bytes.length < checkpointMagic.length + 4 + uuidBytes) continue;
    const reader = new ByteReader(bytes);
    if (reader.text(checkpointMagic.length) !== checkpointMagic) continue;
    reader.u32();
    const uuid = Uint8Array.from(reader.bytes(uuidBytes));
    if (decodeCheckpoint(bytes, uuid) !== undefined) return { uuid, from: 'checkpoint' };
  }
  return undefined;
}

/** The tag of the first commit with a valid checksum; the other bytes of the uuid are random. */
async function uuidOfCommits(files: Files, dir: string, random: Random): Promise<Found | undefined> {
  for (const name of await files.list(`${dir}/${journalDirName}`).catch(() => [])) {
    const start = journalStart(name);
    const bytes = start === undefined ? undefined : await readFile(files, `${dir}/${journalDirName}/${name}`);
    if (start === undefined || bytes === undefined) continue;
    for (let at = blockBytes; at + blockBytes <= bytes.length; at += blockBytes) {
      const reader = new ByteReader(bytes, at, bytes.length);
      if (reader.u32() !== commitMagic) continue;
      const tag = new ByteReader(bytes, at + commitTagAt, bytes.length).u32();
      if (typeof readCommitHeader(bytes, at, bytes.length, start + at, tag) !== 'object') continue;
      const uuid = random.bytes(uuidBytes);
      uuid.set(bytes.subarray(at + commitTagAt, at + commitTagAt + 4));
      return { uuid, from: 'tag' };
    }
  }
  return undefined;
}
