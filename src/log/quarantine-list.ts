import { readI32, readI64, readU32 } from '../util/index.ts';
import { readCommitEntries, readCommitHeader } from './commit.ts';
import { systemCode } from './errors.ts';
import type { Files } from './files.ts';
import {
  EntryClass,
  batchHeaderBytes,
  batchLastDeltaAt,
  checkpointMagic,
  commitMagic,
  commitPositionAt,
  commitTagAt,
  identityMagic,
  quarantineDirName,
  segmentSuffix,
} from './format.ts';
import { walkSegment } from './segment-walk.ts';
import { readFile } from './whole-file.ts';

/** A file that was set aside, and its content as far as it can be seen. */
export interface QuarantinedItem {
  /** Relative to the data directory. */
  readonly path: string;
  readonly bytes: number;
  /**
   * A short description, such as `commit 12: 3 records of partition 4 (offsets 10 to 12), 2 state changes`.
   */
  readonly what: string;
}

/** Lists the quarantine of a data directory, without changing anything. */
export async function listQuarantine(files: Files, dir: string): Promise<QuarantinedItem[]> {
  const items: QuarantinedItem[] = [];
  for (const name of await namesIn(files, `${dir}/${quarantineDirName}`)) {
    const path = `${quarantineDirName}/${name}`;
    const content = await readFile(files, `${dir}/${path}`);
    if (content === undefined) items.push({ path, ...(await directory(files, `${dir}/${path}`)) });
    else items.push({ path, bytes: content.length, what: describe(name, content) });
  }
  return items;
}

async function namesIn(files: Files, dir: string): Promise<string[]> {
  try {
    return await files.list(dir);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function directory(files: Files, dir: string): Promise<{ bytes: number; what: string }> {
  const names = await namesIn(files, dir);
  let bytes = 0;
  let segments = 0;
  for (const name of names) {
    bytes += (await files.size(`${dir}/${name}`)) ?? 0;
    if (name.includes(segmentSuffix)) segments++;
  }
  return {
    bytes,
    what: `a directory of ${names.length} ${names.length === 1 ? 'file' : 'files'}, segments among them: ${segments}`,
  };
}

function describe(name: string, content: Uint8Array): string {
  const magic = Buffer.from(content.subarray(0, 8)).toString('latin1');
  if (content.length >= 4 && readU32(content, 0) === commitMagic) return describeCommit(content);
  if (magic === checkpointMagic) return 'a checkpoint that is not intact';
  if (magic === identityMagic) return 'an identity that is not intact';
  if (name.endsWith('.index') || name.endsWith('.timeindex')) return 'an index, which is made anew';
  const batches = intactBatches(content);
  return batches ?? 'bytes that show nothing';
}

/**
 * Describes a commit. Checksums tell which parts are intact; the header is trusted only if its own checksum
 * is right.
 */
function describeCommit(content: Uint8Array): string {
  const position = content.length < batchHeaderBytes ? 0 : readI64(content, commitPositionAt);
  const tag = content.length < batchHeaderBytes ? 0 : readU32(content, commitTagAt);
  const header = readCommitHeader(content, 0, content.length, position, tag);
  if (typeof header !== 'object' || header.length > content.length)
    return 'a commit whose header is not intact';
  const parts: string[] = [];
  let changes = 0;
  let damaged = 0;
  readCommitEntries(content, 0, header, true, ({ entryClass, id, start, end, intact }) => {
    if (!intact) damaged++;
    if (entryClass !== EntryClass.batch) changes++;
    else if (intact) parts.push(`${records(content.subarray(start, end))} of partition ${id}`);
    else parts.push(`a damaged batch of partition ${id} (${end - start} bytes)`);
  });
  if (changes > 0) parts.push(`${changes} state ${changes === 1 ? 'change' : 'changes'}`);
  const damage = damaged === 0 ? '' : `; ${damaged} of ${header.entries} entries are damaged`;
  return `commit ${header.commit}: ${parts.join(', ')}${damage}`;
}

function records(batch: Uint8Array): string {
  const from = readI64(batch, 0);
  const to = from + readI32(batch, batchLastDeltaAt);
  return from === to ? `the record at offset ${from}` : `the records at offsets ${from} to ${to}`;
}

/** Describes the intact content of a segment, or of a piece of one. */
function intactBatches(content: Uint8Array): string | undefined {
  const { positions } = walkSegment(content, content.length, 0, Number.MAX_SAFE_INTEGER);
  if (positions.length === 0) return undefined;
  const first = readI64(content, positions[0]!);
  const last = positions[positions.length - 1]!;
  const to = readI64(content, last) + readI32(content, last + batchLastDeltaAt);
  return `${positions.length} intact ${positions.length === 1 ? 'batch' : 'batches'}, offsets ${first} to ${to}`;
}
