import { setTimeout as delay } from 'node:timers/promises';
import {
  type Box,
  type Deliveries,
  type Delivery as BoxDelivery,
  type Group,
  type GroupSettings,
  type Topic,
  type MessageHeaders,
  type PrecedenceOptions,
  bytes,
  open,
} from '../../../src/index.ts';
import { Broker, MemoryFiles } from '../../../src/broker/index.ts';
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

/** The embedded API, on files in memory that survive the broker. */
export const embeddedDriver: DeliveryDriver = {
  protocol: 'the embedded API',
  capabilities: {
    fanOut: true,
    nack: true,
    nackLater: true,
    extend: true,
    reject: true,
    deliveryCount: true,
    deduplication: true,
    inFlightLimit: true,
    keyOrdering: true,
    keyRuns: true,
    durableAcks: true,
    // An ack belongs to its delivery.
    lateAcks: false,
    deadLetters: true,
    expiry: true,
    timestamps: true,
    uniqueKeys: true,
    priorities: true,
    consumerPriorities: true,
    activeConsumer: true,
    brokerSettings: true,
    postpone: true,
    postponeScopes: true,
    repeatedHeaders: true,
    delays: true,
    later: true,
  },
  start: async () => {
    const broker = new EmbeddedBroker();
    await broker.start();
    return broker;
  },
};

class EmbeddedBroker implements DeliveryBroker {
  #files = new MemoryFiles();
  #broker!: Broker;
  #box!: Box;
  /** Goes up with each crash: later calls from the previous broker do not count. */
  #life = 0;

  async start(): Promise<void> {
    this.#broker = await Broker.open({ dir: '/data', files: this.#files });
    this.#box = await open({ broker: this.#broker });
  }

  async createTopic(topic: string, kind: TopicKind, options: TopicOptions = {}): Promise<void> {
    await this.#box.topic(topic, { retention: kind === 'queue' ? 'queue' : 'limits', ...options });
  }

  async createGroup(topic: string, group: string, options: GroupOptions = {}): Promise<void> {
    const { ackDeadlineMs, activeSilenceMs, ...rest } = options;
    const settings: GroupSettings = {
      maxDeliver: Infinity,
      backoffMs: [],
      ...rest,
      ...(ackDeadlineMs === undefined ? {} : { ackWaitMs: ackDeadlineMs }),
      ...(activeSilenceMs === undefined ? {} : { activeConsumers: 'single', activeSilenceMs }),
    };
    await (await this.#topic(topic)).group(group, settings);
  }

  async limitGroup(topic: string, group: string, limits: GroupLimits): Promise<void> {
    await (await this.#topic(topic)).group(group, limits);
  }

  async publish(topic: string, message: OutgoingMessage): Promise<PublishAnswer> {
    const { value, id, ...options } = message;
    const life = this.#life;
    const published = await (
      await this.#topic(topic)
    ).publish(Buffer.from(value), { ...options, ...(id === undefined ? {} : { dedupeId: id }) });
    if (life !== this.#life) throw new Error('The broker crashed before it answered.');
    return published;
  }

  async join(topic: string, group: string, options: MemberOptions = {}): Promise<DeliveryConsumer> {
    const joined: Group<Uint8Array> = await (await this.#topic(topic)).group(group);
    const { isLasting = false, ...precedence } = options;
    if (isLasting) return new LastingConsumer(joined, precedence);
    const end = new AbortController();
    const leave = async (): Promise<void> => end.abort();
    return {
      receive: async (waitMs) => {
        const delivery = await joined.next({ waitMs, ...precedence });
        return delivery && new EmbeddedDelivery(delivery);
      },
      abandon: leave,
      [Symbol.asyncDispose]: leave,
    };
  }

  readonly later: LaterCalls = {
    list: async (name) => {
      const { delayed } = await this.#topic(name);
      const found: { id: number; value: string }[] = [];
      for await (const { id, value } of delayed.list())
        found.push({ id, value: Buffer.from(value).toString() });
      return found;
    },
    move: async (name, id, delayMs) => (await this.#topic(name)).delayed.move(id, { delayMs }),
    cancel: async (name, id) => (await this.#topic(name)).delayed.cancel(id),
    publishNow: async (name, id) => (await this.#topic(name)).delayed.publishNow(id),
    schedule: async (name, topic, value, everyMs) =>
      void (await this.#box.schedule(name, { topic, value: Buffer.from(value), codec: bytes, everyMs })),
    unschedule: async (name) => this.#box.schedules.get(name)?.delete(),
  };

  async countStored(topic: string): Promise<number> {
    return (await this.#topic(topic)).count;
  }

  async readDeadLetters(topic: string, group: string): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    const { deadLetters } = await (await this.#topic(topic)).group(group);
    for await (const { value, headers, origin } of deadLetters.browse()) {
      if (!origin) throw new Error('A dead letter without an origin.');
      const key = headers.get('Pillarbox-Dead-Letter-Key') ?? '';
      letters.push({ value, headers: listOf(headers), key, ...origin, time: new Date(origin.time) });
    }
    return letters;
  }

  /** Written data stays, as when a process is killed; the previous broker goes on without effect. */
  async crash(): Promise<void> {
    this.#life++;
    this.#files = this.#files.copy();
    await this.start();
  }

  async restart(): Promise<void> {
    await this.#close();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.#box.close();
    await this.#broker.close();
  }

  #topic(name: string): Promise<Topic<Uint8Array>> {
    return this.#box.topic(name, { codec: bytes });
  }
}

class EmbeddedDelivery implements Delivery {
  readonly #delivery: BoxDelivery<Uint8Array>;

  constructor(delivery: BoxDelivery<Uint8Array>) {
    this.#delivery = delivery;
  }

  get value(): Uint8Array {
    return this.#delivery.value;
  }

  get key(): string {
    return this.#delivery.key ?? '';
  }

  get headers(): HeaderList {
    return listOf(this.#delivery.headers);
  }

  get deliveries(): number {
    return this.#delivery.deliveries;
  }

  async ack(): Promise<void> {
    await this.#delivery.ack();
  }

  async nack(): Promise<void> {
    await this.#delivery.nack();
  }

  async nackLater(delayMs: number): Promise<void> {
    await this.#delivery.nack({ delayMs });
  }

  async extend(): Promise<void> {
    this.#delivery.extend();
  }

  async reject(reason: string): Promise<void> {
    await this.#delivery.reject(reason);
  }

  async postpone(delayMs: number, scope: 'message' | 'key' | 'group'): Promise<void> {
    await this.#delivery.postpone({ delayMs, scope });
  }
}

function listOf(headers: MessageHeaders): HeaderList {
  return [...headers];
}

/**
 * A consumer that asks for its next message until it comes, however often its caller stops to wait for it.
 */
class LastingConsumer implements DeliveryConsumer {
  readonly #deliveries: Deliveries<Uint8Array>;
  #next: ReturnType<Deliveries<Uint8Array>['next']> | undefined = undefined;

  constructor(group: Group<Uint8Array>, options: PrecedenceOptions) {
    this.#deliveries = group.deliveries(options);
  }

  async receive(waitMs: number): Promise<Delivery | undefined> {
    this.#next ??= this.#deliveries.next();
    const timeUp = new AbortController();
    const { signal } = timeUp;
    const late = delay(waitMs, undefined, { signal }).catch(() => undefined);
    const result = await Promise.race([this.#next, late]);
    timeUp.abort();
    if (result === undefined) return undefined;
    this.#next = undefined;
    return result.done === true ? undefined : new EmbeddedDelivery(result.value);
  }

  async abandon(): Promise<void> {
    await this.#deliveries.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deliveries.close();
  }
}
