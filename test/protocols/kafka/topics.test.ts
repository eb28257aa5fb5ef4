import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorCode, type ResponseOf } from '../../../src/wire/kafka/index.ts';
import { KafkaKit, batchOf, type KafkaClient } from './kit.ts';

type TopicMetadata = ResponseOf<'Metadata'>['topics'][number];

async function metadata(
  client: KafkaClient,
  names: readonly string[] | null,
  create = false,
): Promise<readonly TopicMetadata[]> {
  const topics = names?.map((name) => ({ name, topicId: zero })) ?? null;
  return (await client.call('Metadata', 12, { topics, allowAutoTopicCreation: create })).topics;
}

const zero = 'AAAAAAAAAAAAAAAAAAAAAA';

async function describeConfigs(
  client: KafkaClient,
  name: string,
): Promise<{ [name: string]: [value: string | null, source: number] }> {
  const { results } = await client.call('DescribeConfigs', 4, {
    resources: [{ resourceType: 2, resourceName: name, configurationKeys: null }],
    includeSynonyms: true,
  });
  assert.equal(results[0]!.errorCode, 0);
  return Object.fromEntries(
    results[0]!.configs.map((config) => [config.name, [config.value, config.configSource]]),
  );
}

describe('metadata', () => {
  test('tells of one broker, under the address the client came by', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    for (let version = 0; version <= 13; version++) {
      const { brokers, controllerId } = await client.call('Metadata', version, {
        topics: version === 0 ? [] : null,
      });
      assert.deepEqual(brokers, [{ nodeId: 0, host: '127.0.0.1', port: kit.port, rack: null }]);
      assert.equal(controllerId, version === 0 ? -1 : 0);
    }
    await using told = await KafkaKit.start({ advertised: { host: 'broker.test', port: 19_092 } });
    using other = await told.client();
    const { brokers } = await other.call('Metadata', 5, { topics: [] });
    assert.deepEqual(brokers, [{ nodeId: 0, host: 'broker.test', port: 19_092, rack: null }]);
    const cluster = await other.call('DescribeCluster', 1, { includeClusterAuthorizedOperations: false });
    assert.deepEqual(
      cluster.brokers.map(({ brokerId, host, port }) => [brokerId, host, port]),
      [[0, 'broker.test', 19_092]],
    );
    assert.equal(cluster.clusterId.length, 22);
  });

  test('makes topics that are asked for, if it may', async () => {
    await using kit = await KafkaKit.start({ autoCreation: { partitions: 3 } });
    using client = await kit.client();
    const code = async (name: string, create: boolean): Promise<number> =>
      (await metadata(client, [name], create))[0]!.errorCode;
    assert.equal(await code('new', false), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    assert.equal(await code('new', true), ErrorCode.NONE);
    assert.equal(kit.broker.topic('new')!.partitions.length, 3);
    assert.equal(await code('no spaces', true), ErrorCode.INVALID_TOPIC_EXCEPTION);
    assert.equal(await code('..', true), ErrorCode.INVALID_TOPIC_EXCEPTION);
    await using strict = await KafkaKit.start({ autoCreation: { enabled: false } });
    using other = await strict.client();
    assert.equal((await metadata(other, ['new'], true))[0]!.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('gives topics ids that last, and that a topic made anew does not have', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const { topicId } = await client.createTopic('t');
    await kit.crash();
    using after = await kit.client();
    assert.equal((await metadata(after, ['t']))[0]!.topicId, topicId);
    const { topics } = await after.call('Metadata', 12, {
      topics: [
        { name: null, topicId },
        { name: null, topicId: zero },
      ],
    });
    assert.deepEqual(
      topics.map(({ errorCode, name }) => [errorCode, name]),
      [
        [0, 't'],
        [ErrorCode.UNKNOWN_TOPIC_ID, null],
      ],
    );
    const { responses } = await after.call('DeleteTopics', 6, {
      topics: [{ name: null, topicId }],
      timeoutMs: 1000,
    });
    assert.deepEqual(
      responses.map(({ errorCode, name }) => [errorCode, name]),
      [[0, 't']],
    );
    assert.notEqual((await after.createTopic('t')).topicId, topicId);
  });

  test('shows names that Kafka does not allow escaped, and takes them so', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const names = ['stock!', 'ärger', 'escaped.x', 'a b', 'ü'.repeat(120), 'plain.name_-9', 'escaped-long.y'];
    for (const name of names) await kit.broker.createTopic({ name });
    const shown = (await metadata(client, null)).map(({ name }) => name!);
    assert.equal(new Set(shown).size, names.length);
    for (const name of shown) assert.match(name, /^[a-zA-Z0-9._-]{1,249}$/);
    assert.ok(shown.includes('escaped.stock_21'));
    assert.ok(shown.includes('plain.name_-9'));
    for (const name of shown) assert.equal((await client.produce(name, batchOf(['x']))).errorCode, 0, name);
    for (const name of names) assert.equal(kit.broker.topic(name)!.count, 1, name);
    assert.equal(
      (await metadata(client, ['escaped.plain.name_-9']))[0]!.errorCode,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
  });

  test('comes in pages from DescribeTopicPartitions', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('a', 3);
    await client.createTopic('b', 2);
    const seen: string[] = [];
    for (let cursor: { topicName: string; partitionIndex: number } | null = null; ;) {
      const page: ResponseOf<'DescribeTopicPartitions'> = await client.call('DescribeTopicPartitions', 0, {
        topics: [],
        responsePartitionLimit: 2,
        cursor,
      });
      for (const { name, partitions } of page.topics)
        for (const { partitionIndex } of partitions) seen.push(`${name}${partitionIndex}`);
      cursor = page.nextCursor;
      if (cursor === null) break;
    }
    assert.deepEqual(seen, ['a0', 'a1', 'a2', 'b0', 'b1']);
  });
});

describe('topics', () => {
  test('are created with their settings, and are told why not', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const made = await client.createTopic('t', 2, {
      'retention.ms': '60000',
      'retention.bytes': '1000',
      'segment.bytes': '1048576',
    });
    assert.deepEqual([made.errorCode, made.numPartitions, made.replicationFactor], [0, 2, 1]);
    const { config } = kit.broker.topic('t')!;
    assert.deepEqual([config.ageMsMax, config.bytesMax, config.compaction], [60_000, 1000, false]);
    const again = await client.createTopic('t');
    assert.deepEqual([again.errorCode, again.configs], [ErrorCode.TOPIC_ALREADY_EXISTS, []]);
    assert.equal((await client.createTopic('no!')).errorCode, ErrorCode.INVALID_TOPIC_EXCEPTION);
    assert.equal((await client.createTopic('x', 0)).errorCode, ErrorCode.INVALID_PARTITIONS);
    assert.equal((await client.createTopic('x', 1_000_000)).errorCode, ErrorCode.INVALID_PARTITIONS);
    assert.equal(
      (await client.createTopic('x', 1, { 'no.such.thing': '1' })).errorCode,
      ErrorCode.INVALID_CONFIG,
    );
    assert.equal(
      (await client.createTopic('x', 1, { 'retention.ms': 'soon' })).errorCode,
      ErrorCode.INVALID_CONFIG,
    );
    assert.equal(
      (await client.createTopic('x', 1, { constructor: '1' })).errorCode,
      ErrorCode.INVALID_CONFIG,
    );
    const create = (topic: object): Promise<ResponseOf<'CreateTopics'>> =>
      client.call('CreateTopics', 5, {
        topics: [
          { name: 'y', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...topic },
        ],
        validateOnly: true,
      });
    assert.equal(
      (await create({ replicationFactor: 3 })).topics[0]!.errorCode,
      ErrorCode.INVALID_REPLICATION_FACTOR,
    );
    assert.equal(
      (
        await create({
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 0, brokerIds: [1] }],
        })
      ).topics[0]!.errorCode,
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    );
    assert.equal(
      (await create({ numPartitions: -1, replicationFactor: -1 })).topics[0]!.errorCode,
      ErrorCode.NONE,
    );
    assert.equal(kit.broker.topic('y'), undefined, 'it was only validated');
  });

  test('are described with the values in force, and changed one by one or as a whole, for good', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t', 1, {
      'cleanup.policy': 'compact',
      'retention.ms': '5000',
      'segment.ms': '77',
    });
    const topic = kit.broker.topic('t')!;
    assert.deepEqual(
      [topic.config.compaction, topic.config.ageMsMax],
      [true, undefined],
      'compact alone does not delete by age',
    );
    const alter = async (
      configs: readonly [name: string, operation: number, value: string | null][],
    ): Promise<number> => {
      const { responses } = await client.call('IncrementalAlterConfigs', 1, {
        resources: [
          {
            resourceType: 2,
            resourceName: 't',
            configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
          },
        ],
        validateOnly: false,
      });
      return responses[0]!.errorCode;
    };
    assert.equal(await alter([['cleanup.policy', 2, 'delete']]), 0);
    assert.deepEqual([topic.config.compaction, topic.config.ageMsMax], [true, 5000]);
    assert.equal(
      await alter([
        ['cleanup.policy', 3, 'compact'],
        ['max.message.bytes', 0, '1000'],
      ]),
      0,
    );
    assert.deepEqual([topic.config.compaction, topic.config.messageBytesMax], [false, 1000]);
    assert.equal(await alter([['retention.ms', 1, null]]), 0);
    assert.equal(topic.config.ageMsMax, undefined);
    assert.equal(await alter([['retention.ms', 2, '1']]), ErrorCode.INVALID_CONFIG);
    assert.equal(await alter([['retention.ms', 0, null]]), ErrorCode.INVALID_REQUEST);
    await kit.crash();
    using after = await kit.client();
    const shown = await describeConfigs(after, 't');
    assert.deepEqual(shown['segment.ms'], ['77', 1]);
    assert.deepEqual(shown['cleanup.policy'], ['delete', 1]);
    assert.deepEqual(shown['max.message.bytes'], ['1000', 1]);
    assert.deepEqual(shown['retention.ms'], ['-1', 5]);
    const { responses } = await after.call('AlterConfigs', 1, {
      resources: [
        { resourceType: 2, resourceName: 't', configs: [{ name: 'retention.bytes', value: '500' }] },
      ],
      validateOnly: false,
    });
    assert.equal(responses[0]!.errorCode, 0);
    const changed = await describeConfigs(after, 't');
    assert.deepEqual(
      [changed['retention.bytes']![0], changed['segment.ms']![0], changed['max.message.bytes']![1]],
      ['500', '604800000', 5],
    );
    const { results } = await after.call('DescribeConfigs', 1, {
      resources: [
        { resourceType: 4, resourceName: '0', configurationKeys: ['num.partitions'] },
        { resourceType: 2, resourceName: 'nowhere', configurationKeys: null },
      ],
      includeSynonyms: false,
    });
    assert.deepEqual(
      results.map(({ errorCode, configs }) => [errorCode, configs.map(({ value }) => value)]),
      [
        [0, ['1']],
        [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, []],
      ],
    );
  });

  test('show settings of another protocol', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await kit.broker.createTopic({ name: 's', ageMsMax: 1234, bytesMax: 99_999 });
    const shown = await describeConfigs(client, 's');
    assert.deepEqual(
      [shown['retention.ms'], shown['retention.bytes']],
      [
        ['1234', 1],
        ['99999', 1],
      ],
    );
  });

  test('get more partitions, never fewer, and tell how large they are', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t', 2);
    const grow = async (count: number): Promise<number> => {
      const { results } = await client.call('CreatePartitions', 1, {
        topics: [{ name: 't', count, assignments: null }],
        timeoutMs: 1000,
        validateOnly: false,
      });
      return results[0]!.errorCode;
    };
    assert.equal(await grow(4), 0);
    assert.equal(kit.broker.topic('t')!.partitions.length, 4);
    assert.equal(await grow(3), ErrorCode.INVALID_PARTITIONS);
    assert.equal((await client.produce('t', batchOf(['x']), { partition: 3 })).errorCode, 0);
    const { results } = await client.call('DescribeLogDirs', 4, { topics: null });
    const sizes = results[0]!.topics[0]!.partitions.map(({ partitionSize }) => partitionSize > 0);
    assert.deepEqual(sizes, [false, false, false, true]);
  });
});
