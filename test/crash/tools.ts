import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Why a run that needs tools of the system cannot be made here; undefined when all of them are here. */
export function missing(...needs: readonly string[]): string | undefined {
  for (const need of needs) {
    if (need === 'root') {
      if (process.getuid?.() !== 0) return 'it needs root, to mount file systems';
    } else if (need.startsWith('/')) {
      if (!existsSync(need)) return `it needs ${need}`;
    } else if (spawnSync('sh', ['-c', `command -v ${need}`]).status !== 0)
      return `it needs ${need}, which is not installed`;
  }
  return undefined;
}

/** strace may be there and not be allowed to trace, as in many containers. */
export function missingStrace(): string | undefined {
  if (process.platform !== 'linux') return 'it needs strace, which is for Linux';
  const reason = missing('strace');
  if (reason !== undefined) return reason;
  const args = ['-f', '-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=1', 'true'];
  return spawnSync('strace', args).status === 0 ? undefined : 'strace may not trace processes here';
}

/** Runs a program to its end; throws with its output if it failed. */
export function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed (${status}): ${error?.message ?? stderr}`);
  return stdout.trim();
}
