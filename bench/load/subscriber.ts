import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { MessageCounter } from './message-counter.ts';
import { NatsSocket } from './nats-socket.ts';

/** Subscriber counts the messages that arrive on its connections, and knows when the last of them came. */
export class Subscriber implements Generator {
  readonly #sockets: readonly NatsSocket[];
  readonly #startMs: number = nowMs();
  #messages = 0;
  #lastMs = 0;
  #expected = Infinity;
  #finished: (count: Count) => void = () => {};

  private constructor(sockets: readonly NatsSocket[]) {
    this.#sockets = sockets;
    for (const socket of sockets) void new MessageCounter(socket, (messages) => this.#count(messages));
  }

  static async open(
    job: LoadJob & { kind: 'subscriber' },
    onFailure: (error: Error) => void,
  ): Promise<Subscriber> {
    const ports = Array.from({ length: job.connections }, () => job.port);
    const sockets = await Promise.all(ports.map((port) => NatsSocket.connect(port, onFailure)));
    await Promise.all(sockets.map((socket) => socket.flush(`SUB ${job.subject} 1\r\n`)));
    return new Subscriber(sockets);
  }

  run(): Promise<Count> {
    return new Promise((resolve) => (this.#finished = resolve));
  }

  /** The publisher is done: every connection should see `messages` in all. */
  finish(messages: number): void {
    this.#expected = messages * this.#sockets.length;
    this.#check();
  }

  end(): void {
    for (const socket of this.#sockets) socket.end();
  }

  #count(messages: number): void {
    this.#messages += messages;
    this.#lastMs = nowMs();
    this.#check();
  }

  #check(): void {
    if (this.#messages < this.#expected) return;
    this.#finished({ messages: this.#messages, startMs: this.#startMs, endMs: this.#lastMs });
  }
}
