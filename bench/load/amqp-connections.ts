import { AmqpSocket } from './amqp-socket.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';

type Job = LoadJob & { kind: 'amqp-connections' };

/** Connections that are opened at the same time. */
const atOnce = 50;
const readBytes = 4096;

/** AMQP connections that do nothing, with a channel each, until they are ended. */
export class AmqpConnections implements Generator {
  readonly #sockets: readonly AmqpSocket[];

  private constructor(sockets: readonly AmqpSocket[]) {
    this.#sockets = sockets;
  }

  static async open({ port, connections }: Job, onFailure: (error: Error) => void): Promise<AmqpConnections> {
    const sockets: AmqpSocket[] = [];
    while (sockets.length < connections) {
      const count = Math.min(atOnce, connections - sockets.length);
      const opening = Array.from({ length: count }, () => AmqpSocket.connect(port, onFailure, readBytes));
      sockets.push(...(await Promise.all(opening)));
    }
    return new AmqpConnections(sockets);
  }

  async run(): Promise<Count> {
    const startMs = nowMs();
    return { messages: 0, startMs, endMs: nowMs() };
  }

  end(): void {
    for (const socket of this.#sockets) socket.end();
  }
}
