/**
 * librdkafka by way of confluent-kafka for Python: producers, groups, transactions and the admin client, by
 * their own defaults but for times. Needs a python3 that has confluent-kafka 2.16 or later;
 * CONFLUENT_KAFKA_PYTHONPATH may name a folder to find it in.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { useServer } from '../../support/index.ts';

const run = promisify(execFile);
const folder = process.env['CONFLUENT_KAFKA_PYTHONPATH'];
const env = {
  ...process.env,
  PYTHONDONTWRITEBYTECODE: '1',
  ...(folder === undefined ? {} : { PYTHONPATH: folder }),
};
const skip =
  spawnSync('python3', ['-c', 'from confluent_kafka import ShareConsumer'], { env }).status === 0
    ? false
    : 'there is no python3 with confluent-kafka 2.16';

describe('confluent-kafka for Python', { skip, timeout: 300_000 }, () => {
  const server = useServer();

  /** The results of a scenario, by key. */
  const scenario = async (file: string, name: string): Promise<{ readonly [key: string]: unknown }> => {
    const script = join('test', 'interop', 'kafka', 'python', `${file}.py`);
    const args = [script, `127.0.0.1:${server().kafkaPort}`, name];
    const { stdout } = await run('python3', args, { env, timeout: 90_000 });
    const lines = stdout.trim().split('\n');
    assert.equal(lines.pop(), 'done');
    const pairs = lines.map((line): [string, unknown] => {
      const [key, value] = line.split('\t');
      return [key!, JSON.parse(value!)];
    });
    return Object.fromEntries(pairs);
  };

  test('messages come back as they went: keys, headers, times, empty and missing values', async () => {
    assert.deepEqual(await scenario('produce', 'messages'), {
      delivered: [
        [null, 0],
        [null, 1],
        [null, 2],
      ],
      values: ['one', '', null],
      same: true,
    });
  });

  test('an idempotent producer', async () => {
    assert.deepEqual(await scenario('produce', 'idempotent'), { same: true, offsets: [0, 19_999] });
  });

  test('every compression, read by itself and by a JetStream consumer', async () => {
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
    assert.deepEqual(
      await scenario('produce', 'compressions'),
      Object.fromEntries(codecs.map((codec) => [codec, true])),
    );
    const nats = await connect({ servers: server().natsAddress });
    const manager = await jetstreamManager(nats);
    for (const codec of codecs) {
      const stream = `compressed-${codec}`;
      await manager.consumers.add(stream, { durable_name: 'all', ack_policy: AckPolicy.None });
      const consumer = await jetstream(nats).consumers.get(stream, 'all');
      let count = 0;
      for await (const message of await consumer.fetch({ max_messages: 2000, expires: 10_000 }))
        assert.equal(message.string(), `${codec} ${'x'.repeat(200)} ${count++}`);
      assert.equal(count, 2000);
    }
    await nats.close();
  });

  test('watermarks, offsets by time, seeking, pausing', async () => {
    assert.deepEqual(await scenario('produce', 'seek'), {
      watermarks: [0, 10],
      'by time': 4,
      first: ['0', '1', '2'],
      sought: ['7', '8'],
      paused: [],
      resumed: ['9'],
    });
  });

  for (const [name, type, assignor, givenUp] of [
    ['eager', 'CLASSIC', 'range', 6],
    ['cooperative', 'CLASSIC', 'cooperative-sticky', 3],
    ['consumer', 'CONSUMER', 'uniform', 3],
  ] as const) {
    test(`a group, ${name}: members share partitions, nothing is lost or read twice, one takes over`, async () => {
      assert.deepEqual(await scenario('groups', name), {
        'given up': givenUp,
        described: ['STABLE', type, assignor, 2],
        'each once': true,
        committed: 300,
      });
    });
  }

  test('a subscription by expression is followed by the broker', async () => {
    assert.deepEqual(await scenario('groups', 'pattern'), { both: true });
  });

  test('a share group accepts, releases and rejects record by record; a rejected one is a dead letter', async () => {
    assert.deepEqual(await scenario('groups', 'share_group'), {
      accepted: [0, 1, 2, 4, 5, 6, 7, 8, 9],
      again: [5],
      'dead letter': ['3'],
    });
  });

  test('transactions commit and abort, and readers of committed messages see the committed ones', async () => {
    assert.deepEqual(await scenario('transactions', 'outcomes'), {
      committed: [
        ['one', 'three'],
        ['one', 'three'],
      ],
      uncommitted: ['one', 'three', 'open'],
      undecided: [],
      decided: ['open'],
    });
  });

  test('a producer is fenced by the next one of its transactional id', async () => {
    assert.deepEqual(await scenario('transactions', 'fencing'), { fenced: [true, true], values: ['new'] });
  });

  test('a transaction that takes too long is aborted', async () => {
    assert.deepEqual(await scenario('transactions', 'timeout'), {
      values: ['after'],
      commit: 'was refused',
    });
  });

  test('transforms exactly once, across rebalances and a transformer that stops in the middle', async () => {
    assert.deepEqual(await scenario('transactions', 'transform'), { distinct: 1000, more: [] });
  });

  test('the admin client: topics, their settings and records', async () => {
    assert.deepEqual(await scenario('administer', 'topics'), {
      again: 'TOPIC_ALREADY_EXISTS',
      partitions: 4,
      described: [true, 4, 0],
      configs: ['2000000', '-1', 'delete'],
      messages: 10,
      'deleted records': [1, 1],
      gone: true,
    });
  });

  test('the admin client: groups and their offsets', async () => {
    assert.deepEqual(await scenario('administer', 'groups'), {
      described: ['STABLE', [true]],
      listed: ['EMPTY'],
      offsets: [4],
      left: [],
    });
  });

  test('the admin client: the cluster, a config of the broker, and elections that none needs', async () => {
    assert.deepEqual(await scenario('administer', 'cluster'), {
      cluster: [22, 0, [0]],
      config: '1',
      elections: 'went through',
    });
  });
});
