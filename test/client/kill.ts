import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Runs a program of this folder until it prints `text`, and kills it then. */
export async function killAfter(text: string, program: string, args: readonly string[]): Promise<void> {
  const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = once(child, 'exit');
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (output.includes(text)) break;
  }
  child.kill('SIGKILL');
  await exited;
  if (!output.includes(text)) throw new Error(`${program} ended without saying "${text}": ${output}`);
}
