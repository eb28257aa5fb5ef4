import {
  Broker,
  type BatchTransaction,
  type Partition,
  type ProducerIdentity,
  type Topic,
  type TopicOptions,
  type TransactionLimits,
} from '../../src/broker/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { SeededRandom, VirtualClock } from '../../src/util/index.ts';
import { encodeRecordBatch } from '../../src/wire/kafka/index.ts';

/**
 * A producer of one transactional id, as a client keeps it: its identity, and a sequence number per
 * partition.
 */
export class TestProducer {
  readonly kit: TransactionKit;
  readonly transactionalId: string;
  identity: ProducerIdentity;
  readonly #sequences = new Map<string, number>();

  constructor(kit: TransactionKit, transactionalId: string, identity: ProducerIdentity) {
    this.kit = kit;
    this.transactionalId = transactionalId;
    this.identity = identity;
  }

  get caller(): ProducerIdentity & { transactionalId: string } {
    return { ...this.identity, transactionalId: this.transactionalId };
  }

  /**
   * Publishes a batch in the transaction; resolves to its base offset. `joins`: the partition is added by
   * itself.
   */
  async send(
    topic: string,
    values: readonly string[],
    {
      partition = 0,
      keys = [],
      joins = true,
    }: { partition?: number; keys?: readonly string[]; joins?: boolean } = {},
  ): Promise<number> {
    const place = `${topic}/${partition}/${this.identity.epoch}`;
    const baseSequence = this.#sequences.get(place) ?? 0;
    const bytes = batchOf(values, keys, { ...this.identity, baseSequence });
    const offset = await publish(this.kit.topic(topic), partition, bytes, {
      transactionalId: this.transactionalId,
      addsPartition: joins,
    });
    this.#sequences.set(place, baseSequence + values.length);
    return offset;
  }

  async end(outcome: 'commit' | 'abort', raises: boolean = true): Promise<void> {
    this.identity = await this.kit.broker.transactions.end(this.caller, outcome, raises);
  }
}

export function batchOf(
  values: readonly string[],
  keys: readonly string[],
  { producerId, epoch, baseSequence }: ProducerIdentity & { baseSequence: number },
): Buffer {
  return encodeRecordBatch(
    values.map((value, at) => ({
      value: Buffer.from(value),
      key: keys[at] === undefined ? null : Buffer.from(keys[at]),
      timestampMs: 1_700_000_000_000 + at,
    })),
    { producerId, producerEpoch: epoch, baseSequence, isTransactional: true },
  );
}

export function publish(
  topic: Topic,
  partition: number,
  batch: Uint8Array,
  transaction?: BatchTransaction,
): Promise<number> {
  return new Promise((resolve, reject) => {
    topic.publishBatch(
      partition,
      batch,
      { published: (_, __, offset) => resolve(offset), refused: (_, error) => reject(error) },
      undefined,
      transaction,
    );
  });
}

/** A broker on a disk that loses unsynced data, on a clock that moves when told. */
export class TransactionKit implements AsyncDisposable {
  files: FaultyFiles = new FaultyFiles();
  readonly clock: VirtualClock = new VirtualClock();
  readonly limits: Partial<TransactionLimits>;
  broker!: Broker;

  private constructor(limits: Partial<TransactionLimits>) {
    this.limits = limits;
  }

  static async open(limits: Partial<TransactionLimits> = {}): Promise<TransactionKit> {
    const kit = new TransactionKit(limits);
    await kit.#start();
    return kit;
  }

  async #start(): Promise<void> {
    this.broker = await Broker.open({
      dir: 'data',
      files: this.files,
      clock: this.clock,
      random: new SeededRandom(1),
      log: { journalFileBytes: 256 * 1024 },
      memoryBytes: () => 0,
      transactions: this.limits,
    });
  }

  async createTopic(name: string, options: Partial<TopicOptions> = {}): Promise<Topic> {
    return this.broker.createTopic({ name, ...options });
  }

  topic(name: string): Topic {
    return this.broker.topic(name)!;
  }

  partition(topic: string, index = 0): Partition {
    return this.topic(topic).partitions.at(index)!;
  }

  async producer(transactionalId = 'mover', timeoutMs = 60_000): Promise<TestProducer> {
    const identity = await this.broker.transactions.init(transactionalId, timeoutMs);
    return new TestProducer(this, transactionalId, identity);
  }

  async restart(): Promise<void> {
    await this.broker.close();
    await this.#start();
  }

  /** The power fails: unsynced data is lost. */
  async crash(seed = 3): Promise<void> {
    const { broker } = this;
    this.files = this.files.crash('power', new SeededRandom(seed));
    await broker.close().catch(() => undefined);
    await this.#start();
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await new Promise<void>((resolve) => this.broker.afterCommit(resolve));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  /** The messages of a partition that readers see. */
  async visible(topic: string, index = 0): Promise<string[]> {
    const values: string[] = [];
    for await (const record of this.partition(topic, index).scan(0))
      values.push(Buffer.from(record.value!).toString());
    return values;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.close();
  }
}
