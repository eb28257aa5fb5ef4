import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { runLoad } from './load/index.ts';
import type { Scratch } from './scratch.ts';

const piece = Buffer.alloc(2 ** 20, 1);

/**
 * Bytes per second from one process to another over the loopback, with only Node's sockets between; `bytes`
 * are sent.
 */
export async function loopbackBytesPerSecond(bytes: number, scratch: Scratch): Promise<number> {
  const server = createServer((socket) => void socket.once('data', () => send(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const { messages, startMs, endMs } = await runLoad({ kind: 'loopback-reader', port, bytes }, scratch);
    return (messages * 1e3) / (endMs - startMs);
  } finally {
    server.close();
  }
}

/** As fast as the socket takes it, until the reader leaves. */
function send(socket: Socket): void {
  socket.on('error', () => socket.destroy()); // the reader has enough
  const fill = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', fill);
  fill();
}
