import { serverKind, startServer, type TestServer } from '../../support/index.ts';
import { type Output, skip, sqsAt, type SqsClient } from '../../interop/sqs/clients.ts';
import type {
  DeadLetter,
  Delivery,
  DeliveryBroker,
  DeliveryConsumer,
  DeliveryDriver,
  GroupLimits,
  GroupOptions,
  LaterCalls,
  OutgoingMessage,
  PublishAnswer,
  TopicKind,
  TopicOptions,
} from '../delivery-driver.ts';
import { NatsBroker } from './nats.ts';

/** The only group of SQS. */
const sqsGroup = 'default';

/**
 * SQS: the AWS SDK sends, receives and deletes. A queue has one group, `default`, whatever the suite calls
 * it. Topics and groups are created through JetStream, as streams and durable consumers: SQS has no words for
 * logs. A topic whose group orders by key is a FIFO queue.
 */
export const sqsDriver: DeliveryDriver = {
  protocol: 'SQS (AWS SDK)',
  capabilities: {
    // A queue has one group.
    fanOut: false,
    nack: true,
    nackLater: true,
    extend: true,
    // SQS has no word for it: a message is received until it becomes a dead letter.
    reject: false,
    deliveryCount: true,
    // Only FIFO queues have it, and SendMessage does not say that a message came before: see
    // test/protocols/sqs/fifo.test.ts.
    deduplication: false,
    inFlightLimit: true,
    keyOrdering: true,
    // Each receive is a consumer by itself, so a run ends with it, and so does an active consumer.
    keyRuns: false,
    activeConsumer: false,
    consumerPriorities: false,
    // Groups with these settings are made by the admin HTTP: SQS has no word for them.
    brokerSettings: true,
    durableAcks: true,
    lateAcks: false,
    deadLetters: true,
    // Attributes have one value each.
    repeatedHeaders: false,
    delays: true,
    later: true,
    // These three come from JetStream, and SQS receives them: SendMessage has no field for them.
    expiry: true,
    uniqueKeys: true,
    priorities: true,
    // SentTimestamp is the broker's.
    timestamps: false,
    // ChangeMessageVisibility ends a failed delivery.
    postpone: false,
    postponeScopes: false,
  },
  start: async () => {
    const server = await startServer();
    const broker = new SqsBroker(server);
    await broker.connect();
    return broker;
  },
};

export const sqsDriverSkip: false | string =
  serverKind === 'pillarbox' ? skip : 'nats-server does not speak SQS';

class SqsBroker implements DeliveryBroker {
  readonly #server: TestServer;
  readonly #nats: NatsBroker;
  #sqs!: SqsClient;
  /** The topics that are FIFO queues. */
  readonly #fifo = new Set<string>();
  readonly #deadlinesMs = new Map<string, number>();
  #sent = 0;

  constructor(server: TestServer) {
    this.#server = server;
    this.#nats = new NatsBroker(server);
  }

  async connect(): Promise<void> {
    await this.#nats.connect();
    this.#sqs = sqsAt(this.#server.sqsPort);
  }

  get later(): LaterCalls {
    return this.#nats.later;
  }

  createTopic(topic: string, kind: TopicKind, options?: TopicOptions): Promise<void> {
    return this.#nats.createTopic(topic, kind, options);
  }

  async createGroup(topic: string, _: string, options: GroupOptions = {}): Promise<void> {
    this.#deadlinesMs.set(topic, options.ackDeadlineMs ?? 30_000);
    if (options.ordering !== 'key') return this.#nats.createGroup(topic, sqsGroup, options);
    this.#fifo.add(topic);
    await this.#sqs['createQueue']!({ QueueName: `${topic}.fifo`, Attributes: { FifoQueue: 'true' } });
    const { ackDeadlineMs: _1, ordering: _2, ...limits } = options;
    if (Object.keys(limits).length > 0) await this.limitGroup(topic, sqsGroup, limits);
  }

  limitGroup(topic: string, _: string, limits: GroupLimits): Promise<void> {
    return this.#nats.limitGroup(this.#nameOf(topic), sqsGroup, limits);
  }

  async publish(topic: string, message: OutgoingMessage): Promise<PublishAnswer> {
    const { value, key, headers = [], delayMs, ttlMs, unique, priority } = message;
    const isFifo = this.#fifo.has(topic);
    // SQS sends texts that are not empty. All else comes from NATS, and SQS receives it.
    const isText = typeof value === 'string' && value !== '' && headers.every(([, text]) => text !== '');
    const hasField = ttlMs === undefined && unique === undefined && priority === undefined;
    if (!isText || !hasField) return this.#nats.publish(topic, message);
    await this.#sqs['sendMessage']!({
      QueueUrl: this.#urlOf(topic),
      MessageBody: value,
      ...(delayMs !== undefined && { DelaySeconds: delayMs / 1000 }),
      // As the stream has its subjects.
      ...(key !== undefined && { MessageGroupId: isFifo ? key : `${topic}.${key}` }),
      ...(isFifo && { MessageDeduplicationId: String(this.#sent++) }),
      MessageAttributes: Object.fromEntries(
        headers.map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
      ),
    });
    return { duplicate: false };
  }

  join(topic: string): Promise<DeliveryConsumer> {
    const visibility = Math.ceil((this.#deadlinesMs.get(topic) ?? 30_000) / 1000);
    const consumer = new Receiver(
      sqsAt(this.#server.sqsPort),
      { QueueUrl: this.#urlOf(topic), VisibilityTimeout: visibility },
      topic,
    );
    return Promise.resolve(consumer);
  }

  countStored(topic: string): Promise<number> {
    return this.#nats.countStored(topic);
  }

  async readDeadLetters(topic: string, group: string): Promise<readonly DeadLetter[]> {
    const letters = await this.#nats.readDeadLetters(topic, sqsGroup);
    return letters.map((letter) => (letter.group === sqsGroup ? { ...letter, group } : letter));
  }

  async crash(): Promise<void> {
    await this.#nats.crash();
    this.#connectAgain();
  }

  async restart(): Promise<void> {
    await this.#nats.restart();
    this.#connectAgain();
  }

  /** The connections that the client keeps are of the server that is gone. */
  #connectAgain(): void {
    this.#sqs = sqsAt(this.#server.sqsPort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats[Symbol.asyncDispose]();
  }

  #urlOf(topic: string): string {
    return `http://127.0.0.1:${this.#server.sqsPort}/000000000000/${this.#nameOf(topic)}`;
  }

  #nameOf(topic: string): string {
    return this.#fifo.has(topic) ? `${topic}.fifo` : topic;
  }
}

interface ReceiverQueue {
  readonly QueueUrl: string;
  readonly VisibilityTimeout: number;
}

/** Receives one message at a time, when the test asks for one. */
class Receiver implements DeliveryConsumer {
  readonly #sqs: SqsClient;
  readonly #queue: ReceiverQueue;
  readonly #topic: string;
  readonly #leaving = new AbortController();

  constructor(sqs: SqsClient, queue: ReceiverQueue, topic: string) {
    this.#sqs = sqs;
    this.#queue = queue;
    this.#topic = topic;
  }

  async receive(waitMs: number): Promise<Delivery | undefined> {
    const { Messages = [] } = await this.#sqs['receiveMessage']!(
      {
        ...this.#queue,
        // A wait of 0 would be refused, instead of getting nothing, while too much is in flight.
        WaitTimeSeconds: Math.min(20, Math.max(1, Math.ceil(waitMs / 1000))),
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      },
      { abortSignal: this.#leaving.signal },
    );
    return Messages.length === 0 ? undefined : this.#deliveryOf(Messages[0]);
  }

  #deliveryOf({ Body, Attributes, MessageAttributes = {}, ReceiptHandle }: Output): Delivery {
    const prefix = `${this.#topic}.`;
    const key: string = Attributes.MessageGroupId ?? '';
    const { 'Content-Transfer-Encoding': encoding, ...attributes } = MessageAttributes;
    const headers = Object.entries(attributes as { readonly [name: string]: Output }).map(
      ([name, { StringValue }]) => [name, String(StringValue)] as const,
    );
    const { QueueUrl, VisibilityTimeout: visibility } = this.#queue;
    const change = async (VisibilityTimeout: number): Promise<void> => {
      await this.#sqs['changeMessageVisibility']!({ QueueUrl, ReceiptHandle, VisibilityTimeout });
    };
    return {
      value: Buffer.from(Body, encoding?.StringValue === 'base64' ? 'base64' : 'utf8'),
      key: key.startsWith(prefix) ? key.slice(prefix.length) : key,
      headers,
      deliveries: Number(Attributes.ApproximateReceiveCount),
      ack: async () => {
        await this.#sqs['deleteMessage']!({ QueueUrl, ReceiptHandle });
      },
      nack: () => change(0),
      nackLater: (delayMs) => change(Math.ceil(delayMs / 1000)),
      extend: () => change(visibility),
      reject: () => Promise.reject(new Error('SQS has no word for this')),
      postpone: () => Promise.reject(new Error('SQS has no word for this')),
    };
  }

  abandon(): Promise<void> {
    this.#leaving.abort();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abandon();
  }
}
