import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  errorName,
  readRecords,
  splitBatches,
  type RequestDraft,
  type ResponseOf,
} from '../../../../src/wire/kafka/index.ts';
import { eventually } from '../../../support/index.ts';
import { TestConsumer } from '../../../broker/kit.ts';
import { KafkaKit, batchOf, produceRequest, text, type KafkaClient } from '../kit.ts';
import { HeldFiles } from '../../../support/held-files.ts';

type FetchResponse = ResponseOf<'ShareFetch'>;

/** A member of a share group, by hand. */
class ShareMember {
  readonly client: KafkaClient;
  readonly groupId: string;
  readonly id: string;
  #topics: ReadonlyMap<string, readonly number[]> = new Map();
  epoch = 0;
  sessionEpoch = 0;

  constructor(client: KafkaClient, groupId: string, id: string) {
    this.client = client;
    this.groupId = groupId;
    this.id = id;
  }

  async join(...topics: string[]): Promise<this> {
    const { errorCode, memberEpoch, assignment } = await this.client.call('ShareGroupHeartbeat', 1, {
      groupId: this.groupId,
      memberId: this.id,
      memberEpoch: 0,
      subscribedTopicNames: topics,
    });
    assert.equal(errorName(errorCode), 'NONE');
    this.epoch = memberEpoch;
    this.#topics = new Map(
      assignment!.topicPartitions.map(({ topicId, partitions }) => [topicId, partitions]),
    );
    return this;
  }

  get topicId(): string {
    return [...this.#topics.keys()][0]!;
  }

  async leave(): Promise<void> {
    await this.client.call('ShareGroupHeartbeat', 1, {
      groupId: this.groupId,
      memberId: this.id,
      memberEpoch: -1,
    });
  }

  /** `acks`: ranges of the first topic's partition 0. */
  async fetch(
    more: Partial<RequestDraft<'ShareFetch'>> = {},
    acks: readonly Ack[] = [],
  ): Promise<FetchResponse> {
    const response = await this.client.call('ShareFetch', 2, {
      groupId: this.groupId,
      memberId: this.id,
      shareSessionEpoch: this.sessionEpoch,
      maxWaitMs: 200,
      minBytes: 1,
      maxRecords: 500,
      batchSize: 500,
      topics: [...this.#topics].map(([topicId, partitions]) => ({
        topicId,
        partitions: partitions.map((partitionIndex) => ({
          partitionIndex,
          acknowledgementBatches: partitionIndex === 0 ? acks.map(batchOfAck) : [],
        })),
      })),
      forgottenTopicsData: [],
      ...more,
    });
    if (response.errorCode === 0) this.sessionEpoch++;
    return response;
  }

  /** NONE, or the error of the request or of its partition. */
  async acknowledge(...acks: readonly Ack[]): Promise<string> {
    const { errorCode, responses } = await this.client.call('ShareAcknowledge', 2, {
      groupId: this.groupId,
      memberId: this.id,
      shareSessionEpoch: this.sessionEpoch,
      topics: [
        {
          topicId: this.topicId,
          partitions: [{ partitionIndex: 0, acknowledgementBatches: acks.map(batchOfAck) }],
        },
      ],
    });
    if (errorCode === 0) this.sessionEpoch++;
    return errorName(errorCode === 0 ? responses[0]!.partitions.at(0)!.errorCode : errorCode);
  }
}

type Ack = readonly [first: number, last: number, ...types: number[]];

const batchOfAck = ([firstOffset, lastOffset, ...acknowledgeTypes]: Ack): {
  firstOffset: number;
  lastOffset: number;
  acknowledgeTypes: readonly number[];
} => ({ firstOffset, lastOffset, acknowledgeTypes });

/** The values of a fetch, and the ranges `first-last xdeliveries`. */
function got({ responses }: FetchResponse): { values: (string | null)[]; ranges: string[] } {
  const values: (string | null)[] = [];
  const ranges: string[] = [];
  for (const { partitions } of responses)
    for (const { records, acquiredRecords } of partitions) {
      for (const batch of splitBatches(records ?? Buffer.alloc(0))) {
        assert.ok(batch.isIntact);
        for (const record of readRecords(batch, 1 << 20)) values.push(text(record.value));
      }
      for (const { firstOffset, lastOffset, deliveryCount } of acquiredRecords)
        ranges.push(`${firstOffset}-${lastOffset} x${deliveryCount}`);
    }
  return { values, ranges };
}

async function setUp(kit: KafkaKit, client: KafkaClient, ...values: string[]): Promise<ShareMember> {
  await client.createTopic('t');
  const member = await new ShareMember(client, 'g', 'a').join('t');
  if (values.length > 0) await client.produce('t', batchOf(values, { keys: values }));
  assert.equal(kit.broker.topic('t')!.groups.get('g')!.config.ack, 'explicit');
  return member;
}

const [accept, release, reject, renew] = [1, 2, 3, 4];

test('a share group is a group of the broker, with Kafka’s defaults, and starts at the end', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t', 2);
  await client.produce('t', batchOf(['before']));
  const member = await new ShareMember(client, 'g', 'a').join('t');
  const { config } = kit.broker.topic('t')!.groups.get('g')!;
  assert.deepEqual(
    [config.ackWaitMs, config.maxDeliver, config.maxInFlight, config.deadLetter, config.start.kind],
    [30_000, 5, 2000, 't-g-dlq', 'new'],
  );
  assert.deepEqual(got(await member.fetch({ maxWaitMs: 0 })).values, []);
  await client.produce('t', batchOf(['after']));
  const fetched = await member.fetch();
  assert.deepEqual(got(fetched), { values: ['after'], ranges: ['1-1 x1'] });
  assert.equal(fetched.acquisitionLockTimeoutMs, 30_000);
});

test('accept, release, reject and renew are ack, nack, reject and extend; each is on disk when answered', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'a', 'b', 'c', 'd');
  assert.deepEqual(got(await member.fetch()), { values: ['a', 'b', 'c', 'd'], ranges: ['0-3 x1'] });
  const [holder] = kit.broker.topic('t')!.groups.get('g')!.listConsumers();
  assert.deepEqual([holder?.label, holder?.held], [member.id, 4]);
  assert.equal(typeof holder?.connection, 'number');
  assert.equal(await member.acknowledge([0, 3, accept, release, reject, renew]), 'NONE');
  assert.deepEqual(got(await member.fetch()), { values: ['b'], ranges: ['1-1 x2'] });
  await eventually(() => kit.broker.topic('t-g-dlq')?.count === 1);
  assert.equal(await member.acknowledge([0, 0, accept]), 'INVALID_RECORD_STATE', 'done already');
  assert.equal(await member.acknowledge([7, 9, accept]), 'INVALID_RECORD_STATE');
  assert.equal(await member.acknowledge([1, 1, accept, accept]), 'INVALID_REQUEST');
  assert.equal(await member.acknowledge([1, 1, 5]), 'INVALID_REQUEST');
  assert.equal(await member.acknowledge([3, 3, accept], [1, 1, accept]), 'INVALID_REQUEST', 'in order');
  assert.equal(await member.acknowledge([1, 1, accept], [3, 3, accept]), 'NONE');
  await kit.crash();
  const { pending, cursor } = kit.broker.topic('t')!.groups.get('g')!.positions.at(0)!;
  assert.deepEqual([pending.size, cursor], [0, 4]);
});

test('records that retention takes leave room, and are accepted by the member that had them', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'a', 'b', 'c', 'd');
  const topic = kit.broker.topic('t')!;
  const group = topic.groups.get('g')!;
  await group.update({ ...group.config, maxInFlight: 2 });
  assert.deepEqual(got(await member.fetch()), { values: ['a', 'b'], ranges: ['0-1 x1'] });
  await topic.partitions.at(0)!.purge({ before: 2 });
  assert.deepEqual(got(await member.fetch()), { values: ['c', 'd'], ranges: ['2-3 x1'] });
  assert.equal(await member.acknowledge([0, 1, accept]), 'NONE');
  assert.equal(await member.acknowledge([2, 3, accept]), 'NONE');
  assert.equal(group.info().inFlight, 0);
});

test('no acknowledgement is answered before it is synced', async () => {
  const files = new HeldFiles();
  await using kit = await KafkaKit.start({}, { files });
  using client = await kit.client();
  using other = await kit.client();
  // However the test ends, the broker must be able to close.
  using _ = files;
  const member = await setUp(kit, client, 'a', 'b');
  await member.fetch({ maxRecords: 1 });
  const { pending } = kit.broker.topic('t')!.groups.get('g')!.positions.at(0)!;
  for (const how of ['acknowledge', 'fetch']) {
    files.hold();
    let isAnswered = false;
    const done = pending.size;
    const answer =
      how === 'acknowledge'
        ? member.acknowledge([0, 0, accept])
        : member.fetch({ maxRecords: 0 }, [[1, 1, accept]]);
    void answer.then(() => (isAnswered = true));
    await eventually(() => pending.size < done);
    for (let i = 0; i < 5; i++) await other.call('ListGroups', 4, {});
    assert.equal(isAnswered, false, how);
    files.letGo();
    await answer;
    if (how === 'acknowledge') await member.fetch({ maxRecords: 1 });
  }
});

test('records go out in the order of their offsets, whenever they were released', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'a', 'b', 'c');
  await member.fetch();
  await member.acknowledge([2, 2, release]);
  await member.acknowledge([0, 0, release]);
  assert.deepEqual(got(await member.fetch()), { values: ['a', 'c'], ranges: ['0-0 x2', '2-2 x2'] });
});

test('acknowledgements come with a fetch, too', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'a', 'b', 'c');
  await member.fetch({ maxRecords: 2 });
  const next = await member.fetch({}, [[0, 1, accept]]);
  assert.deepEqual(got(next), { values: ['c'], ranges: ['2-2 x1'] });
  assert.equal(errorName(next.responses[0]!.partitions.at(0)!.acknowledgeErrorCode), 'NONE');
  const wrong = await member.fetch({ maxWaitMs: 0 }, [[0, 1, accept]]);
  assert.equal(errorName(wrong.responses[0]!.partitions.at(0)!.acknowledgeErrorCode), 'INVALID_RECORD_STATE');
});

test('two members get different records, in one batch each even where they alternate', async () => {
  await using kit = await KafkaKit.start();
  using one = await kit.client();
  using two = await kit.client();
  const a = await setUp(kit, one);
  const b = await new ShareMember(two, 'g', 'b').join('t');
  await Promise.all([a.fetch({ maxWaitMs: 0 }), b.fetch({ maxWaitMs: 0 })]);
  const waiting = [a.fetch({ maxWaitMs: 5000 }), b.fetch({ maxWaitMs: 5000 })];
  await eventually(() => kit.broker.topic('t')!.groups.get('g')!.info().consumers === 2);
  using producer = await kit.client();
  await producer.produce('t', batchOf(['0', '1', '2', '3', '4', '5']));
  const [first, second] = await Promise.all(waiting);
  assert.deepEqual([...got(first!).values, ...got(second!).values].map(String).sort(), [
    '0',
    '1',
    '2',
    '3',
    '4',
    '5',
  ]);
  assert.equal(got(first!).values.length, 3);
  assert.equal(splitBatches(first!.responses[0]!.partitions.at(0)!.records).length, 1);
});

test('limits of a fetch: records, bytes (but one record goes), and the time it waits', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'x'.repeat(1000), 'y'.repeat(1000), 'z');
  assert.equal(got(await member.fetch({ maxBytes: 10 })).values.length, 1);
  assert.equal(got(await member.fetch({ maxRecords: 1 })).values.length, 1);
  assert.equal(got(await member.fetch()).values.length, 1);
  assert.deepEqual(got(await member.fetch({ maxWaitMs: 20 })).values, []);
});

test('a record released or rejected too often is a dead letter with its origin', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'poison');
  for (let delivery = 1; delivery <= 5; delivery++) {
    assert.deepEqual(got(await member.fetch()).ranges, [`0-0 x${delivery}`]);
    assert.equal(await member.acknowledge([0, 0, release]), 'NONE');
  }
  assert.deepEqual(got(await member.fetch({ maxWaitMs: 20 })).values, []);
  const [letter] = await client.records('t-g-dlq');
  assert.equal(text(letter!.value), 'poison');
  const headers = new Map(letter!.headers.map(({ name, value }) => [name, text(value)]));
  assert.equal(headers.get('Pillarbox-Dead-Letter-Topic'), 't');
  assert.equal(headers.get('Pillarbox-Dead-Letter-Cause'), 'max-deliveries');
  assert.equal(headers.get('Pillarbox-Dead-Letter-Deliveries'), '5');
});

test('a connection that ends gives its records back; so does leaving, and a new session', async () => {
  await using kit = await KafkaKit.start();
  using one = await kit.client();
  using two = await kit.client();
  const a = await setUp(kit, one, 'x');
  const b = await new ShareMember(two, 'g', 'b').join('t');
  assert.deepEqual(got(await a.fetch()).ranges, ['0-0 x1']);
  one[Symbol.dispose]();
  assert.deepEqual(got(await b.fetch({ maxWaitMs: 5000 })).ranges, ['0-0 x2']);
  b.sessionEpoch = 0;
  assert.deepEqual(got(await b.fetch({ maxWaitMs: 5000 })).ranges, ['0-0 x3']);
  await b.leave();
  using three = await kit.client();
  const c = await new ShareMember(three, 'g', 'c').join('t');
  assert.deepEqual(got(await c.fetch({ maxWaitMs: 5000 })).ranges, ['0-0 x4']);
  c.sessionEpoch = -1;
  await c.fetch({}, [[0, 0, accept]]);
  assert.equal(kit.broker.topic('t')!.groups.get('g')!.info().inFlight, 0);
  assert.equal(kit.broker.topic('t')!.groups.get('g')!.info().consumers, 0);
});

test('a session that ends counts as a delivery, as in Kafka: at the limit its records are dead letters', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'poison');
  for (let delivery = 1; delivery <= 5; delivery++) {
    member.sessionEpoch = 0;
    assert.deepEqual(got(await member.fetch()).ranges, [`0-0 x${delivery}`]);
  }
  member.sessionEpoch = 0;
  assert.deepEqual(got(await member.fetch({ maxWaitMs: 20 })).ranges, []);
  await eventually(() => kit.broker.topic('t-g-dlq')?.count === 1);
});

test('share sessions: epochs in order, none that is not there', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'x');
  const refusal = async (epoch: number, acks: readonly Ack[] = []): Promise<string> =>
    errorName((await member.fetch({ shareSessionEpoch: epoch, maxWaitMs: 0 }, acks)).errorCode);
  assert.equal(await refusal(1), 'SHARE_SESSION_NOT_FOUND');
  assert.equal(await refusal(-1), 'SHARE_SESSION_NOT_FOUND');
  assert.equal(await refusal(0, [[0, 0, accept]]), 'INVALID_REQUEST');
  assert.equal(await refusal(0), 'NONE');
  assert.equal(await refusal(2), 'INVALID_SHARE_SESSION_EPOCH');
  assert.equal(await refusal(1), 'NONE');
  member.sessionEpoch = 9;
  assert.equal(await member.acknowledge([0, 0, accept]), 'INVALID_SHARE_SESSION_EPOCH');
  member.sessionEpoch = 0;
  assert.equal(await member.acknowledge([0, 0, accept]), 'INVALID_SHARE_SESSION_EPOCH');
  const unknown = await member.fetch({
    shareSessionEpoch: 0,
    topics: [
      { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] },
    ],
  });
  assert.equal(errorName(unknown.responses[0]!.partitions.at(0)!.errorCode), 'UNKNOWN_TOPIC_ID');
});

test('a fetch that waits is answered when records come, and does not hold up others', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client);
  await member.fetch({ maxWaitMs: 0 });
  const waiting = member.fetch({ maxWaitMs: 8000 });
  using producer = await kit.client();
  await producer.produce('t', batchOf(['late']));
  assert.deepEqual(got(await waiting).values, ['late']);
});

test('a JetStream consumer and a share group of one name are one group', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const group = await kit.broker.topic('t')!.createGroup({ name: 'g', ack: 'explicit', ackWaitMs: 5000 });
  await client.produce('t', batchOf(['a', 'b', 'c']));
  const other = new TestConsumer(1);
  group.attach(other);
  await eventually(() => other.got.length === 1);
  const member = await new ShareMember(client, 'g', 'a').join('t');
  const fetched = await member.fetch();
  assert.deepEqual(got(fetched), { values: ['b', 'c'], ranges: ['1-2 x1'] });
  assert.equal(fetched.acquisitionLockTimeoutMs, 5000);
  assert.equal(await member.acknowledge([0, 0, accept]), 'INVALID_RECORD_STATE', 'the other holds it');
  assert.equal(await member.acknowledge([1, 2, accept]), 'NONE');
  group.ack(0, 0);
  assert.equal(group.info().ackFloor, 3);
});

test('a consumer group’s name is refused, and the other way round', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  await client.call('OffsetCommit', 8, {
    groupId: 'g',
    memberId: '',
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }] }],
  });
  const { errorCode } = await client.call('ShareGroupHeartbeat', 1, {
    groupId: 'g',
    memberId: 'a',
    memberEpoch: 0,
    subscribedTopicNames: ['t'],
  });
  assert.equal(errorName(errorCode), 'GROUP_ID_NOT_FOUND');
});

test('offsets of share groups are described with their lag, moved and forgotten without members', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'a', 'b', 'c');
  await member.fetch({ maxRecords: 2 });
  await member.acknowledge([0, 0, accept]);
  const describe = async (): Promise<number[]> => {
    const { groups } = await client.call('DescribeShareGroupOffsets', 1, {
      groups: [{ groupId: 'g', topics: null }],
    });
    const [partition] = groups[0]!.topics[0]?.partitions ?? [];
    return partition ? [partition.startOffset, partition.lag] : [];
  };
  assert.deepEqual(await describe(), [1, 2]);
  const alter = async (startOffset: number): Promise<string> => {
    const { errorCode, responses } = await client.call('AlterShareGroupOffsets', 0, {
      groupId: 'g',
      topics: [{ topicName: 't', partitions: [{ partitionIndex: 0, startOffset }] }],
    });
    return errorName(errorCode === 0 ? responses[0]!.partitions.at(0)!.errorCode : errorCode);
  };
  const remove = async (): Promise<string> => {
    const { errorCode, responses } = await client.call('DeleteShareGroupOffsets', 0, {
      groupId: 'g',
      topics: [{ topicName: 't' }],
    });
    return errorName(errorCode === 0 ? responses[0]!.errorCode : errorCode);
  };
  assert.equal(await alter(0), 'NON_EMPTY_GROUP');
  assert.equal(await remove(), 'NON_EMPTY_GROUP');
  const { groups } = await client.call('ShareGroupDescribe', 1, {
    groupIds: ['g', 'h'],
    includeAuthorizedOperations: false,
  });
  assert.deepEqual(
    groups.map(({ groupState, members, errorCode }) => [groupState, members.length, errorName(errorCode)]),
    [
      ['Stable', 1, 'NONE'],
      ['', 0, 'GROUP_ID_NOT_FOUND'],
    ],
  );
  await member.leave();
  assert.equal(await alter(0), 'NONE');
  assert.deepEqual(await describe(), [0, 3]);
  assert.equal(await remove(), 'NONE');
  assert.deepEqual(await describe(), []);
});

/** Sets a config of a group, or with null takes it back. */
async function configureGroup(
  client: KafkaClient,
  group: string,
  name: string,
  value: string | null,
): Promise<string> {
  const { responses } = await client.call('IncrementalAlterConfigs', 1, {
    resources: [
      {
        resourceType: 32,
        resourceName: group,
        configs: [{ name, configOperation: value === null ? 1 : 0, value }],
      },
    ],
    validateOnly: false,
  });
  return errorName(responses[0]!.errorCode);
}

/** Value and source of configs of a group. */
async function groupConfigs(
  client: KafkaClient,
  group: string,
  names: readonly string[],
): Promise<(string | number | null)[][]> {
  const { results } = await client.call('DescribeConfigs', 4, {
    resources: [{ resourceType: 32, resourceName: group, configurationKeys: names }],
    includeSynonyms: false,
    includeDocumentation: false,
  });
  return results[0]!.configs.map(({ value, configSource }) => [value, configSource]);
}

test('members get no record of a transaction that is open or was aborted, whatever their isolation level', async () => {
  for (const level of ['read_committed', 'read_uncommitted']) {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    assert.equal(await configureGroup(client, 'g', 'share.isolation.level', level), 'NONE');
    const member = await setUp(kit, client, 'before');
    assert.deepEqual(got(await member.fetch()).values, ['before']);
    await member.acknowledge([0, 0, accept]);
    let producer = await client.call('InitProducerId', 5, {
      transactionalId: 'x',
      transactionTimeoutMs: 60_000,
    });
    for (const committed of [false, true]) {
      const { producerId, producerEpoch } = producer;
      const value = committed ? 'committed' : 'aborted';
      const identity = { producerId, producerEpoch, baseSequence: 0, isTransactional: true };
      const request = { ...produceRequest('t', batchOf([value], identity)), transactionalId: 'x' };
      const { responses } = await client.call('Produce', 12, request);
      assert.equal(responses[0]!.partitionResponses[0]!.errorCode, 0);
      assert.deepEqual(got(await member.fetch({ maxWaitMs: 10 })).values, [], `${level}: it is open`);
      const ended = await client.call('EndTxn', 5, {
        transactionalId: 'x',
        producerId,
        producerEpoch,
        committed,
      });
      assert.equal(ended.errorCode, 0);
      producer = { ...producer, producerId: ended.producerId, producerEpoch: ended.producerEpoch };
    }
    assert.deepEqual(got(await member.fetch({ maxWaitMs: 5000 })).values, ['committed']);
    assert.deepEqual(got(await member.fetch({ maxWaitMs: 10 })).values, []);
  }
});

test('a group’s default that the broker was started with says so', async () => {
  await using kit = await KafkaKit.start({ settings: { 'group.share.delivery.count.limit': 7 } });
  using client = await kit.client();
  const { results } = await client.call('DescribeConfigs', 4, {
    resources: [{ resourceType: 32, resourceName: 'g', configurationKeys: ['share.delivery.count.limit'] }],
    includeSynonyms: true,
    includeDocumentation: false,
  });
  const { value, configSource, synonyms } = results[0]!.configs[0]!;
  const name = 'group.share.delivery.count.limit';
  assert.deepEqual([value, configSource], ['7', 4]);
  assert.deepEqual(synonyms, [
    { name, value: '7', source: 4 },
    { name, value: '5', source: 5 },
  ]);
});

test('configs of a share group hold for the group that comes, and for the one that is there', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const configure = (name: string, value: string | null): Promise<string> =>
    configureGroup(client, 'g', name, value);
  assert.equal(await configure('share.auto.offset.reset', 'earliest'), 'NONE');
  assert.equal(await configure('share.auto.offset.reset', 'sometimes'), 'INVALID_CONFIG');
  assert.equal(await configure('share.record.lock.duration.ms', '5'), 'INVALID_CONFIG');
  assert.equal(await configure('no.such.config', '5'), 'INVALID_CONFIG');
  assert.equal(await configure('errors.deadletterqueue.topic.name', 'letters'), 'NONE');
  await client.createTopic('t');
  await client.produce('t', batchOf(['before']));
  const member = await new ShareMember(client, 'g', 'a').join('t');
  assert.deepEqual(got(await member.fetch()).values, ['before']);
  await member.acknowledge([0, 0, reject]);
  await eventually(() => kit.broker.topic('letters')?.count === 1);
  assert.equal(await configure('share.delivery.count.limit', '3'), 'NONE');
  const { config } = kit.broker.topic('t')!.groups.get('g')!;
  assert.deepEqual([config.maxDeliver, config.deadLetter], [3, 'letters']);
  assert.equal(await configure('errors.deadletterqueue.topic.name', null), 'NONE');
  assert.equal(kit.broker.topic('t')!.groups.get('g')!.config.deadLetter, 't-g-dlq');
  assert.deepEqual(await groupConfigs(client, 'g', ['share.delivery.count.limit']), [['3', 8]]);
});

test('configs of a group are kept, from before there is one', async () => {
  await using kit = await KafkaKit.start();
  const names = ['share.auto.offset.reset', 'share.delivery.count.limit'];
  {
    using client = await kit.client();
    assert.equal(await configureGroup(client, 'g', names[0]!, 'earliest'), 'NONE');
    assert.equal(await configureGroup(client, 'g', names[1]!, '3'), 'NONE');
    assert.equal(await configureGroup(client, 'other', names[1]!, '3'), 'NONE');
    assert.equal(await configureGroup(client, 'other', names[1]!, null), 'NONE');
    assert.equal(await configureGroup(client, 'x'.repeat(256), names[1]!, '3'), 'INVALID_GROUP_ID');
    await client.createTopic('t');
    await client.produce('t', batchOf(['before']));
  }
  const kept = [
    ['earliest', 8],
    ['3', 8],
  ];
  for (const stop of ['crash', 'restart'] as const) {
    await kit[stop]();
    using client = await kit.client();
    assert.deepEqual(await groupConfigs(client, 'g', names), kept, `after a ${stop}`);
    assert.deepEqual(await groupConfigs(client, 'other', [names[1]!]), [['5', 5]], `after a ${stop}`);
    const { configResources } = await client.call('ListConfigResources', 1, { resourceTypes: [] });
    const listed = configResources.map(({ resourceType, resourceName }) => [resourceType, resourceName]);
    assert.deepEqual(
      listed,
      [
        [2, 't'],
        [4, '0'],
        [32, 'g'],
      ],
      `after a ${stop}`,
    );
  }
  using client = await kit.client();
  const member = await new ShareMember(client, 'g', 'a').join('t');
  assert.deepEqual(got(await member.fetch()).values, ['before']);
  assert.equal(kit.broker.topic('t')!.groups.get('g')!.config.maxDeliver, 3);
  assert.equal(await configureGroup(client, 'g', 'share.record.lock.duration.ms', '15000'), 'NONE');
  const { maxDeliver, ackWaitMs } = kit.broker.topic('t')!.groups.get('g')!.config;
  assert.deepEqual([maxDeliver, ackWaitMs], [3, 15_000], 'what was set before the restart still counts');
});

test('heartbeats of share members: epochs, unknown members, limits of their content', async () => {
  await using kit = await KafkaKit.start({ groupLimits: { memberTopicsMax: 2, membersMax: 2 } });
  using client = await kit.client();
  const member = await setUp(kit, client);
  const refusal = async (request: object): Promise<string> =>
    errorName(
      (
        await client.call('ShareGroupHeartbeat', 1, {
          groupId: 'g',
          memberId: 'a',
          memberEpoch: member.epoch,
          ...request,
        })
      ).errorCode,
    );
  assert.equal(await refusal({}), 'NONE');
  assert.equal(await refusal({ memberEpoch: 7 }), 'FENCED_MEMBER_EPOCH');
  assert.equal(await refusal({ memberId: 'z' }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await refusal({ memberId: '' }), 'INVALID_REQUEST');
  assert.equal(await refusal({ memberEpoch: 0 }), 'INVALID_REQUEST');
  assert.equal(await refusal({ subscribedTopicNames: ['a', 'b', 'c'] }), 'INVALID_REQUEST');
  assert.equal(await refusal({ groupId: 'other', memberEpoch: 3 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await refusal({ memberId: 'b', memberEpoch: 0, subscribedTopicNames: ['t'] }), 'NONE');
  assert.equal(
    await refusal({ memberId: 'c', memberEpoch: 0, subscribedTopicNames: ['t'] }),
    'GROUP_MAX_SIZE_REACHED',
  );
});

test('members that read one topic each get their part of a short backlog', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const members = [new ShareMember(client, 'g', 'a')];
  using second = await kit.client();
  using third = await kit.client();
  members.push(new ShareMember(second, 'g', 'b'), new ShareMember(third, 'g', 'c'));
  for (const member of members) await member.join('t');
  await client.produce('t', batchOf(Array.from({ length: 30 }, (_, at) => `v${at}`)));
  const first = got(await members[0]!.fetch()).values;
  assert.equal(first.length, 10, 'also before the others have asked');
  const rest = [got(await members[1]!.fetch()).values, got(await members[2]!.fetch()).values];
  assert.deepEqual(
    rest.map(({ length }) => length),
    [10, 10],
  );
  assert.equal(new Set([...first, ...rest.flat()]).size, 30);
  assert.equal(await members[0]!.acknowledge([0, 9, accept]), 'NONE');
  await client.produce('t', batchOf(['one', 'two', 'three']));
  const again = got(await members[0]!.fetch()).values;
  assert.ok(again.length >= 1 && again.length <= 3, `${again.length} of three`);
});

test('a member alone takes all it asks for, and so does one that is left alone', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, ...Array.from({ length: 20 }, (_, at) => `v${at}`));
  assert.equal(got(await member.fetch({ maxRecords: 15 })).values.length, 15);
  const other = await new ShareMember(client, 'g', 'b').join('t');
  await other.leave();
  assert.equal(got(await member.fetch()).values.length, 5);
});

test('a group whose configs say so renews nothing', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const member = await setUp(kit, client, 'a');
  await member.fetch();
  const configs = [{ name: 'share.renew.acknowledge.enable', configOperation: 0, value: 'false' }];
  await client.call('IncrementalAlterConfigs', 1, {
    resources: [{ resourceType: 32, resourceName: 'g', configs }],
    validateOnly: false,
  });
  assert.equal(await member.acknowledge([0, 0, renew]), 'INVALID_REQUEST');
  assert.equal(await member.acknowledge([0, 0, accept]), 'NONE');
});
