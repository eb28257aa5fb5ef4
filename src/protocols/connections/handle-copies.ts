import { spawn } from 'node:child_process';
import type { Server } from 'node:net';
import { basename } from 'node:path';

/** A handle inside Node. A server listens on a handle that is passed to `listen`. */
export type ListeningHandle = object;

/** The timeout of the child process that copies handles; it normally takes far less. */
const copyTimeoutMs = 10_000;

/**
 * The script of the child. Each time a handle is sent to another process, that process gets a new descriptor
 * for it.
 */
const script = `
process.on('disconnect', () => process.exit());
process.once('message', (left, handle) => {
  const send = () => { if (left-- > 0) process.send(0, handle, send); };
  send();
});
`;

/**
 * Copies the handle that a server listens on, as `dup` does: other descriptors of the same socket in the
 * system, with the same queue of connections. Node has no `dup`, but a handle that is sent to a child process
 * and back arrives as a copy. The child lives for some 50 ms.
 *
 * Returns fewer copies than requested, or none, if they cannot be made.
 */
export function copiesOfHandle(server: Server, count: number): Promise<ListeningHandle[]> {
  const copies: ListeningHandle[] = [];
  const { _handle: handle } = server as { _handle?: ListeningHandle | null };
  if (handle === undefined || handle === null || !isNode()) return Promise.resolve(copies);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'] },
    });
    const finish = (): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(copies);
    };
    const timer = setTimeout(finish, copyTimeoutMs);
    child.on('error', finish);
    child.on('exit', finish);
    child.on('message', (_, copy) => {
      if (copy) copies.push(copy);
      if (copies.length >= count) finish();
    });
    child.send(count, handle as Parameters<typeof child.send>[1], (error) => {
      if (error) finish();
    });
  });
}

/** Another runtime, or a program that bundles Node with a script, would start itself instead. */
function isNode(): boolean {
  return !('bun' in process.versions) && /^node(js)?[\d.-]*$/.test(basename(process.execPath));
}
