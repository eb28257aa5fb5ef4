import { HttpSocket } from './http-socket.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { encodeFifoSend, encodeSend, requireAllDone } from './sqs-request.ts';
import { runWindowed } from './windowed.ts';

type Job = LoadJob & { kind: 'sqs-sender' };

/** An SQS sender has `window` requests under way, each on a connection of its own. */
export class SqsSender implements Generator {
  readonly #sockets: readonly HttpSocket[];
  readonly #idle: HttpSocket[];
  readonly #job: Job;
  /** The request of standard queues, which is always the same. */
  readonly #request: Buffer;
  #sent = 0;
  #onAnswered: (answered: number) => void = () => {};

  private constructor(sockets: readonly HttpSocket[], job: Job) {
    this.#sockets = sockets;
    this.#idle = [...sockets];
    this.#job = job;
    this.#request = encodeSend(job, job.payloadBytes, job.batch);
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<SqsSender> {
    return new SqsSender(await HttpSocket.connectAll(job.window, { port: job.port, onFailure }), job);
  }

  async run(): Promise<Count> {
    const { window, seconds, messages, batch } = this.#job;
    const count = await runWindowed({
      window,
      seconds,
      messages: Math.ceil(messages / batch),
      send: (requests) => {
        for (let i = 0; i < requests; i++) this.#send();
      },
      onAnswers: (answered) => (this.#onAnswered = answered),
    });
    return { ...count, messages: count.messages * batch };
  }

  end(): void {
    for (const socket of this.#sockets) socket.end();
  }

  #send(): void {
    const socket = this.#idle.pop()!;
    socket.ask(this.#nextRequest(), (buffer, start, end) => {
      if (this.#job.batch > 1) requireAllDone(buffer.toString('latin1', start, end));
      this.#idle.push(socket);
      this.#onAnswered(1);
    });
  }

  #nextRequest(): Buffer {
    const { groups, payloadBytes, batch } = this.#job;
    if (groups === 0) return this.#request;
    const first = this.#sent;
    this.#sent += batch;
    return encodeFifoSend(this.#job, { payloadBytes, first, messages: batch, groups });
  }
}
