import { Socket } from 'node:net';

/**
 * The inside of an accepted socket in Node. `new Socket` takes the handle to continue with the connection.
 */
interface WithHandle {
  _handle?: unknown;
}

/**
 * Reads an accepted connection into a buffer that all connections share, or into the buffer that `target`
 * returns before each read. Calls `received` with each chunk; a shared chunk is valid only during the call.
 * Returns the socket to write to, and to pause, resume and end.
 *
 * By default Node reads every chunk into 64 KiB of new memory. Reading into warm memory instead takes a third
 * to a half off the cost of a publish (measured, 128 and 1024 bytes), and leaves no garbage.
 *
 * `net.connect` offers this as `onread`; a server does not. So the connection moves from the accepted socket
 * to a new one; the accepted socket must not have been read from (`pauseOnConnect`). If the connection cannot
 * move, the accepted socket is read as usual. That is the case with TLS, which decrypts into memory of its
 * own, and on Bun, where a socket made from a handle is never read.
 */
export function readShared(
  accepted: Socket,
  target: Buffer | (() => Buffer),
  received: (chunk: Buffer) => void,
): Socket {
  const inside = accepted as WithHandle;
  const handle = inside._handle;
  const isSecured = 'encrypted' in accepted;
  if (isSecured || handle === undefined || handle === null || process.versions['bun'] !== undefined) {
    accepted.on('data', received);
    accepted.resume();
    return accepted;
  }
  inside._handle = null;
  const socket = new Socket({
    handle,
    onread: {
      buffer: target,
      callback: (bytes: number, buffer: Uint8Array) => {
        received((buffer as Buffer).subarray(0, bytes));
        return true;
      },
    },
  } as ConstructorParameters<typeof Socket>[0]);
  accepted.destroy();
  socket.resume(); // otherwise the socket would never see the end
  return socket;
}
