import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeTemporaryDirectory } from '../support/index.ts';

const indexUrl = new URL('../../src/index.js', import.meta.url).href;

/** How a script ended that ran in a process of its own. */
export interface ScriptEnd {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a script that has `open` and the rest of the embedded API in `pillarbox`. */
export async function runScript(script: string): Promise<ScriptEnd> {
  await using directory = await makeTemporaryDirectory();
  const path = join(directory.path, 'script.mjs');
  const imports = `import * as pillarbox from ${JSON.stringify(indexUrl)};\nconst { open } = pillarbox;\n`;
  await writeFile(path, imports + script);
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const [[code], output, errors] = await Promise.all([
    once(child, 'exit') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  clearTimeout(kill);
  return { code, output, errors };
}
