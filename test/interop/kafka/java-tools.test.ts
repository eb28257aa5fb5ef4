/** Kafka's own command-line tools. Needs Java, and in KAFKA_HOME a Kafka 4 distribution (its `libs` folder is what counts). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startServer, uniqueName, useServer } from '../../support/index.ts';

const home = process.env['KAFKA_HOME'];
const skip =
  home === undefined
    ? 'KAFKA_HOME is not set'
    : existsSync(join(home, 'libs'))
      ? false
      : `there is no ${home}/libs`;

/** What a tool prints; throws when it fails. */
async function java(mainClass: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn('java', ['-cp', `${home}/libs/*`, mainClass, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill('SIGKILL'), 90_000);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  assert.equal(code, 0, `${mainClass} ${args.join(' ')}\n${err}\n${out}`);
  return out;
}

describe('Kafka’s own tools', { skip, timeout: 600_000 }, () => {
  const server = useServer();
  const bootstrap = (): string[] => ['--bootstrap-server', `127.0.0.1:${server().kafkaPort}`];

  test('kafka-topics, -console-producer, -console-consumer and -consumer-groups', async () => {
    const topic = uniqueName('topic');
    const group = uniqueName('group');
    const topics = 'org.apache.kafka.tools.TopicCommand';
    await java(topics, [
      ...bootstrap(),
      '--create',
      '--topic',
      topic,
      '--partitions',
      '2',
      '--config',
      'retention.ms=60000',
    ]);
    const described = await java(topics, [...bootstrap(), '--describe', '--topic', topic]);
    assert.match(described, /PartitionCount: 2\tReplicationFactor: 1\tConfigs: .*retention\.ms=60000/);
    const producer = 'org.apache.kafka.tools.ConsoleProducer';
    await java(
      producer,
      [...bootstrap(), '--topic', topic, '--compression-codec', 'lz4'],
      'one\ntwo\nthree\n',
    );
    const consumer = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
    const consumed = await java(consumer, [
      ...bootstrap(),
      '--topic',
      topic,
      '--from-beginning',
      '--max-messages',
      '3',
      '--group',
      group,
    ]);
    assert.deepEqual(consumed.trim().split('\n').sort(), ['one', 'three', 'two']);
    await java(producer, [...bootstrap(), '--topic', topic], 'four\n');
    const groups = await java('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
      ...bootstrap(),
      '--describe',
      '--group',
      group,
    ]);
    const lags = groups
      .trim()
      .split('\n')
      .filter((line) => line.startsWith(group))
      .map((line) => Number(line.split(/\s+/)[5]));
    assert.equal(
      lags.reduce((sum, lag) => sum + lag, 0),
      1,
    );
    const offsets = await java('org.apache.kafka.tools.GetOffsetShell', [...bootstrap(), '--topic', topic]);
    assert.equal(
      offsets
        .trim()
        .split('\n')
        .reduce((sum, line) => sum + Number(line.split(':')[2]), 0),
      4,
    );
    await java(topics, [...bootstrap(), '--delete', '--topic', topic]);
    assert.doesNotMatch(await java(topics, [...bootstrap(), '--list']), new RegExp(topic));
  });

  test('kafka-verifiable-producer and -producer-perf-test, idempotent as they are by default', async () => {
    const topic = uniqueName('topic');
    const verified = await java('org.apache.kafka.tools.VerifiableProducer', [
      ...bootstrap(),
      '--topic',
      topic,
      '--max-messages',
      '500',
    ]);
    assert.match(verified, /"sent":500,"acked":500/);
    const props = [
      '--producer-props',
      `bootstrap.servers=127.0.0.1:${server().kafkaPort}`,
      'compression.type=zstd',
    ];
    const sizes = ['--topic', topic, '--num-records', '20000', '--record-size', '100', '--throughput', '-1'];
    assert.match(
      await java('org.apache.kafka.tools.ProducerPerformance', [...sizes, ...props]),
      /20000 records sent/,
    );
    const read = await java('org.apache.kafka.tools.ConsumerPerformance', [
      ...bootstrap(),
      '--topic',
      topic,
      '--messages',
      '20500',
      '--timeout',
      '30000',
    ]);
    assert.match(read, /, 20500, /);
  });

  test('kafka-dump-log reads the segments', async () => {
    await using own = await startServer();
    const topic = uniqueName('topic');
    const at = ['--bootstrap-server', `127.0.0.1:${own.kafkaPort}`];
    await java(
      'org.apache.kafka.tools.ConsoleProducer',
      [...at, '--topic', topic, '--compression-codec', 'gzip'],
      'dumped\n',
    );
    await own.stop();
    const directory = join(own.dataDirectory, 'topics');
    const files: string[] = [];
    for (const partition of await readdir(directory)) {
      for (const name of await readdir(join(directory, partition)))
        if (name.endsWith('.log')) files.push(join(directory, partition, name));
    }
    assert.ok(files.length > 0, 'a stop leaves what was published in segments');
    const dumped = await java('kafka.tools.DumpLogSegments', [
      '--print-data-log',
      '--deep-iteration',
      '--files',
      files.join(','),
    ]);
    assert.match(dumped, /baseOffset: 0 .* count: 1 .* compresscodec: gzip .* isvalid: true/);
    assert.match(dumped, /payload: dumped/);
  });
});
