import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';

type Job = LoadJob & { kind: 'loopback-reader' };

/**
 * A loopback reader reads a number of bytes from a socket without looking at them. It measures the loopback
 * and Node's sockets by themselves.
 */
export class LoopbackReader implements Generator {
  readonly #socket: Socket;
  readonly #job: Job;

  private constructor(socket: Socket, job: Job) {
    this.#socket = socket;
    this.#job = job;
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<LoopbackReader> {
    const socket = connect({ host: '127.0.0.1', port: job.port });
    await once(socket, 'connect');
    socket.on('error', onFailure);
    return new LoopbackReader(socket, job);
  }

  run(): Promise<Count> {
    const startMs = nowMs();
    let bytes = 0;
    return new Promise((resolve) => {
      this.#socket.on('data', (chunk) => {
        bytes += chunk.length;
        if (bytes >= this.#job.bytes) resolve({ messages: bytes, startMs, endMs: nowMs() });
      });
      this.#socket.write('go');
    });
  }

  end(): void {
    this.#socket.destroy();
  }
}
