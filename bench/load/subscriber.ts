import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { MessageCounter } from './message-counter.ts';
import { NatsSocket } from './nats-socket.ts';

/** A subscriber counts the messages of its connections, and records when the last one came. */
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

  /** Called when the publisher is done: every connection should receive `messages` in total. */
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
