/**
 * Kafka's own command-line tools. Needs Java, and in KAFKA_HOME a Kafka 4.4 distribution (only its `libs`
 * folder is used).
 */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeTemporaryDirectory, startServer, uniqueName, useServer } from '../../support/index.ts';
import { java, skipTools } from './tools.ts';

describe('Kafka’s own tools', { skip: skipTools, timeout: 600_000 }, () => {
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
    await java(producer, [...bootstrap(), '--topic', topic, '--compression-codec', 'lz4'], {
      input: 'one\ntwo\nthree\n',
    });
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
    await java(producer, [...bootstrap(), '--topic', topic], { input: 'four\n' });
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

  /** One of the tools, with its arguments as one would type them. */
  const run = (tool: string, args: string, options?: { input?: string; fails?: boolean }): Promise<string> =>
    java(`org.apache.kafka.tools.${tool}`, [...bootstrap(), ...args.split(' ')], options);

  for (const protocol of ['classic', 'consumer']) {
    test(`kafka-verifiable-consumer, group.protocol=${protocol}`, async () => {
      const [topic, group] = [uniqueName('topic'), uniqueName('group')];
      await run('VerifiableProducer', `--topic ${topic} --max-messages 50`);
      const reading = `--topic ${topic} --group-id ${group} --group-protocol ${protocol}`;
      const consumed = await run(
        'VerifiableConsumer',
        `${reading} --max-messages 50 --reset-policy earliest`,
      );
      assert.match(consumed, /"name":"partitions_assigned","partitions":\[{"topic":"[^"]+","partition":0}\]/);
      assert.match(consumed, /"name":"offsets_committed","offsets":\[{[^}]+"offset":50}\],"success":true/);
    });
  }

  test('kafka-console-share-consumer, -verifiable-share-consumer and -share-groups', async () => {
    const [topic, group] = [uniqueName('topic'), uniqueName('group')];
    const entity = `--entity-type groups --entity-name ${group}`;
    const earliest = 'share.auto.offset.reset=earliest';
    await run('ConfigCommand', `--alter ${entity} --add-config ${earliest}`);
    for (const which of [entity, '--entity-type groups'])
      assert.match(
        await run('ConfigCommand', `--describe ${which}`),
        new RegExp(`${group} are:\\s+${earliest}`),
      );
    await run('ConsoleProducer', `--topic ${topic}`, { input: 'one\ntwo\nthree\n' });
    const reading = `--topic ${topic} --group ${group} --max-messages 3`;
    const consumed = await run('consumer.ConsoleShareConsumer', reading);
    assert.deepEqual(consumed.trim().split('\n').sort(), ['one', 'three', 'two']);
    await run('ConsoleProducer', `--topic ${topic}`, { input: 'four\n' });
    const groups = (args: string): Promise<string> => run('consumer.group.ShareGroupCommand', args);
    const described = await groups(`--describe --group ${group}`);
    assert.match(described, new RegExp(`${group} +${topic} +0 +3 +1 *\\n`), 'it starts at 3 and lags by 1');
    assert.match(await groups('--list'), new RegExp(`^${group}$`, 'm'));
    const other = `--topic ${topic} --group-id ${uniqueName('group')} --offset-reset-strategy earliest`;
    const verified = await run('VerifiableShareConsumer', `${other} --max-messages 4`);
    assert.match(verified, /"name":"offsets_acknowledged","count":4,.*"success":true/);
    const reset = await groups(`--reset-offsets --group ${group} --topic ${topic} --to-earliest --execute`);
    assert.match(reset, new RegExp(`${group} +${topic} +0 +0 *\\n`));
    const deleted = await groups(`--delete --group ${group}`);
    assert.match(deleted, /Deletion of requested share groups .* was successful/);
  });

  test('kafka-configs, -delete-records and -log-dirs', async () => {
    const topic = uniqueName('topic');
    const entity = `--entity-type topics --entity-name ${topic}`;
    await run('ConsoleProducer', `--topic ${topic}`, { input: 'one\ntwo\nthree\n' });
    const values = 'max.message.bytes=2000000,retention.ms=60000';
    await run('ConfigCommand', `--alter ${entity} --add-config ${values}`);
    await run('ConfigCommand', `--alter ${entity} --delete-config retention.ms`);
    const described = await run('ConfigCommand', `--describe ${entity}`);
    assert.match(described, /max\.message\.bytes=2000000/);
    assert.doesNotMatch(described, /retention\.ms/);
    await run('ConfigCommand', `--alter ${entity} --add-config odd=1`, { fails: true });
    await using directory = await makeTemporaryDirectory();
    const file = join(directory.path, 'offsets.json');
    const partitions = [{ topic, partition: 0, offset: 2 }];
    await writeFile(file, JSON.stringify({ version: 1, partitions }));
    const records = await run('DeleteRecordsCommand', `--offset-json-file ${file}`);
    assert.match(records, new RegExp(`partition: ${topic}-0\\tlow_watermark: 2`));
    const directories = await run('LogDirsCommand', `--describe --topic-list ${topic}`);
    assert.match(directories, new RegExp(`"partition":"${topic}-0","size":[1-9]`));
  });

  test('kafka-configs switches a topic to compact and back, and knows brokers and groups', async () => {
    const [topic, group] = [uniqueName('topic'), uniqueName('group')];
    const entity = `--entity-type topics --entity-name ${topic}`;
    await run('ConsoleProducer', `--topic ${topic}`, { input: 'one\ntwo\n' });
    await run('ConfigCommand', `--alter ${entity} --add-config cleanup.policy=[compact,delete]`);
    assert.match(await run('ConfigCommand', `--describe ${entity}`), /cleanup\.policy=compact,delete/);
    await run('ConfigCommand', `--alter ${entity} --delete-config cleanup.policy`);
    assert.doesNotMatch(await run('ConfigCommand', `--describe ${entity}`), /cleanup\.policy/);
    const ofBroker = '--entity-type brokers --entity-name 0';
    assert.match(await run('ConfigCommand', `--describe ${ofBroker} --all`), /node\.id=0/);
    const refused = await run('ConfigCommand', `--alter ${ofBroker} --add-config num.partitions=9`, {
      fails: true,
    });
    assert.match(refused, /Cannot update these configs dynamically: \[num\.partitions\]/);
    const ofGroup = `--entity-type groups --entity-name ${group}`;
    await run('ConfigCommand', `--alter ${ofGroup} --add-config consumer.session.timeout.ms=50000`);
    assert.match(await run('ConfigCommand', `--describe ${ofGroup}`), /consumer\.session\.timeout\.ms=50000/);
  });

  test('kafka-leader-election, -reassign-partitions and -metadata-quorum', async () => {
    const topic = uniqueName('topic');
    await run('TopicCommand', `--create --topic ${topic}`);
    const elected = await run(
      'LeaderElectionCommand',
      `--election-type preferred --topic ${topic} --partition 0`,
    );
    assert.match(elected, new RegExp(`Valid replica already elected for partitions ${topic}-0`));
    await run('LeaderElectionCommand', '--election-type preferred --all-topic-partitions');
    await using directory = await makeTemporaryDirectory();
    const file = join(directory.path, 'reassignment.json');
    await writeFile(
      file,
      JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, replicas: [0] }] }),
    );
    const reassign = (args: string): Promise<string> => run('reassign.ReassignPartitionsCommand', args);
    assert.match(await reassign(`--reassignment-json-file ${file} --execute`), /Successfully started/);
    assert.match(
      await reassign(`--reassignment-json-file ${file} --verify`),
      new RegExp(`${topic}-0 is completed`),
    );
    assert.match(await reassign('--list'), /No partition reassignments found/);
    assert.match(await run('MetadataQuorumCommand', 'describe --status'), /LeaderId: +0/);
    assert.match(await run('MetadataQuorumCommand', 'describe --replication'), /^0 .*Leader/m);
  });

  test('kafka-transactions', async () => {
    const [topic, id] = [uniqueName('topic'), uniqueName('mover')];
    const load = `--topic ${topic} --num-records 2000 --record-size 100 --throughput -1`;
    await run('ProducerPerformance', `${load} --transactional-id ${id} --transaction-duration-ms 100`);
    const transactions = (args: string): Promise<string> => run('TransactionsCommand', args);
    const listed = new RegExp(`^${id} *\\t0 *\\t\\d+ *\\tCompleteCommit`, 'm');
    assert.match(await transactions('list'), listed);
    const described = await transactions(`describe --transactional-id ${id}`);
    assert.match(described, new RegExp(`\\t${id} *\\t\\d+ *\\t\\d+ *\\tCompleteCommit *\\t60000`));
    const producers = await transactions(`describe-producers --topic ${topic} --partition 0`);
    assert.match(producers, /^\d+ *\t\d+ *\t-1 *\t\d+ *\t\d+ *\tNone/m);
    await transactions('find-hanging --broker-id 0');
  });

  test('a tool says why the broker refuses it', async () => {
    const listed = await run('AclCommand', '--list', { fails: true });
    assert.match(listed, /SecurityDisabledException: No users are configured/);
  });

  test('kafka-dump-log reads the segments', async () => {
    await using own = await startServer();
    const topic = uniqueName('topic');
    const at = ['--bootstrap-server', `127.0.0.1:${own.kafkaPort}`];
    await java(
      'org.apache.kafka.tools.ConsoleProducer',
      [...at, '--topic', topic, '--compression-codec', 'gzip'],
      { input: 'dumped\n' },
    );
    await own.stop();
    const directory = join(own.dataDirectory, 'topics');
    const files: string[] = [];
    for (const partition of await readdir(directory)) {
      for (const name of await readdir(join(directory, partition)))
        if (name.endsWith('.log')) files.push(join(directory, partition, name));
    }
    assert.ok(files.length > 0, 'a stop leaves what was published in segments');
    const dumped = await java('org.apache.kafka.tools.DumpLogSegments', [
      '--print-data-log',
      '--deep-iteration',
      '--files',
      files.join(','),
    ]);
    assert.match(dumped, /baseOffset: 0 .* count: 1 .* compresscodec: gzip .* isvalid: true/);
    assert.match(dumped, /payload: dumped/);
  });
});
