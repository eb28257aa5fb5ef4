import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './clock.ts';
import { HttpSocket } from './http-socket.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { encodeReceive } from './sqs-request.ts';

type Job = LoadJob & { kind: 'sqs-poller' };

const waitSeconds = 20;
const answerBytesMax = 4096;

/** An SQS poller has long polls of an empty queue under way: each that ends is begun again. */
export class SqsPoller implements Generator {
  readonly #sockets: readonly HttpSocket[];
  readonly #job: Job;
  /** Polls that have ended. */
  polls = 0;

  private constructor(sockets: readonly HttpSocket[], job: Job) {
    this.#sockets = sockets;
    this.#job = job;
    const request = encodeReceive(job, { WaitTimeSeconds: waitSeconds });
    const poll = (socket: HttpSocket): void =>
      socket.ask(request, () => {
        this.polls++;
        poll(socket);
      });
    for (const socket of sockets) poll(socket);
  }

  /** The polls are under way from then on. */
  static async open(job: Job, onFailure: (error: Error) => void): Promise<SqsPoller> {
    const { port, polls } = job;
    return new SqsPoller(await HttpSocket.connectAll(polls, { port, answerBytesMax, onFailure }), job);
  }

  /** Counts the polls that end meanwhile. */
  async run(): Promise<Count> {
    const startMs = nowMs();
    const before = this.polls;
    await delay(this.#job.seconds * 1e3);
    return { messages: this.polls - before, startMs, endMs: nowMs() };
  }

  end(): void {
    for (const socket of this.#sockets) socket.end();
  }
}
