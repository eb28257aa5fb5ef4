import type { Files } from './files.ts';
import { temporarySuffix } from './format.ts';

/** Replaces a whole file durably. */
export async function replaceFile(
  files: Files,
  dir: string,
  path: string,
  pieces: readonly Uint8Array[],
): Promise<void> {
  const temporary = path + temporarySuffix;
  const file = await files.open(temporary, { create: true, truncate: true });
  try {
    let position = 0;
    for (const piece of pieces) {
      if (piece.length > 0) await file.write(piece, position);
      position += piece.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, path);
  await files.syncDir(dir);
}

/** The bytes of a file; undefined if there is none. */
export async function readFile(files: Files, path: string): Promise<Uint8Array | undefined> {
  const size = await files.size(path);
  if (size === undefined) return undefined;
  const file = await files.open(path);
  try {
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}
