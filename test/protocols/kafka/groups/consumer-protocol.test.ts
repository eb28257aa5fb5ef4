import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorName, type RequestDraft, type ResponseOf } from '../../../../src/wire/kafka/index.ts';
import { KafkaKit, type KafkaClient } from '../kit.ts';
import { ClassicMember, commit, committed } from './kit.ts';

async function beat(
  client: KafkaClient,
  memberId: string,
  memberEpoch: number,
  more: Partial<RequestDraft<'ConsumerGroupHeartbeat'>> = {},
): Promise<ResponseOf<'ConsumerGroupHeartbeat'>> {
  return client.call('ConsumerGroupHeartbeat', 1, { groupId: 'g', memberId, memberEpoch, ...more });
}

const entering = (...topics: string[]): Partial<RequestDraft<'ConsumerGroupHeartbeat'>> => ({
  rebalanceTimeoutMs: 30_000,
  subscribedTopicNames: topics,
  topicPartitions: [],
});

test('a member enters, gets its partitions by topic id, commits in its epoch and leaves', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t', 2);
  const entered = await beat(client, 'a', 0, entering('t'));
  assert.equal(errorName(entered.errorCode), 'NONE');
  assert.equal(entered.memberEpoch, 1);
  assert.equal(entered.heartbeatIntervalMs, 5000);
  const { topicId } = entered.assignment!.topicPartitions[0]!;
  assert.deepEqual(entered.assignment!.topicPartitions, [{ topicId, partitions: [0, 1] }]);
  for (const name of [null, '']) {
    const { topics } = await client.call('Metadata', 13, { topics: [{ topicId, name }] });
    assert.deepEqual(
      [topics[0]!.name, topics[0]!.topicId],
      ['t', topicId],
      'clients learn the name by the id',
    );
  }
  assert.equal((await beat(client, 'a', 1)).assignment, null);
  const group = kit.broker.topic('t')!.groups.get('g')!;
  assert.equal(group.info().consumers, 1);
  assert.equal(await commit(client, 'g', 't', 0, { memberId: 'a', generationId: 1 }), 'NONE');
  assert.equal(await commit(client, 'g', 't', 0, { memberId: 'a', generationId: 2 }), 'STALE_MEMBER_EPOCH');
  assert.equal(await commit(client, 'g', 't', 0, { memberId: 'b', generationId: 1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(
    await commit(client, 'g', 't', 0, { memberId: 'a', generationId: 1, version: 8 }),
    'UNSUPPORTED_VERSION',
  );
  const fetch = async (memberEpoch: number): Promise<string> => {
    const { groups } = await client.call('OffsetFetch', 9, {
      groups: [{ groupId: 'g', memberId: 'a', memberEpoch, topics: null }],
    });
    return errorName(groups[0]!.errorCode);
  };
  assert.equal(await fetch(1), 'NONE');
  assert.equal(await fetch(3), 'STALE_MEMBER_EPOCH');
  assert.deepEqual(await committed(client, 'g'), ['t-0=0 ']);
  assert.equal((await beat(client, 'a', -1)).memberEpoch, -1);
  assert.equal(group.info().consumers, 0);
});

test('the heartbeat of a member that joins', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const refusal = async (memberId: string, epoch: number, more: object = {}): Promise<string> =>
    errorName((await beat(client, memberId, epoch, more)).errorCode);
  const enter = entering('t');
  assert.equal(await refusal('', 0, enter), 'INVALID_REQUEST');
  assert.equal(await refusal('a', 0, { ...enter, rebalanceTimeoutMs: -1 }), 'INVALID_REQUEST');
  assert.equal(await refusal('a', 0, { ...enter, topicPartitions: null }), 'INVALID_REQUEST');
  assert.equal(await refusal('a', 0, { ...enter, subscribedTopicNames: null }), 'INVALID_REQUEST');
  assert.equal(await refusal('a', 0, { ...enter, instanceId: '' }), 'INVALID_REQUEST');
  assert.equal(await refusal('a', -2), 'INVALID_REQUEST');
  assert.equal(await refusal('a', -3), 'INVALID_REQUEST');
  assert.equal(
    await refusal('a', 5),
    'UNKNOWN_MEMBER_ID',
    'as after a restart of the broker: it joins again',
  );
  assert.equal(await refusal('a', 0, { ...enter, serverAssignor: 'x' }), 'UNSUPPORTED_ASSIGNOR');
  assert.equal(
    await refusal('a', 0, { ...enter, subscribedTopicNames: null, subscribedTopicRegex: '(' }),
    'INVALID_REGULAR_EXPRESSION',
  );
  assert.equal(await refusal('a', 0, { ...enter, groupId: '' }), 'INVALID_REQUEST');
  assert.deepEqual((await client.call('ListGroups', 5, {})).groups, []);
  // Version 0: the broker gives ids.
  const given = await client.call('ConsumerGroupHeartbeat', 0, {
    groupId: 'g',
    memberId: '',
    memberEpoch: 0,
    ...enter,
  });
  assert.match(given.memberId!, /^[\w-]{22}$/);
});

test('one id is one kind of group while it has members, then it may change', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const member = new ClassicMember(client, 'g', ['t']);
  await member.join();
  await member.commit(0);
  assert.equal(errorName((await beat(client, 'a', 0, entering('t'))).errorCode), 'GROUP_ID_NOT_FOUND');
  await member.leave();
  assert.equal(errorName((await beat(client, 'a', 0, entering('t'))).errorCode), 'NONE');
  assert.deepEqual(await committed(client, 'g'), ['t-0=0 '], 'its offsets are those of before');
  const { groups } = await client.call('ConsumerGroupDescribe', 1, {
    groupIds: ['g', 'h'],
    includeAuthorizedOperations: false,
  });
  assert.deepEqual(
    groups.map(({ groupState, errorCode }) => [groupState, errorName(errorCode)]),
    [
      ['Stable', 'NONE'],
      ['', 'GROUP_ID_NOT_FOUND'],
    ],
  );
  assert.deepEqual(
    groups[0]!.members.map((one) => [
      one.memberId,
      one.clientId,
      one.memberType,
      one.assignment.topicPartitions[0]!.topicName,
    ]),
    [['a', 'test', 1, 't']],
  );
  const again = new ClassicMember(client, 'g', ['t']);
  assert.equal(errorName((await again.join()).errorCode), 'INCONSISTENT_GROUP_PROTOCOL');
  const { groups: old } = await client.call('DescribeGroups', 6, { groups: ['g'] });
  assert.equal(errorName(old[0]!.errorCode), 'GROUP_ID_NOT_FOUND');
});

test('a new topic that matches the expression is read, its position there from the beginning on', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const entered = await beat(client, 'a', 0, {
    ...entering(),
    subscribedTopicNames: null,
    subscribedTopicRegex: 'orders\\..+',
  });
  assert.deepEqual(entered.assignment!.topicPartitions, []);
  await client.createTopic('orders.eu');
  await client.createTopic('other');
  const next = await beat(client, 'a', entered.memberEpoch);
  assert.equal(next.assignment!.topicPartitions.length, 1);
  assert.equal(kit.broker.topic('orders.eu')!.groups.get('g')!.info().consumers, 1);
  assert.equal(kit.broker.topic('other')!.groups.size, 0);
});

test('a group that delivers messages on the topic refuses members', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  await kit.broker.topic('t')!.createGroup({ name: 'g' });
  const refused = await beat(client, 'a', 0, entering('t'));
  assert.equal(errorName(refused.errorCode), 'INCONSISTENT_GROUP_PROTOCOL');
  assert.match(refused.errorMessage!, /delivers messages/);
});
