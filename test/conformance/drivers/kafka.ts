import { randomUUID } from 'node:crypto';
import { encodeRecordBatch, readRecords, splitBatches, errorName } from '../../../src/wire/kafka/index.ts';
import { KafkaClient } from '../../protocols/kafka/kit.ts';
import { type TestServer, serverKind, startServer } from '../../support/index.ts';
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
  OutgoingMessage,
  PublishAnswer,
  TopicKind,
  TopicOptions,
} from '../delivery-driver.ts';
import { NatsBroker } from './nats.ts';

const Acknowledge = { accept: 1, release: 2, reject: 3, renew: 4 } as const;
type Acknowledge = (typeof Acknowledge)[keyof typeof Acknowledge];

/** The shortest wait of a fetch that finds the available messages. */
const fetchMsMin = 300;

/**
 * Kafka, by share groups: Kafka's only way to answer message by message. No client for Node speaks it, so
 * this one uses our own codec. Topics and groups are created through JetStream, as streams and durable
 * consumers: Kafka has no words for deadlines below 15 s.
 */
export const kafkaDriver: DeliveryDriver = {
  protocol: 'Kafka share groups',
  capabilities: {
    fanOut: true,
    nack: true,
    // A record is released at once or not at all.
    nackLater: false,
    extend: true,
    reject: true,
    deliveryCount: true,
    // Producers are known by their sequence numbers, messages have no ids.
    deduplication: false,
    inFlightLimit: true,
    // Groups with these settings are made by the admin HTTP: Kafka has no word for them.
    keyOrdering: true,
    keyRuns: true,
    brokerSettings: true,
    activeConsumer: true,
    durableAcks: true,
    lateAcks: true,
    deadLetters: true,
    // These three come from JetStream, and Kafka consumes them: a Kafka producer has no field for them.
    expiry: true,
    uniqueKeys: true,
    priorities: true,
    timestamps: true,
    // Members of a share group are alike.
    consumerPriorities: false,
    // A share group releases a record, which is a failed delivery, or renews it.
    postpone: false,
    postponeScopes: false,
    repeatedHeaders: true,
    // A Kafka producer has no field for a delay.
    delays: false,
    later: true,
  },
  start: async () => {
    const server = await startServer();
    const broker = new KafkaBroker(server);
    await broker.connect();
    return broker;
  },
};

export const kafkaDriverSkip: false | string =
  serverKind === 'pillarbox' ? false : 'nats-server speaks no Kafka';

class KafkaBroker implements DeliveryBroker {
  readonly #server: TestServer;
  readonly #nats: NatsBroker;
  #client!: KafkaClient;

  constructor(server: TestServer) {
    this.#server = server;
    this.#nats = new NatsBroker(server);
  }

  async connect(): Promise<void> {
    await this.#nats.connect();
    this.#client = await KafkaClient.connect(this.#server.kafkaPort);
  }

  get later(): LaterCalls {
    return this.#nats.later;
  }

  createTopic(topic: string, kind: TopicKind, options?: TopicOptions): Promise<void> {
    return this.#nats.createTopic(topic, kind, options);
  }

  createGroup(topic: string, group: string, options?: GroupOptions): Promise<void> {
    return this.#nats.createGroup(topic, group, options);
  }

  limitGroup(topic: string, group: string, limits: GroupLimits): Promise<void> {
    return this.#nats.limitGroup(topic, group, limits);
  }

  async publish(topic: string, message: OutgoingMessage): Promise<PublishAnswer> {
    const { value, key, headers = [], timestampMs = Date.now(), ttlMs, unique, priority } = message;
    if (ttlMs !== undefined || unique !== undefined || priority !== undefined)
      return this.#nats.publish(topic, message);
    const batch = encodeRecordBatch([
      {
        key: key === undefined ? null : Buffer.from(key),
        value: Buffer.from(value),
        headers: headers.map(([name, text]) => ({ name, value: Buffer.from(text) })),
        timestampMs,
      },
    ]);
    const { errorCode } = await this.#client.produce(topic, batch);
    if (errorCode !== 0) throw new Error(`Produce: ${errorName(errorCode)}`);
    return { duplicate: false };
  }

  async join(topic: string, group: string): Promise<DeliveryConsumer> {
    const client = await KafkaClient.connect(this.#server.kafkaPort);
    const member = new ShareMember(client, group);
    await member.join(topic);
    return {
      receive: (waitMs) => member.receive(waitMs),
      abandon: async () => client[Symbol.dispose](),
      [Symbol.asyncDispose]: async () => client[Symbol.dispose](),
    };
  }

  countStored(topic: string): Promise<number> {
    return this.#nats.countStored(topic);
  }

  async readDeadLetters(topic: string, group: string): Promise<readonly DeadLetter[]> {
    const name = `${topic}-${group}-dlq`;
    const { topics } = await this.#client.call('Metadata', 4, {
      topics: [{ name }],
      allowAutoTopicCreation: false,
    });
    if (topics[0]!.errorCode !== 0) return [];
    const records = await this.#client.records(name);
    return records.map(({ value, headers }) => {
      const list = listHeaders(headers);
      const read = (field: string): string =>
        list.find(([header]) => header === `Pillarbox-Dead-Letter-${field}`)?.[1] ?? '';
      return {
        value: value ?? Buffer.alloc(0),
        headers: list,
        topic: read('Topic'),
        group: read('Group'),
        offset: Number(read('Offset')),
        key: read('Key'),
        cause: read('Cause'),
        deliveries: Number(read('Deliveries')),
        time: new Date(read('Time')),
      };
    });
  }

  async crash(): Promise<void> {
    this.#client[Symbol.dispose]();
    await this.#nats.crash();
    this.#client = await KafkaClient.connect(this.#server.kafkaPort);
  }

  async restart(): Promise<void> {
    this.#client[Symbol.dispose]();
    await this.#nats.restart();
    this.#client = await KafkaClient.connect(this.#server.kafkaPort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
    await this.#nats[Symbol.asyncDispose]();
  }
}

/** A member of a share group with a session of its own; its requests go out in the order of their epochs. */
class ShareMember {
  readonly #client: KafkaClient;
  readonly #groupId: string;
  readonly #memberId = randomUUID();
  #topicId = '';
  #epoch = 0;

  constructor(client: KafkaClient, groupId: string) {
    this.#client = client;
    this.#groupId = groupId;
  }

  async join(topic: string): Promise<void> {
    const { errorCode, errorMessage, assignment } = await this.#client.call('ShareGroupHeartbeat', 1, {
      groupId: this.#groupId,
      memberId: this.#memberId,
      memberEpoch: 0,
      subscribedTopicNames: [topic],
    });
    if (errorCode !== 0) throw new Error(`ShareGroupHeartbeat: ${errorMessage}`);
    this.#topicId = assignment!.topicPartitions[0]!.topicId;
  }

  async receive(waitMs: number): Promise<Delivery | undefined> {
    const isFirst = this.#epoch === 0;
    const { errorCode, errorMessage, responses } = await this.#client.call('ShareFetch', 2, {
      groupId: this.#groupId,
      memberId: this.#memberId,
      shareSessionEpoch: this.#epoch++,
      maxWaitMs: Math.min(Math.max(waitMs, fetchMsMin), 8000),
      minBytes: 1,
      maxRecords: 1,
      batchSize: 1,
      topics: isFirst
        ? [{ topicId: this.#topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }]
        : [],
      forgottenTopicsData: [],
    });
    if (errorCode !== 0) throw new Error(`ShareFetch: ${errorMessage}`);
    const partition = responses[0]?.partitions[0];
    if (!partition || partition.acquiredRecords.length === 0) return undefined;
    const [batch] = splitBatches(partition.records);
    const [record] = readRecords(batch!, 1 << 24);
    const { offset, value, key, headers } = record!;
    return {
      value: value ?? Buffer.alloc(0),
      key: key === null ? '' : Buffer.from(key).toString(),
      headers: listHeaders(headers),
      deliveries: partition.acquiredRecords[0]!.deliveryCount,
      ack: () => this.#acknowledge(offset, Acknowledge.accept),
      nack: () => this.#acknowledge(offset, Acknowledge.release),
      nackLater: () => Promise.reject(new Error('Kafka releases records at once.')),
      extend: () => this.#acknowledge(offset, Acknowledge.renew),
      reject: () => this.#acknowledge(offset, Acknowledge.reject),
      postpone: () => Promise.reject(new Error('Kafka has no word for this')),
    };
  }

  async #acknowledge(offset: number, type: Acknowledge): Promise<void> {
    await this.#client.call('ShareAcknowledge', 2, {
      groupId: this.#groupId,
      memberId: this.#memberId,
      shareSessionEpoch: this.#epoch++,
      topics: [
        {
          topicId: this.#topicId,
          partitions: [
            {
              partitionIndex: 0,
              acknowledgementBatches: [{ firstOffset: offset, lastOffset: offset, acknowledgeTypes: [type] }],
            },
          ],
        },
      ],
    });
  }
}

function listHeaders(
  headers: readonly { readonly name: string; readonly value: Uint8Array | null }[],
): HeaderList {
  return headers.map(
    ({ name, value }) => [name, value === null ? '' : Buffer.from(value).toString()] as const,
  );
}
