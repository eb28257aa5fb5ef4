import { connect, type Socket } from 'node:net';

export interface Reading {
  /** Where the next bytes go. */
  readonly buffer: () => Buffer;
  /** So many have been read. */
  readonly onBytes: (bytes: number) => boolean;
  readonly onFailure: (error: Error) => void;
}

/** Connects to a port of the loopback interface. Every read goes into the reader's own buffer. */
export function connectLoopback(port: number, { buffer, onBytes, onFailure }: Reading): Socket {
  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: { buffer, callback: onBytes },
  });
  socket.on('error', onFailure);
  socket.on('close', () => onFailure(new Error('the server closed the connection')));
  return socket;
}
