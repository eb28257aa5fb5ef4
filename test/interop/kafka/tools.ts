import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const home = process.env['KAFKA_HOME'];

/** Why Kafka's own tools cannot be run: they need Java, and in KAFKA_HOME a Kafka 4.4 with its `libs`. */
export const skipTools: string | false =
  home === undefined
    ? 'KAFKA_HOME is not set'
    : existsSync(join(home, 'libs'))
      ? false
      : `there is no ${home}/libs`;

/** The output of a tool; throws if it fails, or with `fails` if it does not. */
export async function java(
  mainClass: string,
  args: readonly string[],
  { input = '', fails = false }: { readonly input?: string; readonly fails?: boolean } = {},
): Promise<string> {
  const child = spawn('java', ['-cp', `${home}/libs/*`, mainClass, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), 90_000);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  assert.equal(code, fails ? 1 : 0, `${mainClass} ${args.join(' ')}\n${err}\n${out}`);
  return fails ? out + err : out;
}
