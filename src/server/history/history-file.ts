import { readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { systemErrorCode } from '../errors.ts';
import type { History, SeriesKey } from './history.ts';
import { Track } from './track.ts';

/**
 * The file of the history in the data directory. It is no part of the log: without it, only graphs are lost.
 */
export const historyFileName = 'history.gz';

const version = 1;
/** Larger files are not read. The default of 2,000 series has some 16 MB before compression. */
const bytesMax = 256 * 2 ** 20;

const pack = promisify(gzip);
const unpack = promisify(gunzip);

interface Head {
  readonly version: number;
  readonly stepMs: number;
  readonly fineLength: number;
  readonly coarseLength: number;
  readonly series: readonly SeriesKey[];
}

/**
 * Writes the history beside the file and renames it. The content, before gzip: the length of the head (32
 * bits, little-endian), the head as JSON, and a fine and a coarse track for each of its series.
 */
export async function writeHistory(path: string, history: History): Promise<void> {
  const all = [...history.all()];
  const { fineShape, coarseShape } = history;
  const head: Head = {
    version,
    stepMs: fineShape.stepMs,
    fineLength: fineShape.length,
    coarseLength: coarseShape.length,
    series: all.map(({ key }) => key),
  };
  const headBytes = Buffer.from(JSON.stringify(head));
  const eachBytes = Track.bytesOf(fineShape) + Track.bytesOf(coarseShape);
  const content = new Uint8Array(4 + headBytes.length + all.length * eachBytes);
  const view = new DataView(content.buffer);
  view.setUint32(0, headBytes.length, true);
  content.set(headBytes, 4);
  for (const [at, { fine, coarse }] of all.entries()) {
    const position = 4 + headBytes.length + at * eachBytes;
    fine.write(view, position);
    coarse.write(view, position + Track.bytesOf(fineShape));
  }
  const temporary = `${path}.new`;
  await writeFile(temporary, await pack(content, { level: 1 }), { mode: 0o600 });
  await rename(temporary, path).catch(async (error: unknown) => {
    await unlink(temporary).catch(() => {});
    throw error;
  });
}

/**
 * Takes over the history of an earlier run. Resolves to the reason if there is a file that cannot be used;
 * the history begins anew then.
 */
export async function readHistory(path: string, history: History): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > bytesMax) return `it has ${size} bytes`;
    const content = await unpack(await readFile(path), { maxOutputLength: bytesMax });
    return restore(content, history);
  } catch (error) {
    return systemErrorCode(error) === 'ENOENT' ? undefined : String(error);
  }
}

function restore(content: Uint8Array, history: History): string | undefined {
  const { fineShape, coarseShape } = history;
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const headLength = view.getUint32(0, true);
  const head = JSON.parse(Buffer.from(content.subarray(4, 4 + headLength)).toString()) as Head;
  if (head.version !== version) return `it has version ${String(head.version)}`;
  if (
    head.stepMs !== fineShape.stepMs ||
    head.fineLength !== fineShape.length ||
    head.coarseLength !== coarseShape.length
  )
    return 'it was written with another --history-step';
  const eachBytes = Track.bytesOf(fineShape) + Track.bytesOf(coarseShape);
  if (content.byteLength < 4 + headLength + head.series.length * eachBytes) return 'it is cut short';
  for (const [at, { topic, group, createdMs }] of head.series.entries()) {
    const position = 4 + headLength + at * eachBytes;
    history.restore({
      key: { topic, group, createdMs },
      fine: Track.restore(fineShape, view, position),
      coarse: Track.restore(coarseShape, view, position + Track.bytesOf(fineShape)),
    });
  }
  return undefined;
}
