/** Producers and administration with the clients that people use, in their default settings. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parallel, uniqueName, useServer } from '../../support/index.ts';
import { consumeAll, kafkaAt } from './kafka-clients.ts';
import { Admin, Producer, stringSerializers } from './platformatic.ts';

const kcatPath = '/usr/bin/kcat';
const noKcat = existsSync(kcatPath) ? false : `there is no ${kcatPath}`;

/** The output of kcat; throws if it fails. */
async function kcat(args: readonly string[], input = ''): Promise<string> {
  // Without input there is nothing to write: a kcat that asks one thing may have gone before it could be
  // given an end.
  const child = spawn(kcatPath, args, { stdio: [input === '' ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout!.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin?.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  assert.equal(code, 0, `kcat ${args.join(' ')}\n${err}`);
  return out;
}

describe('Kafka clients', parallel, () => {
  const server = useServer();
  const address = (): string => `127.0.0.1:${server().kafkaPort}`;

  test('kafkajs publishes, idempotently too, and looks after topics', async () => {
    const kafka = kafkaAt(server().kafkaPort);
    const admin = kafka.admin();
    await admin.connect();
    const topic = uniqueName('topic');
    assert.equal(
      await admin.createTopics({
        topics: [{ topic, numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '86400000' }] }],
      }),
      true,
    );
    assert.equal(await admin.createTopics({ topics: [{ topic }] }), false);
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (let i = 0; i < 10; i++) await producer.send({ topic, messages: [{ key: `k${i}`, value: `v${i}` }] });
    await producer.disconnect();
    const offsets = await admin.fetchTopicOffsets(topic);
    assert.equal(
      offsets.reduce((sum, { high }) => sum + Number(high), 0),
      10,
    );
    const consumed = await consumeAll(server().kafkaPort, topic, 10);
    assert.deepEqual(
      consumed.map(({ value }) => String(value)).sort(),
      Array.from({ length: 10 }, (_, i) => `v${i}`),
    );
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    assert.equal(topics[0]!.partitions.length, 5);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: topic, configNames: ['retention.ms'] }],
    });
    assert.deepEqual(
      resources[0]!.configEntries.map(({ configValue }) => configValue),
      ['86400000'],
    );
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries: [{ name: 'retention.ms', value: '1000' }] }],
    });
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] });
    await admin.deleteTopics({ topics: [topic] });
    assert.equal((await admin.listTopics()).includes(topic), false);
    await admin.disconnect();
  });

  test('@platformatic/kafka publishes and looks after topics', async () => {
    const topic = uniqueName('topic');
    const options = { clientId: 'test', bootstrapBrokers: [address()] };
    const admin = new Admin(options);
    await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
    const producer = new Producer({ ...options, serializers: stringSerializers, idempotent: true });
    const sent = await producer.send({
      messages: [
        { topic, key: 'a', value: 'one', partition: 1 },
        { topic, value: 'two', partition: 1 },
      ],
    });
    assert.deepEqual(
      sent.offsets?.map(({ partition, offset }) => [partition, offset]),
      [[1, 0n]],
    );
    assert.ok((await admin.listTopics()).includes(topic));
    const consumed = await consumeAll(server().kafkaPort, topic, 2);
    assert.deepEqual(
      consumed.map(({ partition, value }) => [partition, String(value)]),
      [
        [1, 'one'],
        [1, 'two'],
      ],
    );
    await admin.deleteTopics({ topics: [topic] });
    await Promise.all([producer.close(), admin.close()]);
  });

  test('kcat publishes with every codec, consumes, and lists', { skip: noKcat }, async () => {
    const topic = uniqueName('topic');
    for (const codec of ['none', 'gzip', 'snappy', 'lz4'])
      await kcat(
        ['-b', address(), '-P', '-t', topic, '-K', ':', '-z', codec, '-H', 'codec=' + codec],
        `${codec}:${'x'.repeat(500)}${codec}\n`,
      );
    await kcat(
      ['-b', address(), '-P', '-t', topic, '-K', ':', '-X', 'enable.idempotence=true'],
      'last:idempotent\n',
    );
    const out = await kcat(['-b', address(), '-C', '-t', topic, '-e', '-q', '-f', '%o %k %S %h\n']);
    assert.deepEqual(
      out
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd()),
      [
        '0 none 504 codec=none',
        '1 gzip 504 codec=gzip',
        '2 snappy 506 codec=snappy',
        '3 lz4 503 codec=lz4',
        '4 last 10',
      ],
    );
    assert.match(
      await kcat(['-b', address(), '-L', '-t', topic]),
      new RegExp(`topic "${topic}" with 1 partitions`),
    );
    assert.match(await kcat(['-b', address(), '-Q', '-t', `${topic}:0:-2`]), /offset 0/);
  });

  test(
    'what kcat compressed with zstd is read by consumers that never heard of it',
    { skip: noKcat },
    async () => {
      const topic = uniqueName('topic');
      await kcat(['-b', address(), '-P', '-t', topic, '-z', 'zstd'], `${'z'.repeat(2000)}\n`);
      const response = await fetch(`http://127.0.0.1:${server().adminPort}/api/v1/topics/${topic}/messages`);
      const { messages } = (await response.json()) as { messages: { value: string }[] };
      assert.deepEqual(
        messages.map(({ value }) => value),
        ['z'.repeat(2000)],
      );
    },
  );
});

describe('Kafka clients that log in', parallel, () => {
  const server = useServer({ args: ['--kafka-user', 'ann', '--kafka-password', 'pencil'] });

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const)
    test(`kafkajs by ${mechanism}`, async () => {
      const { Kafka, logLevel } = (await import('kafkajs')).default;
      const at = (password: string) =>
        new Kafka({
          brokers: [`127.0.0.1:${server().kafkaPort}`],
          logLevel: logLevel.NOTHING,
          retry: { retries: 0 },
          sasl: { mechanism: mechanism as 'plain', username: 'ann', password },
        }).admin();
      const admin = at('pencil');
      await admin.connect();
      assert.deepEqual(await admin.listTopics(), []);
      await admin.disconnect();
      await assert.rejects(at('wrong').connect());
    });

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
    test(`kcat by ${mechanism}`, { skip: noKcat }, async () => {
      const login = [
        '-X',
        'security.protocol=sasl_plaintext',
        '-X',
        `sasl.mechanism=${mechanism}`,
        '-X',
        'sasl.username=ann',
        '-X',
        'sasl.password=pencil',
      ];
      assert.match(await kcat(['-b', `127.0.0.1:${server().kafkaPort}`, '-L', ...login]), /1 brokers/);
    });
});
