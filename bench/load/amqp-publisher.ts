import { methods } from '../../src/wire/amqp/index.ts';
import { AmqpConfirms } from './amqp-confirms.ts';
import { encodeMessage } from './amqp-message.ts';
import { AmqpSocket } from './amqp-socket.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { runWindowed } from './windowed.ts';

type Job = LoadJob & { kind: 'amqp-publisher' };

/** An AMQP publisher keeps `window` messages unconfirmed: for every confirm it sends one more. */
export class AmqpPublisher implements Generator {
  readonly #socket: AmqpSocket;
  readonly #job: Job;
  /** Messages for each routing key in turn, in one buffer that is written again and again. */
  readonly #ring: Buffer;
  readonly #frameBytes: number;
  readonly #frames: number;
  #place = 0;
  #onConfirmed: (confirmed: number) => void = () => {};

  private constructor(socket: AmqpSocket, job: Job) {
    const { exchange, routingKeys, payloadBytes, window } = job;
    this.#socket = socket;
    this.#job = job;
    const rounds = Math.max(1, Math.ceil(window / routingKeys.length));
    const round = routingKeys.map((key) => encodeMessage(exchange, key, payloadBytes));
    this.#frames = rounds * round.length;
    this.#frameBytes = round[0]!.length;
    if (round.some(({ length }) => length !== this.#frameBytes))
      throw new Error('routing keys of one length are needed');
    this.#ring = Buffer.concat(Array.from({ length: rounds }, () => round).flat());
    void new AmqpConfirms(socket, (confirmed) => this.#onConfirmed(confirmed));
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<AmqpPublisher> {
    const socket = await AmqpSocket.connect(job.port, onFailure);
    await socket.call(methods.confirm.select, { noWait: false }, methods.confirm.selectOk);
    return new AmqpPublisher(socket, job);
  }

  run(): Promise<Count> {
    const { window, seconds, messages } = this.#job;
    return runWindowed({
      window,
      seconds,
      messages,
      send: (count) => this.#send(count),
      onAnswers: (answered) => (this.#onConfirmed = answered),
    });
  }

  end(): void {
    this.#socket.end();
  }

  /** It need not wait for drain: the window is the bound. */
  #send(count: number): void {
    for (let left = count; left > 0;) {
      const run = Math.min(left, this.#frames - this.#place);
      const start = this.#place * this.#frameBytes;
      this.#socket.write(this.#ring.subarray(start, start + run * this.#frameBytes));
      this.#place = (this.#place + run) % this.#frames;
      left -= run;
    }
  }
}
