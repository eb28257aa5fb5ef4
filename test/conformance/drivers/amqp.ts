import amqplib, { type Channel, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib';
import { serverKind, startServer, type TestServer } from '../../support/index.ts';
import type {
  DeadLetter,
  Delivery,
  DeliveryBroker,
  DeliveryConsumer,
  DeliveryDriver,
  GroupOptions,
  HeaderList,
  OutgoingMessage,
  TopicKind,
} from '../delivery-driver.ts';
import { NatsBroker } from './nats.ts';

/** The only group of AMQP. */
const amqpGroup = 'default';

/**
 * AMQP, by amqplib. A queue has one group, `default`, whatever the suite calls it. Topics and groups are
 * created through JetStream, as streams and durable consumers: AMQP has no words for logs and deadlines.
 */
export const amqpDriver: DeliveryDriver = {
  protocol: 'AMQP (amqplib)',
  capabilities: {
    fanOut: false,
    nack: true,
    nackLater: false,
    extend: false,
    reject: true,
    // A delivery says only whether it is the first one.
    deliveryCount: false,
    deduplication: false,
    inFlightLimit: true,
    keyOrdering: false,
    keyRuns: false,
    // basic.ack has no answer.
    durableAcks: false,
    lateAcks: false,
    deadLetters: false,
    repeatedHeaders: false,
    later: false,
    expiry: false,
    uniqueKeys: false,
    priorities: false,
    precedence: false,
  },
  start: async () => {
    const server = await startServer();
    const broker = new AmqpBroker(server);
    await broker.connect();
    return broker;
  },
};

export const amqpDriverSkip: false | string =
  serverKind === 'pillarbox' ? false : 'nats-server speaks no AMQP';

class AmqpBroker implements DeliveryBroker {
  readonly #server: TestServer;
  readonly #nats: NatsBroker;
  #connection!: ChannelModel;
  #channel!: ConfirmChannel;

  constructor(server: TestServer) {
    this.#server = server;
    this.#nats = new NatsBroker(server);
  }

  async connect(): Promise<void> {
    await this.#nats.connect();
    await this.#open();
  }

  async #open(): Promise<void> {
    this.#connection = await connectTo(this.#server);
    this.#channel = await this.#connection.createConfirmChannel();
    this.#channel.on('error', () => {});
  }

  createTopic(topic: string, kind: TopicKind): Promise<void> {
    return this.#nats.createTopic(topic, kind);
  }

  createGroup(topic: string, _: string, options?: GroupOptions): Promise<void> {
    return this.#nats.createGroup(topic, amqpGroup, options);
  }

  async publish(
    topic: string,
    { value, key, headers = [] }: OutgoingMessage,
  ): Promise<{ readonly duplicate: boolean }> {
    const content = Buffer.from(value);
    const options = { persistent: true, headers: Object.fromEntries(headers), mandatory: true };
    if (key === undefined) this.#channel.sendToQueue(topic, content, options);
    else {
      await this.#channel.bindQueue(topic, 'amq.direct', `${topic}.${key}`);
      this.#channel.publish('amq.direct', `${topic}.${key}`, content, options);
    }
    await this.#channel.waitForConfirms();
    return { duplicate: false };
  }

  async join(topic: string): Promise<DeliveryConsumer> {
    const connection = await connectTo(this.#server);
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    const consumer = new PullingConsumer(channel, topic);
    return {
      receive: (waitMs) => consumer.receive(waitMs),
      abandon: async () => {
        (connection.connection as unknown as { stream: { destroy(): void } }).stream.destroy();
      },
      [Symbol.asyncDispose]: async () => {
        // The channel first: the end of a connection overtakes the acks that amqplib has not written yet.
        await channel.close().catch(() => {});
        await connection.close().catch(() => {});
      },
    };
  }

  countStored(topic: string): Promise<number> {
    return this.#nats.countStored(topic);
  }

  readDeadLetters(topic: string): Promise<readonly DeadLetter[]> {
    return this.#nats.readDeadLetters(topic, amqpGroup);
  }

  async crash(): Promise<void> {
    await this.#nats.crash();
    await this.#open();
  }

  async restart(): Promise<void> {
    await this.#nats.restart();
    await this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close().catch(() => {});
    await this.#nats[Symbol.asyncDispose]();
  }
}

async function connectTo(server: TestServer): Promise<ChannelModel> {
  const connection = await amqplib.connect(`amqp://127.0.0.1:${server.amqpPort}`);
  connection.on('error', () => {});
  return connection;
}

/** A consumer that takes a message when the test asks for one: by basic.get, again and again. */
class PullingConsumer {
  readonly #channel: Channel;
  readonly #queue: string;

  constructor(channel: Channel, queue: string) {
    this.#channel = channel;
    this.#queue = queue;
  }

  async receive(waitMs: number): Promise<Delivery | undefined> {
    const channel = this.#channel;
    const endMs = Date.now() + waitMs;
    for (;;) {
      const message = await channel.get(this.#queue);
      if (message !== false) return deliveryOf(channel, this.#queue, message as unknown as ConsumeMessage);
      if (Date.now() >= endMs) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function deliveryOf(channel: Channel, queue: string, message: ConsumeMessage): Delivery {
  const { content, fields, properties } = message;
  const prefix = `${queue}.`;
  const key = fields.routingKey;
  const entries = Object.entries(properties.headers ?? {}) as [string, unknown][];
  const headers: HeaderList = entries.map(([name, value]) => [name, String(value)]);
  const unsupported = (): Promise<never> => Promise.reject(new Error('AMQP has no word for this'));
  return {
    value: content,
    key: key.startsWith(prefix) ? key.slice(prefix.length) : key,
    headers,
    deliveries: 0,
    ack: async () => channel.ack(message),
    nack: async () => channel.nack(message),
    nackLater: unsupported,
    extend: unsupported,
    reject: async () => channel.reject(message, false),
  };
}
