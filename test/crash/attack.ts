import { type Socket, connect } from 'node:net';
import type { Random } from '../../src/util/index.ts';

/** Where a storm goes. */
export interface Target {
  readonly natsPort: number;
  readonly adminPort: number;
  readonly kafkaPort: number | undefined;
  readonly amqpPort: number | undefined;
  readonly amqpAdminPort: number | undefined;
  readonly sqsPort: number | undefined;
}

/** Counts of a storm so far. */
export interface StormCounts {
  connections: number;
  bytes: number;
  closedByServer: number;
}

/** An attack keeps so many connections busy; when one is closed it opens the next. */
export interface Attack {
  readonly name: string;
  readonly connections: number;
  /** Address it comes from; by default that of the canaries. */
  readonly from?: string | undefined;
  /** Which ports it knows how to annoy. */
  readonly port: (target: Target) => number | undefined;
  /** The first bytes of a fresh connection. */
  readonly begin: (line: Line, random: Random) => void;
}

/** The token that all clients of the broker in a storm must give, NATS and admin HTTP. */
export const stormToken = 'storm';

/**
 * Guesses come from another address of this machine where it has one: from that of the canaries they would
 * slow them down.
 */
export const elsewhere: string | undefined = process.platform === 'linux' ? '127.0.0.2' : undefined;

/** A connection of an attacker. */
export class Line {
  readonly #socket: Socket;
  readonly #counts: StormCounts;

  constructor(socket: Socket, counts: StormCounts) {
    this.#socket = socket;
    this.#counts = counts;
  }

  send(bytes: string | Buffer): boolean {
    if (this.#socket.destroyed) return false;
    this.#counts.bytes += bytes.length;
    return this.#socket.write(bytes);
  }

  /** Sends again and again, as fast as the server takes it. */
  flood(next: () => string | Buffer): void {
    const push = (): void => {
      for (let i = 0; i < 16; i++) if (!this.send(next())) return;
      setImmediate(push);
    };
    this.#socket.on('drain', push);
    push();
  }

  /** Sends a piece of so many bytes every so many milliseconds. */
  drip(bytes: Buffer, pieceBytes: number, everyMs: number): void {
    let at = 0;
    const timer = setInterval(() => {
      if (this.#socket.destroyed || at >= bytes.length) {
        clearInterval(timer);
        return;
      }
      this.send(bytes.subarray(at, at + pieceBytes));
      at += pieceBytes;
    }, everyMs);
  }

  /** Stops reading from the server for good. */
  deaf(): void {
    this.#socket.pause();
  }

  closeAfter(ms: number): void {
    setTimeout(() => this.#socket.destroy(), ms);
  }
}

/** Keeps an attack going; its counts go up as it does. */
export function launch(attack: Attack, target: Target, random: Random): StormCounts {
  const counts: StormCounts = { connections: 0, bytes: 0, closedByServer: 0 };
  const port = attack.port(target);
  if (port === undefined) return counts;
  const open = (): void => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ...(attack.from === undefined ? {} : { localAddress: attack.from }),
    });
    socket.on('connect', () => {
      counts.connections++;
      socket.resume();
      attack.begin(new Line(socket, counts), random);
    });
    socket.on('end', () => counts.closedByServer++);
    socket.on('error', () => {});
    socket.on('close', () => setTimeout(open, 10));
  };
  for (let i = 0; i < attack.connections; i++) open();
  return counts;
}
