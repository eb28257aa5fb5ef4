import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Compression, ErrorCode, readRecords, splitBatches } from '../../../src/wire/kafka/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { KafkaKit, batchOf, text, type KafkaClient } from './kit.ts';

const ResourceType = { topic: 2, broker: 4, group: 32 } as const;
const Source = { topic: 1, staticBroker: 4, default: 5, group: 8 } as const;

interface Shown {
  readonly value: string | null;
  readonly source: number;
  readonly readOnly: boolean;
  readonly synonyms: readonly string[];
}

async function shown(client: KafkaClient, type: number, name: string): Promise<{ [name: string]: Shown }> {
  const { results } = await client.call('DescribeConfigs', 4, {
    resources: [{ resourceType: type, resourceName: name, configurationKeys: null }],
    includeSynonyms: true,
  });
  assert.equal(results[0]!.errorCode, ErrorCode.NONE);
  return Object.fromEntries(
    results[0]!.configs.map((config) => [
      config.name,
      {
        value: config.value,
        source: config.configSource,
        readOnly: config.readOnly,
        synonyms: config.synonyms.map(({ name: synonym, value, source }) => `${synonym}=${value}@${source}`),
      },
    ]),
  );
}

const Operation = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

/** The code and the sentence of one incremental change. */
async function alter(
  client: KafkaClient,
  resource: readonly [type: number, name: string],
  configs: readonly (readonly [name: string, operation: number, value: string | null])[],
  validateOnly = false,
): Promise<[code: number, message: string | null]> {
  const { responses } = await client.call('IncrementalAlterConfigs', 1, {
    resources: [
      {
        resourceType: resource[0],
        resourceName: resource[1],
        configs: configs.map(([name, configOperation, value]) => ({ name, configOperation, value })),
      },
    ],
    validateOnly,
  });
  return [responses[0]!.errorCode, responses[0]!.errorMessage];
}

const gzip = { codec: Compression.gzip, compress: gzipSync };
const ofTopic = [ResourceType.topic, 't'] as const;
const ok = [ErrorCode.NONE, null];

async function valuesByKey(client: KafkaClient, topic: string): Promise<string[]> {
  return (await client.records(topic)).map(({ key, value }) => `${text(key)}=${text(value)}`);
}

describe('cleanup.policy of a topic that is there', () => {
  test('becomes compact, and superseded messages go', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    await client.produce('t', batchOf(['1', '2', '3'], { keys: ['a', 'b', 'a'] }));
    await client.produce('t', batchOf(['4'], { keys: ['b'], compression: gzip }));
    await client.produce('t', batchOf(['no key']));
    assert.deepEqual(await alter(client, ofTopic, [['cleanup.policy', Operation.set, 'compact']], true), ok);
    assert.equal((await valuesByKey(client, 't')).length, 5, 'it was only validated');
    assert.deepEqual(await alter(client, ofTopic, [['cleanup.policy', Operation.set, 'compact']]), ok);
    assert.deepEqual(await valuesByKey(client, 't'), ['a=3', 'b=4', 'null=no key']);
    await client.produce('t', batchOf(['5'], { keys: ['a'] }));
    assert.deepEqual(await valuesByKey(client, 't'), ['b=4', 'null=no key', 'a=5']);
    const { errorCode } = await client.produce('t', batchOf(['x']));
    assert.equal(errorCode, ErrorCode.INVALID_RECORD, 'a message without a key');
    await kit.crash();
    using after = await kit.client();
    await after.produce('t', batchOf(['6'], { keys: ['b'] }));
    assert.deepEqual(await valuesByKey(after, 't'), ['null=no key', 'a=5', 'b=6']);
  });

  test('becomes compact and delete, and delete again, and keeps settings made in between', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t', 2, { 'retention.ms': '999999999999' });
    const { config: before } = kit.broker.topic('t')!;
    assert.deepEqual([before.compaction, before.ageMsMax], [false, 999_999_999_999]);
    const limits = async (policy: string): Promise<[boolean, number | undefined]> => {
      assert.deepEqual(await alter(client, ofTopic, [['cleanup.policy', Operation.set, policy]]), ok);
      const { compaction, ageMsMax } = kit.broker.topic('t')!.config;
      return [compaction, ageMsMax];
    };
    assert.deepEqual(await limits('compact,delete'), [true, 999_999_999_999]);
    assert.deepEqual(await limits('compact'), [true, undefined]);
    assert.deepEqual(await limits('delete'), [false, 999_999_999_999]);
    assert.deepEqual(await limits(''), [false, undefined], 'no policy: messages stay');
    assert.deepEqual(await limits('delete'), [false, 999_999_999_999]);
    await client.produce('t', batchOf(['1', '2'], { keys: ['a', 'a'] }));
    assert.equal((await valuesByKey(client, 't')).length, 2, 'delete keeps all of a key');
    assert.deepEqual(await limits('compact'), [true, undefined]);
    assert.deepEqual(await valuesByKey(client, 't'), ['a=2']);
  });

  test('a list is changed from its default on', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    const policy = async (): Promise<[string | null, number]> => {
      const { value, source } = (await shown(client, ResourceType.topic, 't'))['cleanup.policy']!;
      return [value, source];
    };
    assert.deepEqual(await alter(client, ofTopic, [['cleanup.policy', Operation.append, 'compact']]), ok);
    assert.deepEqual(await policy(), ['delete,compact', Source.topic]);
    assert.deepEqual(await alter(client, ofTopic, [['cleanup.policy', Operation.subtract, 'delete']]), ok);
    assert.deepEqual(await policy(), ['compact', Source.topic]);
    assert.deepEqual(await alter(client, ofTopic, [['cleanup.policy', Operation.delete, null]]), ok);
    assert.deepEqual(await policy(), ['delete', Source.default]);
  });
});

describe('configs', () => {
  test('are shown as they were written, with their source', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t', 1, { 'retention.ms': '-1', 'segment.bytes': '1048576' });
    const configs = await shown(client, ResourceType.topic, 't');
    assert.deepEqual(configs['retention.ms'], {
      value: '-1',
      source: Source.topic,
      readOnly: false,
      synonyms: ['retention.ms=-1@1', 'log.retention.ms=-1@5'],
    });
    assert.deepEqual(configs['retention.bytes'], {
      value: '-1',
      source: Source.default,
      readOnly: false,
      synonyms: ['log.retention.bytes=-1@5'],
    });
    assert.equal(configs['message.downconversion.enable'], undefined, 'Kafka 4 has none');
    for (const value of ['0', '9223372036854775807', '604800000']) {
      assert.deepEqual(await alter(client, ofTopic, [['retention.ms', Operation.set, ` ${value} `]]), ok);
      assert.equal((await shown(client, ResourceType.topic, 't'))['retention.ms']!.value, value);
    }
    const ofBroker = await shown(client, ResourceType.broker, '0');
    assert.deepEqual(ofBroker['log.cleanup.policy']?.synonyms, ['log.cleanup.policy=delete@5']);
    assert.equal(ofBroker['node.id']!.readOnly, true);
    assert.deepEqual(await shown(client, ResourceType.broker, ''), {}, 'nothing is set while it runs');
  });

  test('are refused in Kafka’s words, and with validateOnly in the same', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    const topic = kit.broker.topic('t')!;
    const before = topic.config;
    const refusals: [
      resource: readonly [number, string],
      name: string,
      value: string | null,
      code: ErrorCode,
      message: RegExp,
    ][] = [
      [
        ofTopic,
        'retention.ms',
        'abc',
        ErrorCode.INVALID_CONFIG,
        /^Invalid value abc .* Not a number of type LONG$/,
      ],
      [ofTopic, 'retention.ms', '-2', ErrorCode.INVALID_CONFIG, /Value must be at least -1$/],
      [ofTopic, 'max.message.bytes', '4294967296', ErrorCode.INVALID_CONFIG, /Not a number of type INT$/],
      [
        ofTopic,
        'cleanup.policy',
        'none',
        ErrorCode.INVALID_CONFIG,
        /String must be one of: compact, delete$/,
      ],
      [ofTopic, 'compression.type', 'GZIP', ErrorCode.INVALID_CONFIG, /String must be one of/],
      [ofTopic, 'min.cleanable.dirty.ratio', '2', ErrorCode.INVALID_CONFIG, /no more than 1$/],
      [ofTopic, 'preallocate', 'maybe', ErrorCode.INVALID_CONFIG, /either true or false$/],
      [ofTopic, 'remote.storage.enable', 'true', ErrorCode.INVALID_CONFIG, /^Tiered Storage/],
      [ofTopic, 'no.such', '1', ErrorCode.INVALID_CONFIG, /^Unknown topic config name: no.such$/],
      [ofTopic, 'retention.ms', null, ErrorCode.INVALID_REQUEST, /^Null value not supported/],
      [
        [ResourceType.topic, 'nowhere'],
        'retention.ms',
        '1',
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        /does not exist/,
      ],
      [[ResourceType.topic, ''], 'retention.ms', '1', ErrorCode.INVALID_REQUEST, /not allowed/],
      [[ResourceType.topic, 'a b'], 'retention.ms', '1', ErrorCode.INVALID_TOPIC_EXCEPTION, /invalid/],
      [
        [ResourceType.broker, '0'],
        'num.partitions',
        '7',
        ErrorCode.INVALID_REQUEST,
        /Cannot update these configs dynamically: \[num.partitions\]/,
      ],
      [
        [ResourceType.broker, '9'],
        'num.partitions',
        '7',
        ErrorCode.INVALID_REQUEST,
        /expected 0, but received 9/,
      ],
      [[ResourceType.broker, 'x'], 'num.partitions', '7', ErrorCode.INVALID_REQUEST, /must be an integer/],
      [[ResourceType.group, 'g'], 'foo', '1', ErrorCode.INVALID_CONFIG, /^Unknown group config name: foo$/],
      [
        [ResourceType.group, ''],
        'share.isolation.level',
        'read_committed',
        ErrorCode.INVALID_REQUEST,
        /not allowed/,
      ],
      [[99, 'x'], 'foo', '1', ErrorCode.INVALID_REQUEST, /Unknown resource type 99/],
    ];
    for (const [resource, name, value, code, message] of refusals) {
      for (const validateOnly of [true, false]) {
        const [gotCode, gotMessage] = await alter(
          client,
          resource,
          [[name, Operation.set, value]],
          validateOnly,
        );
        assert.equal(gotCode, code, `${name}=${value}`);
        assert.match(gotMessage!, message);
      }
    }
    const twice: readonly [string, number, string] = ['retention.ms', Operation.set, '1'];
    assert.equal((await alter(client, ofTopic, [twice, twice]))[0], ErrorCode.INVALID_REQUEST);
    for (const resource of [ofTopic, [ResourceType.broker, '0'], [ResourceType.group, 'g']] as const)
      assert.deepEqual(await alter(client, resource, [['retention.ms', 9, '1']]), [
        ErrorCode.INVALID_REQUEST,
        'Unknown operation 9 for configuration retention.ms',
      ]);
    const crossed: [number, string | null] = await alter(client, ofTopic, [
      ['min.compaction.lag.ms', Operation.set, '10'],
      ['max.compaction.lag.ms', Operation.set, '5'],
    ]);
    assert.equal(crossed[0], ErrorCode.INVALID_CONFIG);
    assert.equal(topic.config, before, 'nothing was changed');
    assert.deepEqual(
      await alter(client, [ResourceType.broker, '0'], [['num.partitions', Operation.set, '1']]),
      ok,
      'what says what applies is no change',
    );
    const rate = 'leader.replication.throttled.rate';
    assert.deepEqual(
      await alter(client, [ResourceType.broker, '0'], [[rate, Operation.delete, null]]),
      ok,
      'nor is it to take back what was never said, as kafka-reassign-partitions does',
    );
  });

  test('validateOnly meets refusals of the broker', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await kit.broker.createTopic({ name: 'taken' });
    const { topics } = await client.call('CreateTopics', 7, {
      topics: [{ name: 'taken', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      validateOnly: true,
    });
    assert.equal(topics[0]!.errorCode, ErrorCode.TOPIC_ALREADY_EXISTS);
    const many = await client.call('CreateTopics', 7, {
      topics: [{ name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      validateOnly: true,
    });
    assert.ok(many.topics[0]!.configs!.length > 30, 'its configs are told as those of a topic that was made');
  });

  test('of groups have the broker’s bounds', async () => {
    await using kit = await KafkaKit.start({
      settings: {
        'group.consumer.min.session.timeout.ms': 6000,
        'group.share.max.record.lock.duration.ms': 120_000,
        'group.share.max.delivery.count.limit': 50,
        'node.id': 7,
      },
    });
    using client = await kit.client();
    const group = [ResourceType.group, 'g'] as const;
    const set = async (name: string, value: string): Promise<number> =>
      (await alter(client, group, [[name, Operation.set, value]]))[0];
    assert.equal(await set('consumer.session.timeout.ms', '6000'), 0);
    assert.equal(await set('consumer.session.timeout.ms', '5999'), ErrorCode.INVALID_CONFIG);
    assert.equal(await set('consumer.heartbeat.interval.ms', '4999'), ErrorCode.INVALID_CONFIG);
    assert.equal(
      await set('consumer.heartbeat.interval.ms', '6000'),
      ErrorCode.INVALID_CONFIG,
      'not below the session',
    );
    assert.equal(await set('share.record.lock.duration.ms', '120000'), 0);
    assert.equal(await set('share.record.lock.duration.ms', '120001'), ErrorCode.INVALID_CONFIG);
    assert.equal(await set('share.delivery.count.limit', '50'), 0);
    assert.equal(await set('share.isolation.level', 'read_committed'), 0);
    assert.equal(await set('share.isolation.level', 'foo'), ErrorCode.INVALID_CONFIG);
    await kit.crash();
    using after = await kit.client();
    const configs = await shown(after, ResourceType.group, 'g');
    assert.deepEqual(configs['consumer.session.timeout.ms'], {
      value: '6000',
      source: Source.group,
      readOnly: false,
      synonyms: ['consumer.session.timeout.ms=6000@8', 'group.consumer.session.timeout.ms=45000@5'],
    });
    const { value, source } = (await shown(after, ResourceType.broker, '7'))[
      'group.share.max.record.lock.duration.ms'
    ]!;
    assert.deepEqual([value, source], ['120000', Source.staticBroker]);
    const { brokers, controllerId } = await after.call('Metadata', 12, { topics: [] });
    assert.deepEqual([brokers[0]!.nodeId, controllerId], [7, 7]);
  });
});

test('LogAppendTime: the broker’s time is the messages’, and is told', async () => {
  const clock = new VirtualClock({ startMs: 1_800_000_000_000 });
  await using kit = await KafkaKit.start({ clock }, { clock });
  using client = await kit.client();
  await client.createTopic('t', 1, { 'message.timestamp.type': 'LogAppendTime' });
  const before = clock.now();
  const produced = await client.produce('t', batchOf(['1', '2']));
  assert.deepEqual([produced.errorCode, produced.logAppendTimeMs], [0, before]);
  await client.produce('t', batchOf(['3'], { compression: gzip }));
  await kit.broker.topic('t')!.send({ value: Buffer.from('4'), timestampMs: 17 });
  const { records } = await client.fetch('t', 0);
  const batches = splitBatches(records!);
  assert.deepEqual(
    batches.map((batch) => batch.isIntact),
    [true, true, true],
  );
  const times = batches
    .flatMap((batch) => [...readRecords(batch, 1 << 20)])
    .map(({ timestampMs }) => timestampMs);
  assert.deepEqual(times, [before, before, before, before]);
  const { topics } = await client.call('ListOffsets', 7, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: before - 1 }] }],
  });
  assert.equal(topics[0]!.partitions[0]!.offset, 0);
  assert.deepEqual(
    await alter(client, ofTopic, [['message.timestamp.type', Operation.set, 'CreateTime']]),
    ok,
  );
  const later = await client.produce('t', batchOf(['5']));
  assert.equal(later.logAppendTimeMs, -1);
  assert.equal((await client.records('t')).at(-1)!.timestampMs, 1_700_000_000_000);
});
