import amqplib, { type ChannelModel, type ConfirmChannel } from 'amqplib';
import type { Count, Generator, LoadJob } from './job.ts';
import { runWindowed } from './windowed.ts';

type Job = LoadJob & { kind: 'amqplib-publisher' };

/** An AMQP publisher by amqplib, with its defaults, which is the limit itself on a fast server. */
export class AmqplibPublisher implements Generator {
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;
  readonly #job: Job;
  readonly #onFailure: (error: Error) => void;

  private constructor(
    connection: ChannelModel,
    channel: ConfirmChannel,
    job: Job,
    onFailure: (error: Error) => void,
  ) {
    this.#connection = connection;
    this.#channel = channel;
    this.#job = job;
    this.#onFailure = onFailure;
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<AmqplibPublisher> {
    const connection = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${job.port}`);
    connection.on('error', onFailure);
    const channel = await connection.createConfirmChannel();
    channel.on('error', onFailure);
    return new AmqplibPublisher(connection, channel, job, onFailure);
  }

  run(): Promise<Count> {
    const { queue, payloadBytes, window, seconds, messages } = this.#job;
    const content = Buffer.alloc(payloadBytes, 'x');
    let onAnswered: (answered: number) => void = () => {};
    const confirmed = (error: unknown): void => {
      if (error) this.#onFailure(error instanceof Error ? error : new Error('a publish was refused'));
      else onAnswered(1);
    };
    return runWindowed({
      window,
      seconds,
      messages,
      send: (count) => {
        for (let i = 0; i < count; i++)
          this.#channel.sendToQueue(queue, content, { persistent: true }, confirmed);
      },
      onAnswers: (answered) => (onAnswered = answered),
    });
  }

  async end(): Promise<void> {
    await this.#connection.close();
  }
}
