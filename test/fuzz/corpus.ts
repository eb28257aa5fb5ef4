import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Inputs that were findings once: `test/fuzz/corpus/TARGET/`. This file runs two folders deeper, in the
 * output folder.
 */
const corpusDirectory = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  '..',
  'test',
  'fuzz',
  'corpus',
);

export async function readCorpus(target: string): Promise<{ name: string; bytes: Buffer }[]> {
  const dir = join(corpusDirectory, target);
  const names = await readdir(dir).catch(() => []);
  return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(dir, name)) })));
}

/** Keeps a finding; says where. */
export async function keepFinding(target: string, bytes: Uint8Array): Promise<string> {
  const dir = join(corpusDirectory, target);
  await mkdir(dir, { recursive: true });
  const path = join(dir, createHash('sha256').update(bytes).digest('hex').slice(0, 16));
  await writeFile(path, bytes);
  return path;
}
