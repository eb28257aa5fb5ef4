import {
  type ConsumerConfig,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  JetStreamApiError,
  RetentionPolicy,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type MsgHdrs, type NatsConnection, connect, headers } from '@nats-io/transport-node';
import { type TestServer, serverKind, startServer } from '../../support/index.ts';
import { AdminCalls } from './admin.ts';
import { Arrivals } from './arrivals.ts';
import type {
  DeadLetter,
  Delivery,
  DeliveryBroker,
  DeliveryConsumer,
  DeliveryDriver,
  GroupLimits,
  GroupOptions,
  HeaderList,
  MemberOptions,
  OutgoingMessage,
  PublishAnswer,
  TopicKind,
  TopicOptions,
} from '../delivery-driver.ts';

const MS_IN_NS = 1_000_000;
/** The shortest wait that the client allows for a pull. */
const PULL_MS_MIN = 1000;
const STREAM_NOT_FOUND = 10059;
const ANSWER_TIMEOUT_MS = 20_000;

/** A key is a subject of the stream: the part after the stream's name. */
const subjectOf = (topic: string, key: string | undefined): string =>
  key === undefined ? `${topic}.-` : `${topic}.${key}`;
const keyOf = (topic: string, subject: string): string =>
  subject === `${topic}.-` ? '' : subject.slice(topic.length + 1);

const listHeaders = (found: MsgHdrs | undefined): HeaderList =>
  [...(found ?? [])].flatMap(([name, values]) => values.map((value) => [name, value] as const));

const isOurs = serverKind === 'pillarbox';

/** JetStream through @nats-io/jetstream. If nats-server is the broker, it lacks our extensions. */
export const natsDriver: DeliveryDriver = {
  protocol: serverKind === 'pillarbox' ? 'NATS' : 'NATS (nats-server)',
  capabilities: {
    fanOut: true,
    nack: true,
    nackLater: true,
    extend: true,
    reject: true,
    deliveryCount: true,
    deduplication: true,
    inFlightLimit: true,
    // Groups with these settings are made by the admin HTTP: JetStream has no word for them.
    keyOrdering: isOurs,
    keyRuns: isOurs,
    brokerSettings: isOurs,
    // nats-server writes the state of its consumers some time after it has answered.
    durableAcks: isOurs,
    lateAcks: true,
    deadLetters: isOurs,
    // nats-server has it since 2.11.
    expiry: isOurs,
    // A stream gives its messages the time at which they arrive.
    timestamps: false,
    uniqueKeys: isOurs,
    priorities: isOurs,
    // Priority groups say both otherwise, by the pull request and by pin ids, and only some clients do: see
    // test/interop/nats/priority-groups.test.ts. Without them each pull is a consumer by itself.
    consumerPriorities: false,
    activeConsumer: false,
    // A -NAK that does not count.
    postpone: isOurs,
    // It is about its message alone.
    postponeScopes: false,
    repeatedHeaders: true,
    // A publish with a delay is a schedule of the stream, with a subject of its own: see
    // test/protocols/nats/jetstream/schedules.test.ts.
    delays: false,
    later: isOurs,
  },
  start: async () => {
    const broker = new NatsBroker(await startServer());
    await broker.connect();
    return broker;
  },
};

/** What JetStream can say of a group. */
const jetStreamOptions: ReadonlySet<string> = new Set<keyof GroupOptions>([
  'ackDeadlineMs',
  'maxDeliver',
  'maxInFlight',
]);

/** The broker by way of JetStream. */
export class NatsBroker implements DeliveryBroker {
  readonly #server: TestServer;
  #nc!: NatsConnection;
  #js!: JetStreamClient;
  #jsm!: JetStreamManager;
  /** Ports stay the same across restarts. Not there with nats-server. */
  readonly later: AdminCalls;

  constructor(server: TestServer) {
    this.#server = server;
    this.later = new AdminCalls(server.adminPort ?? 0);
  }

  async connect(): Promise<void> {
    this.#nc = await this.#open();
    this.#js = jetstream(this.#nc);
    this.#jsm = await jetstreamManager(this.#nc);
  }

  async createTopic(topic: string, kind: TopicKind, options?: TopicOptions): Promise<void> {
    await this.#jsm.streams.add({
      name: topic,
      subjects: [`${topic}.>`],
      ...(serverKind === 'pillarbox' ? { allow_msg_ttl: true } : {}),
      retention: kind === 'queue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    });
    if (options !== undefined) await this.later.changeTopic(topic, options);
  }

  async createGroup(topic: string, group: string, options: GroupOptions = {}): Promise<void> {
    if (Object.keys(options).some((name) => !jetStreamOptions.has(name)))
      return this.later.createGroup(topic, group, options);
    const { ackDeadlineMs, maxDeliver, maxInFlight } = options;
    const config: Partial<ConsumerConfig> = { durable_name: group, ack_policy: 'explicit' };
    if (ackDeadlineMs !== undefined) config.ack_wait = ackDeadlineMs * MS_IN_NS;
    if (maxDeliver !== undefined) config.max_deliver = maxDeliver;
    if (maxInFlight !== undefined) config.max_ack_pending = maxInFlight;
    await this.#jsm.consumers.add(topic, config);
  }

  async limitGroup(topic: string, group: string, limits: GroupLimits): Promise<void> {
    await this.later.limitGroup(topic, group, limits);
  }

  async publish(topic: string, message: OutgoingMessage): Promise<PublishAnswer> {
    const { value, key, id, ttlMs, unique, priority } = message;
    const sent = headers();
    for (const [name, text] of message.headers ?? []) sent.append(name, text);
    if (unique !== undefined) {
      sent.set('Pillarbox-Unique-Key', unique.key);
      sent.set('Pillarbox-Unique-Mode', unique.mode);
      if (unique.windowMs !== undefined) sent.set('Pillarbox-Unique-Window', `${unique.windowMs}ms`);
    }
    if (priority !== undefined) sent.set('Pillarbox-Priority', String(priority));
    if (ttlMs !== undefined) sent.set('Nats-TTL', String(ttlMs / 1000));
    const options = {
      headers: sent,
      timeout: ANSWER_TIMEOUT_MS,
      retries: 0,
      ...(id === undefined ? {} : { msgID: id }),
    };
    if (unique === undefined)
      return { duplicate: (await this.#js.publish(subjectOf(topic, key), value, options)).duplicate };
    // The client keeps the outcome to itself.
    const answer = await this.#nc.request(subjectOf(topic, key), value, {
      headers: sent,
      timeout: ANSWER_TIMEOUT_MS,
    });
    const { outcome, duplicate = false } = answer.json<{ outcome: string; duplicate?: boolean }>();
    return { duplicate, outcome };
  }

  async join(topic: string, group: string, options: MemberOptions = {}): Promise<DeliveryConsumer> {
    const nc = await this.#open();
    const consumer = await jetstream(nc).consumers.get(topic, group);
    if (options.isLasting === true)
      return lastingConsumer(nc, topic, await consumer.consume({ max_messages: 10 }));
    return {
      receive: async (waitMs) => {
        const message = await consumer.next({ expires: Math.max(waitMs, PULL_MS_MIN) });
        return message === null ? undefined : new NatsDelivery(nc, topic, message);
      },
      abandon: () => nc.close(),
      [Symbol.asyncDispose]: () => nc.close(),
    };
  }

  async countStored(topic: string): Promise<number> {
    return (await this.#jsm.streams.info(topic)).state.messages;
  }

  async readDeadLetters(topic: string, group: string): Promise<readonly DeadLetter[]> {
    const stream = `${topic}-${group}-dlq`;
    const letters: DeadLetter[] = [];
    const { state } = await this.#jsm.streams.info(stream).catch((error: unknown) => {
      if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND)
        return { state: { first_seq: 1, last_seq: 0 } };
      throw error;
    });
    for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
      const message = await this.#jsm.streams.getMessage(stream, { seq });
      if (message === null) continue;
      const read = (name: string): string => message.header.get(`Pillarbox-Dead-Letter-${name}`);
      letters.push({
        value: message.data,
        headers: listHeaders(message.header),
        topic: read('Topic'),
        group: read('Group'),
        offset: Number(read('Offset')),
        key: keyOf(topic, read('Key')),
        cause: read('Cause'),
        deliveries: Number(read('Deliveries')),
        time: new Date(read('Time')),
      });
    }
    return letters;
  }

  async crash(): Promise<void> {
    await this.#server.kill();
    await this.#startAgain();
  }

  async restart(): Promise<void> {
    await this.#server.stop();
    await this.#startAgain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nc.close();
    await this.#server[Symbol.asyncDispose]();
  }

  async #startAgain(): Promise<void> {
    await this.#nc.close();
    await this.#server.restart();
    await this.connect();
  }

  #open(): Promise<NatsConnection> {
    return connect({ servers: this.#server.natsAddress, reconnect: false });
  }
}

/** One pull for several messages, which the client renews. */
function lastingConsumer(nc: NatsConnection, topic: string, messages: ConsumerMessages): DeliveryConsumer {
  const arrived = new Arrivals<Delivery>();
  void (async () => {
    for await (const message of messages) arrived.add(new NatsDelivery(nc, topic, message));
  })().catch(() => {});
  return {
    receive: (waitMs) => arrived.next(waitMs),
    abandon: () => nc.close(),
    [Symbol.asyncDispose]: () => nc.close(),
  };
}

class NatsDelivery implements Delivery {
  readonly #nc: NatsConnection;
  readonly #topic: string;
  readonly #message: JsMsg;

  constructor(nc: NatsConnection, topic: string, message: JsMsg) {
    this.#nc = nc;
    this.#topic = topic;
    this.#message = message;
  }

  get value(): Uint8Array {
    return this.#message.data;
  }

  get key(): string {
    return keyOf(this.#topic, this.#message.subject);
  }

  get headers(): HeaderList {
    return listHeaders(this.#message.headers);
  }

  get deliveries(): number {
    return this.#message.info.deliveryCount;
  }

  ack(): Promise<void> {
    return this.#answer('+ACK');
  }

  nack(): Promise<void> {
    return this.#answer('-NAK');
  }

  nackLater(delayMs: number): Promise<void> {
    return this.#answer(`-NAK ${JSON.stringify({ delay: delayMs * MS_IN_NS })}`);
  }

  extend(): Promise<void> {
    return this.#answer('+WPI');
  }

  reject(reason: string): Promise<void> {
    return this.#answer(`+TERM ${reason}`);
  }

  postpone(delayMs: number): Promise<void> {
    return this.#answer(`-NAK ${JSON.stringify({ delay: delayMs * MS_IN_NS, counts: false })}`);
  }

  /**
   * With a reply the broker says when it has taken the answer, of every kind; the client offers that for acks
   * only.
   */
  async #answer(body: string): Promise<void> {
    await this.#nc.request((this.#message as unknown as { readonly reply: string }).reply, body, {
      timeout: ANSWER_TIMEOUT_MS,
    });
  }
}
