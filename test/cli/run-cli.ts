import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// dist*/test/cli/run-cli.js -> dist*/src/cli/main.js, for any name of the output folder.
const mainPath = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

const deadlineMs = 20_000;

export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  readonly input?: string;
  /** The system refuses writes beyond (RLIMIT_FSIZE). */
  readonly fileBytesMax?: number;
}

/**
 * Starts the command line in a process of its own, without the variables of this process that would affect
 * it.
 */
export function spawnCli(args: readonly string[], options: CliOptions = {}): ChildProcess {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith('PILLARBOX_') && name !== 'NODE_TEST_CONTEXT' && name !== 'FORCE_COLOR',
    ),
  );
  const command = [process.execPath, mainPath, ...args];
  // The shell counts in blocks of 512 bytes, as POSIX has it.
  const limited =
    options.fileBytesMax === undefined
      ? command
      : ['sh', '-c', `ulimit -f ${options.fileBytesMax / 512}; exec "$@"`, 'sh', ...command];
  return spawn(limited[0] ?? '', limited.slice(1), {
    cwd: options.cwd,
    env: { ...environment, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
}

/** Runs the command line to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawnCli(args, options);
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  if (options.input !== undefined) child.stdin?.end(options.input);
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return { code, out, err };
}
