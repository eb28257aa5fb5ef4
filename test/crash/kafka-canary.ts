import { KafkaClient, batchOf } from '../protocols/kafka/kit.ts';
import { splitBatches, readRecords } from '../../src/wire/kafka/index.ts';
import { hashOf, payloadOf } from './payload.ts';

/** The steps of a Kafka canary's round; each is timed. */
export const kafkaCanarySteps = ['produce', 'fetch', 'commit'] as const;
export type KafkaCanaryStep = (typeof kafkaCanarySteps)[number];

/** Long, because slowness is what is measured. */
const timeoutMs = 600_000;
const topic = 'kafka-canary';
const groupId = 'kafka-canary';
const payloadBytesMax = 1000;

/** The topics that are flooded, bounded: this is about the canary, not about the disk. */
const floodedTopics = ['kafka-flood', 'kafka-unread'];
const floodedBytesMax = 32 * 2 ** 20;

/** A Kafka canary is a canary that uses Kafka: it produces, fetches its own messages, and commits. */
export class KafkaCanary {
  readonly timesMs: Record<KafkaCanaryStep, number[]> = { produce: [], fetch: [], commit: [] };
  readonly problems: string[] = [];
  rounds = 0;
  readonly #port: number;
  #offset = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async prepare(): Promise<void> {
    using client = await KafkaClient.connect(this.#port, timeoutMs);
    await client.createTopic(topic);
    for (const name of floodedTopics)
      await client.createTopic(name, 1, { 'retention.bytes': String(floodedBytesMax) });
    for (let i = 0; i < 20; i++) await client.produce('kafka-unread', batchOf(['x'.repeat(500_000)]));
  }

  /** Rounds until `isDone`. An operation that fails is a problem, and the canary goes on. */
  async run(isDone: () => boolean): Promise<void> {
    while (!isDone())
      await this.#rounds(isDone).catch(
        (error: unknown) => void this.problems.push(`Kafka: ${String(error)}`),
      );
  }

  async #rounds(isDone: () => boolean): Promise<void> {
    using client = await KafkaClient.connect(this.#port, timeoutMs);
    while (!isDone()) {
      const id = `kafka-canary-${++this.rounds}`;
      const payload = payloadOf(id).toString('latin1').slice(0, payloadBytesMax);
      const produced = await this.#time('produce', () => client.produce(topic, batchOf([payload])));
      if (produced.errorCode !== 0) {
        this.problems.push(`${id} was refused with ${produced.errorCode}`);
        continue;
      }
      const fetched = await this.#time('fetch', () =>
        client.fetch(topic, produced.baseOffset, { maxWaitMs: timeoutMs }),
      );
      const values = splitBatches(fetched.records ?? Buffer.alloc(0)).flatMap((batch) =>
        readRecords(batch, payloadBytesMax).map(({ value }) => value),
      );
      if (values.length !== 1 || hashOf(values[0]!) !== hashOf(Buffer.from(payload)))
        this.problems.push(`${id} did not come back`);
      if (produced.baseOffset < this.#offset) this.problems.push(`${id} got an offset that was in use`);
      this.#offset = produced.baseOffset + 1;
      await this.#time('commit', () => this.#commit(client, id));
    }
  }

  async #commit(client: KafkaClient, id: string): Promise<void> {
    const { topics } = await client.call('OffsetCommit', 8, {
      groupId,
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [
        {
          name: topic,
          partitions: [{ partitionIndex: 0, committedOffset: this.#offset, committedMetadata: id }],
        },
      ],
    });
    const errorCode = topics[0]?.partitions[0]?.errorCode;
    if (errorCode !== 0) this.problems.push(`the commit of ${id} was refused with ${errorCode}`);
  }

  async #time<T>(step: KafkaCanaryStep, work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      this.timesMs[step].push(performance.now() - begin);
    }
  }
}
