import { fork, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PlantedBug } from './planted-bug.ts';
import type { Seeds, Tally } from './seeds.ts';

/** How a planted bug was caught: by which promise or test, and after how many seeds. */
export interface Catch {
  readonly by: string;
  readonly seeds: number;
}

/** The compiled program, which this file is part of. */
const compiled = fileURLToPath(new URL('../../', import.meta.url));
const seedsMax = 1500;
/** Longer than that many seeds take on a busy machine: a run that takes longer goes in circles. */
const limitMs = 10 * 60_000;

/** How often the line that the bug changes stands in its file: it must be once. */
export async function occurrences({ file, find }: PlantedBug): Promise<number> {
  const text = await readFile(join(compiled, 'src', file), 'utf8');
  return text.split(find).length - 1;
}

/** Changes a copy of the program and runs the suite on it. Undefined: the suite let it pass. */
export async function catchBug(bug: PlantedBug): Promise<Catch | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'pillarbox-planted-'));
  try {
    await copyProgram(dir);
    const path = join(dir, 'dist', 'src', bug.file);
    const text = await readFile(path, 'utf8');
    if (text.split(bug.find).length !== 2)
      throw new Error(`${bug.name}: "${bug.find}" does not stand in ${bug.file} exactly once.`);
    await writeFile(
      path,
      text.replace(bug.find, () => bug.replace),
    );
    for (const test of bug.tests ?? [])
      if (!(await passes(join(dir, 'dist', 'test', test)))) return { by: test, seeds: 0 };
    const program = join(dir, 'dist', 'test', 'simulation', 'main.js');
    if ((await playUntilCaught(program, 0)) !== undefined)
      throw new Error(`${bug.name}: with it the program does not run at all.`);
    return await playUntilCaught(program, seedsMax);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function copyProgram(dir: string): Promise<void> {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  await cp(join(root, 'package.json'), join(dir, 'package.json'));
  // Tests look into these, and a test that does not find them fails with any bug.
  for (const part of ['node_modules', 'docs', 'test']) await symlink(join(root, part), join(dir, part));
  for (const part of ['src', 'test'])
    await cp(join(compiled, part), join(dir, 'dist', part), { recursive: true });
}

/** A test that does not end has not passed. */
function passes(test: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--test', test], { stdio: 'ignore' });
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    child.once('exit', (code) => {
      clearTimeout(limit);
      resolve(code === 0);
    });
  });
}

function playUntilCaught(program: string, count: number): Promise<Catch | undefined> {
  const seeds: Seeds = { from: 1, to: 1 + count, step: 1, keepGoing: false };
  return new Promise((resolve) => {
    const child = fork(program, ['--worker', JSON.stringify(seeds)], { stdio: 'ignore' });
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    let tally: Tally | undefined;
    child.once('message', (message) => (tally = message as Tally));
    child.once('exit', (code) => {
      clearTimeout(limit);
      const failure = tally?.failures[0];
      if (failure) resolve({ by: failure.rule, seeds: tally!.seeds });
      else resolve(tally && code === 0 ? undefined : { by: 'the process ended', seeds: 0 });
    });
  });
}
