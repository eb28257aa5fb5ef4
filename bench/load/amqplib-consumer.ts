import amqplib, { type Channel, type ChannelModel } from 'amqplib';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';

type Job = LoadJob & { kind: 'amqplib-consumer' };

/** An AMQP consumer by amqplib receives the messages of one queue and acks each of them by itself. */
export class AmqplibConsumer implements Generator {
  readonly #connection: ChannelModel;
  readonly #channel: Channel;
  readonly #job: Job;

  private constructor(connection: ChannelModel, channel: Channel, job: Job) {
    this.#connection = connection;
    this.#channel = channel;
    this.#job = job;
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<AmqplibConsumer> {
    const connection = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${job.port}`);
    connection.on('error', onFailure);
    const channel = await connection.createChannel();
    channel.on('error', onFailure);
    await channel.prefetch(job.prefetch);
    return new AmqplibConsumer(connection, channel, job);
  }

  async run(): Promise<Count> {
    const { queue, messages } = this.#job;
    const channel = this.#channel;
    const startMs = nowMs();
    let received = 0;
    await new Promise<void>((resolve, reject) => {
      channel
        .consume(queue, (message) => {
          if (message === null) return reject(new Error(`the queue ${queue} is gone`));
          channel.ack(message);
          if (++received === messages) resolve();
        })
        .catch(reject);
    });
    return { messages: received, startMs, endMs: nowMs() };
  }

  /** Closing waits until the server has taken the acks. */
  async end(): Promise<void> {
    await this.#channel.close();
    await this.#connection.close();
  }
}
