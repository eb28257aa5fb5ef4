/** Consumer groups with the clients that people use. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Consumer as KafkaJsConsumer } from 'kafkajs';
import { eventually, parallel, uniqueName, useServer } from '../../support/index.ts';
import { kafkaAt } from './kafka-clients.ts';
import { Consumer, Producer, stringDeserializers, stringSerializers } from './platformatic.ts';

const kcatPath = '/usr/bin/kcat';
const noKcat = existsSync(kcatPath) ? false : `there is no ${kcatPath}`;
const quick = {
  sessionTimeout: 6000,
  heartbeatInterval: 200,
  rebalanceTimeout: 10_000,
  maxWaitTimeInMs: 100,
};

/** A running kafkajs consumer, its messages and its partitions. */
class Reader implements AsyncDisposable {
  readonly values: string[] = [];
  partitions: readonly number[] = [];
  readonly #consumer: KafkaJsConsumer;

  private constructor(consumer: KafkaJsConsumer) {
    this.#consumer = consumer;
  }

  static async start(port: number, groupId: string, topic: string): Promise<Reader> {
    const reader = new Reader(kafkaAt(port, { clientId: 'reader' }).consumer({ groupId, ...quick }));
    const consumer = reader.#consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      reader.partitions = payload.memberAssignment[topic] ?? [];
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 100,
      eachMessage: async ({ message }) => void reader.values.push(String(message.value)),
    });
    return reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.disconnect();
  }
}

describe('Kafka consumer groups', parallel, () => {
  const server = useServer();

  const setUp = async (
    partitions: number,
  ): Promise<{ topic: string; publish: (from: number, to: number) => Promise<void> }> => {
    const kafka = kafkaAt(server().kafkaPort);
    const topic = uniqueName('topic');
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] });
    await admin.disconnect();
    const publish = async (from: number, to: number): Promise<void> => {
      const producer = kafka.producer();
      await producer.connect();
      const messages = Array.from({ length: to - from }, (_, at) => ({
        key: `${from + at}`,
        value: `${from + at}`,
      }));
      await producer.send({ topic, messages });
      await producer.disconnect();
    };
    return { topic, publish };
  };

  const numbers = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, at) => `${from + at}`);
  const sorted = (values: readonly string[]): string[] => [...values].sort((a, b) => Number(a) - Number(b));

  test('kafkajs: members share partitions, one takes over, a later one goes on where they were', async () => {
    const { topic, publish } = await setUp(4);
    const { kafkaPort } = server();
    const group = uniqueName('group');
    {
      await using one = await Reader.start(kafkaPort, group, topic);
      {
        await using two = await Reader.start(kafkaPort, group, topic);
        await eventually(() => one.partitions.length === 2 && two.partitions.length === 2);
        assert.deepEqual(
          [...one.partitions, ...two.partitions].sort((a, b) => a - b),
          [0, 1, 2, 3],
        );
        await publish(0, 40);
        await eventually(() => one.values.length + two.values.length === 40);
        assert.deepEqual(sorted([...one.values, ...two.values]), numbers(0, 40));
        assert.ok(one.values.length > 0 && two.values.length > 0);
      }
      await eventually(() => one.partitions.length === 4);
      one.values.length = 0;
      await publish(40, 60);
      await eventually(() => one.values.length === 20);
    }
    await publish(60, 70);
    await using later = await Reader.start(kafkaPort, group, topic);
    await eventually(() => later.values.length >= 10);
    assert.deepEqual(sorted(later.values), numbers(60, 70));
  });

  test('kafkajs: groups are listed, described, moved and deleted; the admin interface shows members and lag', async () => {
    const { topic, publish } = await setUp(2);
    const { kafkaPort, adminPort } = server();
    const groupId = uniqueName('group');
    await publish(0, 10);
    const admin = kafkaAt(kafkaPort).admin();
    await admin.connect();
    const shown = async (): Promise<{ lag: number; consumers: number }> => {
      const response = await fetch(`http://127.0.0.1:${adminPort}/api/v1/topics/${topic}/groups/${groupId}`);
      return (await response.json()) as { lag: number; consumers: number };
    };
    {
      await using reader = await Reader.start(kafkaPort, groupId, topic);
      await eventually(() => reader.values.length === 10);
      const { groups } = await admin.describeGroups([groupId]);
      assert.equal(groups[0]!.state, 'Stable');
      assert.equal(groups[0]!.members[0]!.clientId, 'reader');
      await eventually(async () => (await shown()).lag === 0);
      assert.equal((await shown()).consumers, 1);
      await assert.rejects(admin.deleteGroups([groupId]));
    }
    assert.equal((await shown()).consumers, 0);
    assert.ok((await admin.listGroups()).groups.some((group) => group.groupId === groupId));
    await admin.resetOffsets({ groupId, topic, earliest: true });
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
    assert.ok(offsets!.partitions.every(({ offset }) => Number(offset) <= 0));
    await admin.deleteGroups([groupId]);
    assert.equal(
      (await admin.listGroups()).groups.some((group) => group.groupId === groupId),
      false,
    );
    await admin.disconnect();
  });

  test('kafkajs: offsets survive kill -9, and the members come back by themselves', async () => {
    const own = await import('../../support/index.ts').then(({ startServer }) => startServer());
    try {
      const kafka = kafkaAt(own.kafkaPort);
      const admin = kafka.admin();
      await admin.connect();
      const topic = uniqueName('topic');
      await admin.createTopics({ topics: [{ topic }] });
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({ topic, messages: numbers(0, 5).map((value) => ({ value })) });
      const consumer = kafka.consumer({ groupId: 'g', ...quick });
      const values: string[] = [];
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommitThreshold: 1,
        eachMessage: async ({ message }) => void values.push(String(message.value)),
      });
      await eventually(() => values.length === 5);
      await eventually(
        async () =>
          (await admin.fetchOffsets({ groupId: 'g', topics: [topic] }))[0]!.partitions[0]!.offset === '5',
      );
      await Promise.all([producer.disconnect(), admin.disconnect()]);
      await own.kill();
      await own.restart();
      const again = kafka.producer();
      await again.connect();
      await again.send({ topic, messages: [{ value: '5' }] });
      await again.disconnect();
      await eventually(() => values.length >= 6, { timeoutMs: 30_000 });
      assert.deepEqual(values, numbers(0, 6));
      await consumer.disconnect();
    } finally {
      await own[Symbol.asyncDispose]();
    }
  });

  for (const groupProtocol of ['classic', 'consumer'] as const) {
    test(`@platformatic/kafka reads by groups (${groupProtocol}) and goes on where it was`, async () => {
      const { topic } = await setUp(2);
      const options = { clientId: 'test', bootstrapBrokers: [`127.0.0.1:${server().kafkaPort}`] };
      const producer = new Producer({ ...options, serializers: stringSerializers });
      const groupId = uniqueName('group');
      const read = async (count: number): Promise<string[]> => {
        const consumer = new Consumer({
          ...options,
          groupId,
          groupProtocol,
          deserializers: stringDeserializers,
          maxWaitTime: 100,
          ...(groupProtocol === 'classic' ? { sessionTimeout: 10_000, heartbeatInterval: 500 } : {}),
        });
        const stream = await consumer.consume({
          topics: [topic],
          mode: 'committed',
          fallbackMode: 'earliest',
          autocommit: false,
        });
        const values: string[] = [];
        for await (const message of stream) {
          values.push(message.value);
          await message.commit();
          if (values.length === count) break;
        }
        await stream.close();
        await consumer.close();
        return values;
      };
      await producer.send({ messages: numbers(0, 6).map((value) => ({ topic, key: value, value })) });
      assert.deepEqual(sorted(await read(6)), numbers(0, 6));
      await producer.send({ messages: numbers(6, 10).map((value) => ({ topic, key: value, value })) });
      assert.deepEqual(sorted(await read(4)), numbers(6, 10));
      await producer.close();
    });
  }

  test('kcat -G reads by a group and goes on where it was', { skip: noKcat }, async () => {
    const { topic, publish } = await setUp(2);
    const group = uniqueName('group');
    const read = async (count: number): Promise<string[]> => {
      const args = [
        '-b',
        `127.0.0.1:${server().kafkaPort}`,
        '-q',
        '-u',
        '-f',
        '%s\n',
        '-X',
        'auto.offset.reset=earliest',
        '-G',
        group,
        topic,
      ];
      const child = spawn(kcatPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
      const ended = new Promise((resolve) => child.once('close', resolve));
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
      try {
        await eventually(() => out.split('\n').length > count, { timeoutMs: 30_000 });
      } finally {
        child.kill('SIGTERM');
        await ended;
      }
      return out.trim().split('\n');
    };
    await publish(0, 6);
    assert.deepEqual(sorted(await read(6)), numbers(0, 6));
    await publish(6, 10);
    assert.deepEqual(sorted(await read(4)), numbers(6, 10));
  });

  test('a Kafka group is seen by JetStream, which may not read by it', async () => {
    const { topic, publish } = await setUp(1);
    await publish(0, 3);
    const { kafkaPort, natsAddress } = server();
    const groupId = uniqueName('group');
    await using reader = await Reader.start(kafkaPort, groupId, topic);
    await eventually(() => reader.values.length === 3);
    const nc = await connect({ servers: natsAddress });
    try {
      const jsm = await jetstreamManager(nc);
      const info = await eventually(async () => {
        const found = await jsm.consumers.info(topic, groupId);
        return found.num_pending === 0 && found;
      });
      assert.equal(info.ack_floor.stream_seq, 3);
      await assert.rejects(jsm.consumers.add(topic, { durable_name: groupId, ack_policy: 'explicit' }));
      const consumer = await jetstream(nc).consumers.get(topic, groupId);
      await assert.rejects(
        consumer.fetch({ max_messages: 1, expires: 5000 }).then(async (messages) => {
          for await (const _ of messages) assert.fail('a message came');
        }),
        /push based/,
      );
    } finally {
      await nc.close();
    }
  });
});
