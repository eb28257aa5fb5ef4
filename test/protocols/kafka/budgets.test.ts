import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, type RequestDraft, type ResponseOf } from '../../../src/wire/kafka/index.ts';
import { eventually } from '../../support/index.ts';
import { ClassicMember } from './groups/kit.ts';
import { KafkaKit, batchOf, fetchRequest } from './kit.ts';

const noId = 'AAAAAAAAAAAAAAAAAAAAAA';

test('a small CreateTopics of many partitions is refused in words', async () => {
  await using kit = await KafkaKit.start({}, { budgets: { partitions: 100_000, topics: 20 } });
  using client = await kit.client();
  const names = Array.from({ length: 50 }, (_, at) => `t${at}`);
  const { topics } = await client.call('CreateTopics', 5, {
    topics: names.map((name) => ({
      name,
      numPartitions: 10_000,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })),
    validateOnly: false,
  });
  const made = topics.filter(({ errorCode }) => errorCode === ErrorCode.NONE);
  assert.equal(made.length, 10);
  for (const { errorCode, errorMessage } of topics.slice(10)) {
    assert.equal(errorCode, ErrorCode.INVALID_PARTITIONS);
    assert.match(errorMessage!, /has 100000 of at most 100000 partitions, and 10000 more were asked for\./);
  }
  const more = await client.createTopic('small', 1);
  assert.equal(more.errorCode, ErrorCode.INVALID_PARTITIONS);
  const { responses } = await client.call('DeleteTopics', 3, { topicNames: ['t0'], timeoutMs: 1000 });
  assert.equal(responses[0]!.errorCode, ErrorCode.NONE);
  assert.equal((await client.createTopic('small', 1)).errorCode, ErrorCode.NONE);
  await kit.restart();
  let opened = 0;
  for (const { partitions } of kit.broker.topics.values()) opened += partitions.opened.length;
  assert.equal(opened, 0, 'a start makes nothing of what is empty');
  assert.equal(kit.broker.budgets.used('partitions'), 90_001);
});

test('names in a Metadata request make some topics at a time, and no more than there may be', async () => {
  await using kit = await KafkaKit.start({}, { budgets: { topics: 150 } });
  using client = await kit.client();
  const topics = Array.from({ length: 500 }, (_, at) => ({ name: `new-${at}`, topicId: noId }));
  const ask = async (): Promise<Map<number, number>> => {
    const answer = await client.call('Metadata', 12, { topics, allowAutoTopicCreation: true });
    const counts = new Map<number, number>();
    for (const { errorCode } of answer.topics) counts.set(errorCode, (counts.get(errorCode) ?? 0) + 1);
    return counts;
  };
  assert.deepEqual(
    await ask(),
    new Map<number, number>([
      [ErrorCode.NONE, 100],
      [ErrorCode.LEADER_NOT_AVAILABLE, 400],
    ]),
  );
  assert.deepEqual(
    await ask(),
    new Map<number, number>([
      [ErrorCode.NONE, 150],
      [ErrorCode.POLICY_VIOLATION, 50],
      [ErrorCode.LEADER_NOT_AVAILABLE, 300],
    ]),
  );
});

/** A Fetch of `t`, empty, that is willing to wait. */
function waiting(partitions: readonly number[], maxWaitMs: number): RequestDraft<'Fetch'> {
  const partition = { fetchOffset: 0, partitionMaxBytes: 1 << 20 };
  const wanted = partitions.map((index) => ({ ...partition, partition: index }));
  return { ...fetchRequest('t', 0, { maxWaitMs }), topics: [{ topic: 't', partitions: wanted }] };
}

test('fetches that would wait beyond the budget are answered at once, and told to stay away a while', async () => {
  await using kit = await KafkaKit.start({}, { budgets: { waitingFetches: 3 } });
  using first = await kit.client();
  using second = await kit.client();
  await first.createTopic('t', 4);
  const waits = first.send('Fetch', 11, waiting([0, 1], 60_000));
  // Answered in turn: by now the fetch of the first client is under way.
  await second.call('ApiVersions', 0, {});
  const refused = await second.call('Fetch', 11, waiting([2, 3], 60_000));
  assert.equal(refused.errorCode, ErrorCode.NONE);
  assert.equal(refused.throttleTimeMs, 1000);
  assert.equal(refused.responses[0]!.partitions[0]!.errorCode, ErrorCode.NONE);
  assert.equal(kit.broker.budgets.used('waitingFetches'), 2);
  const short = await second.call('Fetch', 11, waiting([2], 1));
  assert.equal(short.throttleTimeMs, 0, 'one partition has room');
  await second.produce('t', batchOf(['a']), { partition: 1 });
  const { responses, throttleTimeMs } = await first.receive('Fetch', 11, waits);
  assert.equal(throttleTimeMs, 0);
  assert.ok(responses[0]!.partitions[1]!.records!.length > 0);
  assert.equal(kit.broker.budgets.used('waitingFetches'), 0);
});

test('a fetch of no partition is charged as well while it waits', async () => {
  await using kit = await KafkaKit.start({}, { budgets: { waitingFetches: 1 } });
  using first = await kit.client();
  using second = await kit.client();
  first.send('Fetch', 11, { ...waiting([], 60_000), topics: [] });
  await eventually(() => kit.broker.budgets.used('waitingFetches') === 1);
  const refused = await second.call('Fetch', 11, { ...waiting([], 60_000), topics: [] });
  assert.equal(refused.throttleTimeMs, 1000);
  first[Symbol.dispose]();
  await eventually(() => kit.broker.budgets.used('waitingFetches') === 0);
});

test('members of all groups have a budget: the next one hears GROUP_MAX_SIZE_REACHED', async () => {
  await using kit = await KafkaKit.start({}, { budgets: { members: 3 } });
  using client = await kit.client();
  using other = await kit.client();
  await client.createTopic('t');
  const classic = new ClassicMember(client, 'classic', ['t']);
  assert.equal((await classic.join()).errorCode, ErrorCode.NONE);
  const beat = consumerBeat('consumer', 't');
  assert.equal((await client.call('ConsumerGroupHeartbeat', 1, beat)).errorCode, ErrorCode.NONE);
  const share = { groupId: 'share', memberId: 'AAAAAAAAAAAAAAAAAAAAAQ', memberEpoch: 0, rackId: null };
  const shareBeat = { ...share, subscribedTopicNames: ['t'] };
  assert.equal((await client.call('ShareGroupHeartbeat', 1, shareBeat)).errorCode, ErrorCode.NONE);
  assert.equal(kit.broker.budgets.used('members'), 3);

  const refused = await new ClassicMember(other, 'another', ['t']).join();
  assert.equal(refused.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED);
  const heard = await client.call('ConsumerGroupHeartbeat', 1, consumerBeat('another', 't'));
  assert.equal(heard.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED);
  assert.match(
    heard.errorMessage!,
    /3 of at most 3 members of Kafka groups\. End members, or raise members-max/,
  );
  const shared = await client.call('ShareGroupHeartbeat', 1, { ...shareBeat, groupId: 'another' });
  assert.equal(shared.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED);

  const known = { ...beat, memberEpoch: 1, subscribedTopicNames: null, topicPartitions: null };
  assert.equal((await client.call('ConsumerGroupHeartbeat', 1, known)).errorCode, ErrorCode.NONE);
  await client.call('ConsumerGroupHeartbeat', 1, { ...known, memberEpoch: -1 });
  await client.call('ShareGroupHeartbeat', 1, { ...shareBeat, memberEpoch: -1 });
  assert.equal(kit.broker.budgets.used('members'), 1);
  assert.equal((await new ClassicMember(other, 'another', ['t']).join()).errorCode, ErrorCode.NONE);
  const { members } = await client.call('LeaveGroup', 4, {
    groupId: 'classic',
    members: [{ memberId: classic.memberId, groupInstanceId: null }],
  });
  assert.equal(members[0]!.errorCode, ErrorCode.NONE);
  assert.equal(kit.broker.budgets.used('members'), 1);
});

test('metadata of members counts, and an id that was given out', async () => {
  await using kit = await KafkaKit.start({}, { budgets: { members: 20 } });
  using client = await kit.client();
  const join = (memberId: string, bytes: number): Promise<ResponseOf<'JoinGroup'>> =>
    client.call('JoinGroup', 7, {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId,
      groupInstanceId: null,
      protocolType: 'other',
      protocols: [{ name: 'p', metadata: Buffer.alloc(bytes) }],
    });
  const { errorCode, memberId } = await join('', 10);
  assert.equal(errorCode, ErrorCode.MEMBER_ID_REQUIRED);
  assert.equal(kit.broker.budgets.used('members'), 1);
  const large = await join(memberId, 100_000);
  assert.equal(large.errorCode, ErrorCode.GROUP_MAX_SIZE_REACHED);
  assert.equal(kit.broker.budgets.used('members'), 0);
  const again = await join('', 10);
  const joined = await join(again.memberId, 50_000);
  assert.equal(joined.errorCode, ErrorCode.NONE);
  assert.equal(kit.broker.budgets.used('members'), 13);
});

test('share sessions take no consumers beyond the budget', async () => {
  await using kit = await KafkaKit.start({}, { budgets: { consumers: 1 } });
  using client = await kit.client();
  await client.createTopic('t');
  await client.createTopic('u');
  const memberId = 'AAAAAAAAAAAAAAAAAAAAAQ';
  const ids = ['t', 'u'].map((name) => kit.broker.topic(name)!);
  await client.call('ShareGroupHeartbeat', 1, {
    groupId: 'g',
    memberId,
    memberEpoch: 0,
    rackId: null,
    subscribedTopicNames: ['t', 'u'],
  });
  const { topics: described } = await client.call('Metadata', 12, { topics: null });
  const idOf = (name: string): string => described.find((topic) => topic.name === name)!.topicId;
  const { responses } = await client.call('ShareFetch', 1, {
    groupId: 'g',
    memberId,
    shareSessionEpoch: 0,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1000,
    maxRecords: 10,
    batchSize: 10,
    topics: ids.map(({ name }) => ({
      topicId: idOf(name),
      partitions: [{ partitionIndex: 0, partitionMaxBytes: 0, acknowledgementBatches: [] }],
    })),
    forgottenTopicsData: [],
  });
  assert.deepEqual(
    responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
    [ErrorCode.SHARE_SESSION_LIMIT_REACHED],
  );
  assert.equal(kit.broker.budgets.used('consumers'), 1);
});

function consumerBeat(groupId: string, topic: string): RequestDraft<'ConsumerGroupHeartbeat'> {
  return {
    groupId,
    memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    memberEpoch: 0,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 10_000,
    subscribedTopicNames: [topic],
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: [],
  };
}
