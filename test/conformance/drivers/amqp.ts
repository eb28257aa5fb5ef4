import type { Socket } from 'node:net';
import { AMQPClient, type AMQPChannel, type AMQPMessage } from '@cloudamqp/amqp-client';
import amqplib, { type ChannelModel, type ConfirmChannel } from 'amqplib';
import { serverKind, startServer, type TestServer } from '../../support/index.ts';
import type {
  DeadLetter,
  Delivery,
  DeliveryBroker,
  DeliveryConsumer,
  DeliveryDriver,
  GroupLimits,
  GroupOptions,
  HeaderList,
  LaterCalls,
  MemberOptions,
  OutgoingMessage,
  PublishAnswer,
  TopicKind,
  TopicOptions,
} from '../delivery-driver.ts';
import { Arrivals } from './arrivals.ts';
import { NatsBroker } from './nats.ts';

/** The only group of AMQP. */
const amqpGroup = 'default';
/** The exchange of messages that arrive later. */
const delayedExchange = 'delayed';

/**
 * AMQP: amqplib publishes with confirms, and @cloudamqp/amqp-client consumes in transactions, whose commit is
 * the answer to an ack. A queue has one group, `default`, whatever the suite calls it. Topics and groups are
 * created through JetStream, as streams and durable consumers: AMQP has no words for logs and deadlines.
 *
 * Both send small frames at once (noDelay): else what follows a frame that is not answered waits some 40 ms
 * for the TCP stack.
 */
export const amqpDriver: DeliveryDriver = {
  protocol: 'AMQP (amqplib, @cloudamqp/amqp-client)',
  capabilities: {
    // A queue has one group.
    fanOut: false,
    nack: true,
    // A queue may delay what is returned (`x-delayed-retry-type`); an answer cannot say for how long.
    nackLater: false,
    // A delivery has no deadline that a client could move.
    extend: false,
    reject: true,
    deliveryCount: true,
    // Queues have it (`x-message-deduplication`), but a confirm does not say that a message came before: see
    // test/protocols/amqp/selective-queues.test.ts.
    deduplication: false,
    inFlightLimit: true,
    // Groups with these settings are made by the admin HTTP: AMQP has no word for them.
    keyOrdering: true,
    keyRuns: true,
    brokerSettings: true,
    durableAcks: true,
    lateAcks: false,
    deadLetters: true,
    // Headers are a table: each has its name once.
    repeatedHeaders: false,
    delays: true,
    later: true,
    expiry: true,
    // The property has seconds, and the time of a message is the broker's.
    timestamps: false,
    // They come from JetStream, and AMQP consumes them: a publish has no field for them.
    uniqueKeys: true,
    priorities: true,
    consumerPriorities: true,
    activeConsumer: true,
    // An answer that gives a message back is a failed delivery.
    postpone: false,
    postponeScopes: false,
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
  /** The topics that were declared as queues, with their group. */
  readonly #declared = new Set<string>();

  constructor(server: TestServer) {
    this.#server = server;
    this.#nats = new NatsBroker(server);
  }

  async connect(): Promise<void> {
    await this.#nats.connect();
    await this.#open();
  }

  async #open(): Promise<void> {
    const url = `amqp://127.0.0.1:${this.#server.amqpPort}`;
    this.#connection = await amqplib.connect(url, { noDelay: true });
    this.#connection.on('error', () => {});
    this.#channel = await this.#connection.createConfirmChannel();
    this.#channel.on('error', () => {});
  }

  /** JetStream has no word for priorities: such a queue is declared. */
  async createTopic(topic: string, kind: TopicKind, options: TopicOptions = {}): Promise<void> {
    const { priorities, ...rest } = options;
    if (priorities === undefined) return this.#nats.createTopic(topic, kind, rest);
    await this.#channel.assertQueue(topic, { maxPriority: priorities - 1 });
    this.#declared.add(topic);
    if (Object.keys(rest).length > 0) await this.#nats.later.changeTopic(topic, rest);
  }

  async createGroup(topic: string, _: string, options?: GroupOptions): Promise<void> {
    if (!this.#declared.has(topic)) await this.#nats.createGroup(topic, amqpGroup, options);
  }

  limitGroup(topic: string, _: string, limits: GroupLimits): Promise<void> {
    return this.#nats.limitGroup(topic, amqpGroup, limits);
  }

  get later(): LaterCalls {
    return this.#nats.later;
  }

  async publish(topic: string, message: OutgoingMessage): Promise<PublishAnswer> {
    const { value, key, headers = [], ttlMs, priority, delayMs, unique } = message;
    if (unique !== undefined) return this.#nats.publish(topic, message);
    const content = Buffer.from(value);
    const options = {
      persistent: true,
      headers: { ...Object.fromEntries(headers), ...(delayMs !== undefined && { 'x-delay': delayMs }) },
      mandatory: true,
      ...(ttlMs !== undefined && { expiration: ttlMs }),
      ...(priority !== undefined && { priority }),
    };
    if (delayMs !== undefined) {
      await this.#bindDelayed(topic);
      this.#channel.publish(delayedExchange, topic, content, options);
    } else if (key === undefined) this.#channel.sendToQueue(topic, content, options);
    else {
      await this.#channel.bindQueue(topic, 'amq.direct', `${topic}.${key}`);
      this.#channel.publish('amq.direct', `${topic}.${key}`, content, options);
    }
    await this.#channel.waitForConfirms();
    return { duplicate: false };
  }

  async #bindDelayed(topic: string): Promise<void> {
    const type = { arguments: { 'x-delayed-type': 'direct' } };
    await this.#channel.assertExchange(delayedExchange, 'x-delayed-message', type);
    await this.#channel.bindQueue(topic, delayedExchange, topic);
  }

  async join(topic: string, _: string, options: MemberOptions = {}): Promise<DeliveryConsumer> {
    const client = new AMQPClient(`amqp://127.0.0.1:${this.#server.amqpPort}`, undefined, null);
    const connection = await client.connect();
    const { socket } = client as unknown as { readonly socket?: Socket };
    socket?.setNoDelay();
    const channel = await connection.channel();
    await channel.txSelect();
    const { priority, isLasting = false, member } = options;
    const isAlone = priority === undefined && member === undefined;
    const isConsumer = isLasting || !isAlone;
    const consumer = isConsumer
      ? await LastingConsumer.start(channel, topic, priority, isAlone ? 10 : 1)
      : new PullingConsumer(channel, topic);
    return {
      receive: (waitMs) => consumer.receive(waitMs),
      abandon: async () => void socket?.destroy(),
      [Symbol.asyncDispose]: async () => {
        await connection.close().catch(() => {});
      },
    };
  }

  countStored(topic: string): Promise<number> {
    return this.#nats.countStored(topic);
  }

  async readDeadLetters(topic: string, group: string): Promise<readonly DeadLetter[]> {
    const letters = await this.#nats.readDeadLetters(topic, amqpGroup);
    return letters.map((letter) => (letter.group === amqpGroup ? { ...letter, group } : letter));
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

/**
 * A consumer by basic.consume. With a precedence it takes one message at a time, so that the next may go to
 * another.
 */
class LastingConsumer {
  readonly #arrived = new Arrivals<Delivery>();

  static async start(
    channel: AMQPChannel,
    queue: string,
    priority: number | undefined,
    prefetch: number,
  ): Promise<LastingConsumer> {
    const consumer = new LastingConsumer();
    await channel.basicQos(prefetch);
    const args = priority === undefined ? {} : { 'x-priority': priority };
    await channel.basicConsume(queue, { noAck: false, args }, (message) =>
      consumer.#arrived.add(deliveryOf(channel, queue, message)),
    );
    return consumer;
  }

  receive(waitMs: number): Promise<Delivery | undefined> {
    return this.#arrived.next(waitMs);
  }
}

/** A consumer that takes a message when the test asks for one: by basic.get, again and again. */
class PullingConsumer {
  readonly #channel: AMQPChannel;
  readonly #queue: string;

  constructor(channel: AMQPChannel, queue: string) {
    this.#channel = channel;
    this.#queue = queue;
  }

  async receive(waitMs: number): Promise<Delivery | undefined> {
    const endMs = Date.now() + waitMs;
    for (;;) {
      const message = await this.#channel.basicGet(this.#queue, { noAck: false });
      if (message) return deliveryOf(this.#channel, this.#queue, message);
      if (Date.now() >= endMs) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

function deliveryOf(channel: AMQPChannel, queue: string, message: AMQPMessage): Delivery {
  const prefix = `${queue}.`;
  const key = message.routingKey;
  const { 'x-acquired-count': acquired = 0, ...rest } = message.properties.headers ?? {};
  const entries = Object.entries(rest) as [string, unknown][];
  const headers: HeaderList = entries.map(([name, value]) => [name, String(value)]);
  const unsupported = (): Promise<never> => Promise.reject(new Error('AMQP has no word for this'));
  const committed = async (answer: Promise<void>): Promise<void> => {
    await answer;
    await channel.txCommit();
  };
  return {
    value: message.body ?? new Uint8Array(0),
    key: key.startsWith(prefix) ? key.slice(prefix.length) : key,
    headers,
    deliveries: 1 + Number(acquired),
    ack: () => committed(message.ack()),
    nack: () => committed(message.nack(true)),
    nackLater: unsupported,
    extend: unsupported,
    reject: () => committed(message.reject(false)),
    postpone: unsupported,
  };
}
