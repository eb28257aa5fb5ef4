import { AMQPClient } from '@cloudamqp/amqp-client';
import { quieten } from './amqp-connection.ts';
import { hashOf, payloadOf } from './payload.ts';

/** The steps of an AMQP canary's round; each is timed. */
export const amqpCanarySteps = ['declare', 'publish', 'get', 'commit'] as const;
export type AmqpCanaryStep = (typeof amqpCanarySteps)[number];

const queue = 'amqp-canary';
const payloadBytesMax = 1000;

/** The queues of the storm, bounded: this is about the canary, not about the disk. */
export const floodedQueue = 'amqp-flood';
export const unreadQueue = 'amqp-unread';
const floodedBytesMax = 32 * 2 ** 20;
const unreadMessages = 20_000;

/**
 * An AMQP canary is a canary that uses AMQP: it declares a queue, publishes with confirms, gets its own
 * messages, and acks them in a transaction, which is answered.
 */
export class AmqpCanary {
  readonly timesMs: Record<AmqpCanaryStep, number[]> = { declare: [], publish: [], get: [], commit: [] };
  readonly problems: string[] = [];
  rounds = 0;
  readonly #port: number;
  readonly #password: string;

  constructor(port: number, password: string) {
    this.#port = port;
    this.#password = password;
  }

  async prepare(): Promise<void> {
    const client = await this.#connect();
    const channel = await client.channel();
    await channel.confirmSelect();
    const limited = { 'x-max-length-bytes': floodedBytesMax };
    await channel.queueDeclare(floodedQueue, {}, limited);
    await channel.queueDeclare(unreadQueue);
    const published: Promise<number>[] = [];
    for (let i = 0; i < unreadMessages; i++)
      published.push(channel.basicPublish('', unreadQueue, 'x'.repeat(100)));
    await Promise.all(published);
    await client.close();
  }

  /** Rounds until `isDone`. An operation that fails is a problem, and the canary goes on. */
  async run(isDone: () => boolean): Promise<void> {
    while (!isDone())
      await this.#rounds(isDone).catch((error: unknown) => void this.problems.push(`AMQP: ${String(error)}`));
  }

  async #rounds(isDone: () => boolean): Promise<void> {
    const client = await this.#connect();
    try {
      const publisher = await client.channel();
      await publisher.confirmSelect();
      const consumer = await client.channel();
      await consumer.txSelect();
      while (!isDone()) {
        const payload = payloadOf(`amqp-canary-${++this.rounds}`).subarray(0, payloadBytesMax);
        await this.#time('declare', () => publisher.queueDeclare(queue));
        await this.#time('publish', () => publisher.basicPublish('', queue, payload, { deliveryMode: 2 }));
        const message = await this.#time('get', () => consumer.basicGet(queue, { noAck: false }));
        if (!message?.body || hashOf(message.body) !== hashOf(payload)) {
          this.problems.push(`amqp-canary-${this.rounds} did not come back`);
          continue;
        }
        await message.ack();
        await this.#time('commit', () => consumer.txCommit());
      }
    } finally {
      if (!client.closed) await client.close();
    }
  }

  async #connect(): ReturnType<AMQPClient['connect']> {
    const client = new AMQPClient(`amqp://${this.#password}:${this.#password}@127.0.0.1:${this.#port}`);
    quieten(client);
    return client.connect();
  }

  async #time<T>(step: AmqpCanaryStep, work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      this.timesMs[step].push(performance.now() - begin);
    }
  }
}
