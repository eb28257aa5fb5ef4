/** Transactions through the JavaScript clients, and how JetStream consumers see them. */
import assert from 'node:assert/strict';
import { test, describe } from 'node:test';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Admin, Kafka } from 'kafkajs';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { consumeAll, kafkaAt } from './kafka-clients.ts';
import {
  Consumer,
  Producer,
  skipTransactions,
  stringDeserializers,
  stringSerializers,
  transactionalProducer,
} from './platformatic.ts';

async function withAdmin<T>(kafka: Kafka, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

describe('kafkajs', () => {
  const server = useServer();

  test('commits and aborts messages of several topics', async () => {
    const kafka = kafkaAt(server().kafkaPort);
    const [orders, bills] = [uniqueName('orders'), uniqueName('bills')];
    const producer = kafka.producer({
      transactionalId: uniqueName('mover'),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    for (const [value, ends] of [
      ['one', 'commit'],
      ['two', 'abort'],
      ['three', 'commit'],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: orders, messages: [{ value }, { value: `${value} again` }] });
      await transaction.send({ topic: bills, messages: [{ value }] });
      await transaction[ends]();
    }
    await producer.disconnect();
    const values = async (topic: string, count: number): Promise<string[]> =>
      (await consumeAll(server().kafkaPort, topic, count)).map(({ value }) => String(value));
    assert.deepEqual(await values(orders, 4), ['one', 'one again', 'three', 'three again']);
    assert.deepEqual(await values(bills, 2), ['one', 'three']);
  });

  test('commits offsets with its records, and not when it aborts', async () => {
    const kafka = kafkaAt(server().kafkaPort);
    const [topic, groupId] = [uniqueName('orders'), uniqueName('readers')];
    const producer = kafka.producer({
      transactionalId: uniqueName('mover'),
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const offset = async (): Promise<string> => {
      const [found] = await withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
      return found?.partitions[0]?.offset ?? '';
    };
    for (const [end, expected] of [
      ['abort', '-1'],
      ['commit', '2'],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: end }] });
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic, partitions: [{ partition: 0, offset: '2' }] }],
      });
      assert.equal(await offset(), '-1');
      await transaction[end]();
      assert.equal(await offset(), expected);
    }
    await producer.disconnect();
  });

  test('fences the producer before it', async () => {
    const kafka = kafkaAt(server().kafkaPort);
    const [topic, transactionalId] = [uniqueName('orders'), uniqueName('mover')];
    const options = {
      transactionalId,
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { retries: 1, initialRetryTime: 10 },
    };
    const [first, second] = [kafka.producer(options), kafka.producer(options)];
    await first.connect();
    await second.connect();
    const old = await first.transaction();
    await old.send({ topic, messages: [{ value: 'old' }] });
    const transaction = await second.transaction();
    await assert.rejects(old.send({ topic, messages: [{ value: 'late' }] }));
    await transaction.send({ topic, messages: [{ value: 'new' }] });
    await transaction.commit();
    await assert.rejects(old.commit());
    await Promise.all([first.disconnect(), second.disconnect()]);
    const [message] = await consumeAll(server().kafkaPort, topic, 1);
    assert.equal(String(message?.value), 'new');
  });

  test('transforms exactly once, across a crash of the transformer', { timeout: 300_000 }, async () => {
    const kafka = kafkaAt(server().kafkaPort);
    const [source, sink, groupId] = [uniqueName('source'), uniqueName('sink'), uniqueName('transformers')];
    const count = 60;
    await withAdmin(kafka, (admin) =>
      admin.createTopics({
        topics: [
          { topic: source, numPartitions: 2 },
          { topic: sink, numPartitions: 2 },
        ],
      }),
    );
    const feeder = kafka.producer();
    await feeder.connect();
    const messages = Array.from({ length: count }, (_, i) => ({ key: String(i), value: String(i) }));
    await feeder.send({ topic: source, messages });
    await feeder.disconnect();

    /** Reads, writes and commits in one transaction per batch; the n-th one is left open, as by a crash. */
    const transform = async (crashAt: number): Promise<void> => {
      const producer = kafka.producer({
        transactionalId: `${groupId}-mover`,
        idempotent: true,
        maxInFlightRequests: 1,
        transactionTimeout: 30_000,
      });
      const consumer = kafka.consumer({
        groupId,
        maxBytesPerPartition: 300,
        sessionTimeout: 6000,
        maxWaitTimeInMs: 100,
      });
      await Promise.all([producer.connect(), consumer.connect()]);
      await consumer.subscribe({ topic: source, fromBeginning: true });
      let batches = 0;
      let crashed = false;
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          if (crashed || batch.messages.length === 0) return;
          crashed = ++batches === crashAt;
          const transaction = await producer.transaction();
          await transaction.send({
            topic: sink,
            messages: batch.messages.map(({ key, value }) => ({ key, value: `done ${String(value)}` })),
          });
          const offset = String(BigInt(batch.lastOffset()) + 1n);
          const partitions = [{ partition: batch.partition, offset }];
          await transaction.sendOffsets({
            consumerGroupId: groupId,
            topics: [{ topic: source, partitions }],
          });
          if (!crashed) await transaction.commit();
        },
      });
      try {
        await eventually(
          async () => {
            if (crashed) return true;
            const fetched = withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId, topics: [source] }));
            const partitions = (await fetched)[0]?.partitions ?? [];
            return partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0) === count;
          },
          { timeoutMs: 60_000, message: 'the end of the source' },
        );
      } finally {
        // A client that is left behind keeps the process, and so the whole run, from ending.
        await consumer.disconnect();
        await producer.disconnect();
      }
    };
    await transform(2);
    await transform(Infinity);
    const done = (await consumeAll(server().kafkaPort, sink, count)).map(({ value }) => String(value));
    assert.deepEqual(done.sort(), messages.map(({ value }) => `done ${value}`).sort());
  });
});

describe('@platformatic/kafka', () => {
  const server = useServer();

  test('commits and aborts messages and offsets', { timeout: 300_000, skip: skipTransactions }, async () => {
    const bootstrapBrokers = [`127.0.0.1:${server().kafkaPort}`];
    const [topic, sink, groupId] = [uniqueName('orders'), uniqueName('sink'), uniqueName('readers')];
    const producer = transactionalProducer({
      clientId: 'mover',
      bootstrapBrokers,
      transactionalId: uniqueName('mover'),
    });
    const feeder = new Producer({
      clientId: 'feeder',
      bootstrapBrokers,
      autocreateTopics: true,
      serializers: stringSerializers,
    });
    await feeder.send({
      messages: [
        { topic, value: 'one' },
        { topic, value: 'two' },
      ],
    });
    await feeder.close();
    const consumer = new Consumer({
      groupId,
      clientId: 'reader',
      bootstrapBrokers,
      deserializers: stringDeserializers,
    });
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'earliest',
      autocommit: false,
      maxWaitTime: 200,
    });
    let read = 0;
    for await (const message of stream) {
      const transaction = await producer.beginTransaction();
      await transaction.addConsumer(consumer);
      await transaction.send({ messages: [{ topic: sink, value: `${message.value} ${read}` }] });
      await transaction.addOffset(message);
      if (read === 0) await transaction.abort();
      else await transaction.commit();
      if (++read === 2) break;
    }
    await stream.close();
    await consumer.close();
    await producer.close();
    const consumed = await consumeAll(server().kafkaPort, sink, 1);
    assert.deepEqual(
      consumed.map(({ value }) => String(value)),
      ['two 1'],
    );
    const kafka = kafkaAt(server().kafkaPort);
    const [found] = await withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
    assert.equal(found?.partitions[0]?.offset, '2');
  });
});

describe('a JetStream consumer', () => {
  const server = useServer();

  test('sees committed records, in order, and no aborted ones', async () => {
    const topic = uniqueName('orders');
    const kafka = kafkaAt(server().kafkaPort);
    await withAdmin(kafka, (admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }));
    const nats = await connect({ servers: server().natsAddress });
    const manager = await jetstreamManager(nats);
    await manager.consumers.add(topic, { durable_name: 'all', ack_policy: AckPolicy.Explicit });
    const consumer = await jetstream(nats).consumers.get(topic, 'all');
    const producers = ['one', 'two'].map((name) =>
      kafka.producer({ transactionalId: uniqueName(name), idempotent: true, maxInFlightRequests: 1 }),
    );
    await Promise.all(producers.map((producer) => producer.connect()));
    const [one, two] = await Promise.all(producers.map((producer) => producer.transaction()));
    const plain = kafka.producer();
    await plain.connect();
    await one!.send({ topic, messages: [{ value: 'one a' }] });
    await two!.send({ topic, messages: [{ value: 'two a' }] });
    await plain.send({ topic, messages: [{ value: 'plain' }] });
    await one!.send({ topic, messages: [{ value: 'one b' }] });
    assert.equal((await consumer.info()).num_pending, 4, 'what is undecided waits');
    assert.equal(await consumer.next({ expires: 1000 }), null, 'nothing is seen before it is decided');
    const page = async (query: string): Promise<{ values: string[]; cursor: string }> => {
      const path = `/api/v1/topics/${topic}/messages?${query}`;
      const response = await fetch(`http://127.0.0.1:${server().adminPort}${path}`);
      const { messages, cursor } = (await response.json()) as {
        messages: { value: string }[];
        cursor: string;
      };
      return { values: messages.map(({ value }) => value), cursor };
    };
    const before = await page('');
    assert.deepEqual(before.values, []);
    await two!.abort();
    await one!.commit();
    const after = await page(`cursor=${before.cursor}`);
    assert.deepEqual(after.values, ['one a', 'plain', 'one b'], 'who follows the topic misses nothing');
    const seen: string[] = [];
    for await (const message of await consumer.fetch({ max_messages: 3, expires: 5000 })) {
      seen.push(message.string());
      message.ack();
    }
    assert.deepEqual(seen, ['one a', 'plain', 'one b']);
    await eventually(async () => {
      const { num_pending, num_ack_pending } = await consumer.info();
      return num_pending === 0 && num_ack_pending === 0;
    });
    assert.equal((await manager.streams.info(topic)).state.messages, 3);
    await nats.close();
    await Promise.all([...producers, plain].map((producer) => producer.disconnect()));
  });
});
