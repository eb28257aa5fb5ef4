import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorName, type RequestDraft } from '../../../../src/wire/kafka/index.ts';
import { eventually } from '../../../support/index.ts';
import { KafkaKit, batchOf, type KafkaClient } from '../kit.ts';
import { HeldFiles } from '../../../support/held-files.ts';
import { ClassicMember, commit, committed } from './kit.ts';

test('the coordinator is this broker, in every version', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  for (let version = 0; version <= 3; version++) {
    const found = await client.call('FindCoordinator', version, { key: 'g' });
    assert.deepEqual([found.errorCode, found.port], [0, kit.port]);
  }
  for (let version = 4; version <= 6; version++) {
    const { coordinators } = await client.call('FindCoordinator', version, { coordinatorKeys: ['g', 'h'] });
    assert.deepEqual(
      coordinators.map(({ key, port, errorCode }) => [key, port, errorCode]),
      [
        ['g', kit.port, 0],
        ['h', kit.port, 0],
      ],
    );
  }
  const { errorCode } = await client.call('FindCoordinator', 1, { key: 'g', keyType: 9 });
  assert.equal(errorName(errorCode), 'INVALID_REQUEST');
});

test('two members share two partitions; when one leaves the other gets both', async () => {
  await using kit = await KafkaKit.start();
  using one = await kit.client();
  using two = await kit.client();
  await one.createTopic('t', 2);
  const a = new ClassicMember(one, 'g', ['t']);
  const b = new ClassicMember(two, 'g', ['t']);
  await a.join(2);
  assert.deepEqual(a.assignment, [{ topic: 't', partitions: [0, 1] }]);
  const second = b.join(2);
  await eventually(async () => (await a.heartbeat()) === 'REBALANCE_IN_PROGRESS');
  await Promise.all([a.join(2), second]);
  assert.deepEqual(
    [...a.assignment, ...b.assignment].map(({ partitions }) => partitions.length),
    [1, 1],
  );
  const group = kit.broker.topic('t')!.groups.get('g')!;
  assert.equal(group.info().consumers, 2);
  assert.equal(await a.leave(), 'NONE');
  assert.equal(await b.heartbeat(), 'REBALANCE_IN_PROGRESS');
  await b.join(2);
  assert.deepEqual(b.assignment[0]!.partitions, [0, 1]);
  assert.equal(group.info().consumers, 1);
  await b.leave();
  assert.equal(group.info().consumers, 0);
});

test('requests are answered in every version', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  for (let version = 0; version <= 9; version++) {
    const request = {
      groupId: `g${version}`,
      sessionTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    };
    let joined = await client.call('JoinGroup', version, request);
    if (version >= 4)
      joined = await client.call('JoinGroup', version, { ...request, memberId: joined.memberId });
    assert.equal(joined.errorCode, 0, `JoinGroup ${version}`);
    const { groupId } = request;
    const { generationId, memberId } = joined;
    const synced = await client.call('SyncGroup', Math.min(version, 5), {
      groupId,
      generationId,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId, assignment: Buffer.from('x') }],
    });
    assert.equal(synced.assignment.toString(), 'x', `SyncGroup ${version}`);
    const beat = await client.call('Heartbeat', Math.min(version, 4), { groupId, generationId, memberId });
    assert.equal(beat.errorCode, 0);
    const left = await client.call('LeaveGroup', Math.min(version, 5), {
      groupId,
      memberId,
      members: [{ memberId }],
    });
    assert.equal(left.errorCode, 0);
  }
  for (let version = 2; version <= 9; version++)
    assert.equal(await commit(client, 'v', 't', version, { version }), 'NONE');
  for (let version = 1; version <= 7; version++) {
    const { topics } = await client.call('OffsetFetch', version, {
      groupId: 'v',
      topics: [{ name: 't', partitionIndexes: [0, 7] }],
    });
    const epoch = -1; // none was committed
    assert.deepEqual(
      topics[0]!.partitions.map(({ committedOffset, committedLeaderEpoch, errorCode }) => [
        committedOffset,
        committedLeaderEpoch,
        errorCode,
      ]),
      [
        [9, epoch, 0],
        [-1, -1, 0],
      ],
    );
  }
  for (let version = 0; version <= 5; version++) {
    const { groups } = await client.call('ListGroups', version, {});
    assert.ok(groups.some(({ groupId }) => groupId === 'v'));
  }
  for (let version = 0; version <= 6; version++) {
    const { groups } = await client.call('DescribeGroups', version, { groups: ['v', 'nobody'] });
    assert.deepEqual(
      groups.map(({ groupState, errorCode }) => [groupState, errorName(errorCode)]),
      [
        ['Empty', 'NONE'],
        ['Dead', version >= 6 ? 'GROUP_ID_NOT_FOUND' : 'NONE'],
      ],
    );
  }
});

test('a commit is on disk when it is answered, and members are not', async () => {
  await using kit = await KafkaKit.start();
  {
    using client = await kit.client();
    await client.createTopic('t', 2);
    await client.produce('t', batchOf(['a', 'b', 'c']));
    const member = new ClassicMember(client, 'g', ['t']);
    await member.join(2);
    assert.equal(await member.commit(2), 'NONE');
    assert.equal(kit.broker.topic('t')!.groups.get('g')!.info().lag, 1);
    await kit.crash();
  }
  using client = await kit.client();
  assert.deepEqual(await committed(client, 'g'), ['t-0=2 ']);
  assert.equal(kit.broker.topic('t')!.groups.get('g')!.info().lag, 1);
  const again = new ClassicMember(client, 'g', ['t']);
  again.memberId = 'from-before';
  again.generationId = 1;
  assert.equal(await again.heartbeat(), 'UNKNOWN_MEMBER_ID');
  assert.equal(errorName((await again.join()).errorCode), 'UNKNOWN_MEMBER_ID');
  assert.equal(await again.commit(3), 'ILLEGAL_GENERATION');
});

test('no commit is answered before it is synced', async () => {
  const files = new HeldFiles();
  await using kit = await KafkaKit.start({}, { files });
  using client = await kit.client();
  using other = await kit.client();
  // However the test ends, the broker must be able to close.
  using _ = files;
  await client.createTopic('t');
  await commit(client, 'g', 't', 0);
  files.hold();
  let isAnswered = false;
  const answer = commit(client, 'g', 't', 1).finally(() => (isAnswered = true));
  // It has been taken, and other connections go on.
  await eventually(() => kit.broker.topic('t')!.groups.get('g')!.committed(0)?.offset === 1);
  for (let i = 0; i < 5; i++)
    await other.call('Heartbeat', 4, { groupId: 'x', generationId: 0, memberId: '' });
  assert.equal(isAnswered, false);
  files.letGo();
  assert.equal(await answer, 'NONE');
});

test('commits that bring the group into being do not overtake each other', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('orders');
  const request = (committedOffset: number): RequestDraft<'OffsetCommit'> => ({
    groupId: 'fresh',
    memberId: '',
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: '' }] }],
  });
  const sent = [1, 2].map((offset) => client.send('OffsetCommit', 9, request(offset)));
  for (const id of sent) await client.receive('OffsetCommit', 9, id);
  assert.deepEqual(await committed(client, 'fresh'), ['orders-0=2 ']);
});

test('commits: of no member, of another generation, of unknown partitions, with too much metadata', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  assert.equal(await commit(client, 'g', 't', 1, { metadata: 'by hand' }), 'NONE');
  assert.deepEqual(await committed(client, 'g'), ['t-0=1 by hand']);
  assert.equal(await commit(client, 'g', 't', 1, { metadata: null }), 'NONE');
  assert.equal(
    await commit(client, 'g', 't', 1, { metadata: 'm'.repeat(4097) }),
    'OFFSET_METADATA_TOO_LARGE',
  );
  assert.equal(await commit(client, 'g', 't', 1, { partition: 1 }), 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal(await commit(client, 'g', 'nothing', 1), 'UNKNOWN_TOPIC_OR_PARTITION');
  await client.produce('t', batchOf(['a', 'b']));
  for (const offset of [-1, -2, -5]) {
    assert.equal(await commit(client, 'g', 't', offset), 'NONE');
    assert.deepEqual(
      await committed(client, 'g'),
      [`t-0=${offset} `],
      'what it means is the client’s affair',
    );
  }
  assert.equal(await commit(client, '', 't', 1), 'INVALID_GROUP_ID');
  assert.equal(await commit(client, 'g'.repeat(256), 't', 1), 'INVALID_GROUP_ID');
  const member = new ClassicMember(client, 'g', ['t']);
  await member.join();
  assert.equal(await commit(client, 'g', 't', 2), 'UNKNOWN_MEMBER_ID');
  assert.equal(
    await commit(client, 'g', 't', 2, { memberId: member.memberId, generationId: 99 }),
    'ILLEGAL_GENERATION',
  );
  assert.equal(await member.commit(2), 'NONE');
});

test('join: bad session timeouts, empty group ids, a name that delivers messages', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const request = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  };
  const refusal = async (change: object): Promise<string> =>
    errorName((await client.call('JoinGroup', 9, { ...request, ...change })).errorCode);
  assert.equal(await refusal({ groupId: '' }), 'INVALID_GROUP_ID');
  assert.equal(await refusal({ sessionTimeoutMs: 5999 }), 'INVALID_SESSION_TIMEOUT');
  assert.equal(await refusal({ sessionTimeoutMs: 1_800_001 }), 'INVALID_SESSION_TIMEOUT');
  assert.equal(await refusal({ memberId: 'stranger' }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await refusal({ protocols: [] }), 'INCONSISTENT_GROUP_PROTOCOL');
  const group = await kit.broker.topic('t')!.createGroup({ name: 'jetstream' });
  const member = new ClassicMember(client, 'jetstream', ['t']);
  assert.equal(errorName((await member.join()).errorCode), 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(await commit(client, 'jetstream', 't', 1), 'INCONSISTENT_GROUP_PROTOCOL');
  await client.produce('t', batchOf(['a', 'b']));
  await group.reset({ kind: 'offset', offset: 1 });
  const { groups } = await client.call('OffsetFetch', 8, {
    groups: [{ groupId: 'jetstream', topics: [{ name: 't', partitionIndexes: [0] }] }],
  });
  assert.equal(groups[0]!.topics[0]!.partitions[0]!.committedOffset, 1, 'its progress can be read');
  assert.equal(kit.broker.topic('t')!.groups.size, 1, 'nothing came of the refusals');
});

test('lists and descriptions: members, states and types; filters', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const member = new ClassicMember(client, 'g', ['t']);
  await member.join();
  await commit(client, 'idle', 't', 0);
  await kit.broker.topic('t')!.createGroup({ name: 'durable' });
  const { groups } = await client.call('ListGroups', 5, {});
  assert.deepEqual(
    groups
      .map(({ groupId, groupType, groupState, protocolType }) =>
        [groupId, groupType, groupState, protocolType].join(' '),
      )
      .sort(),
    ['durable share Empty share', 'g classic Stable consumer', 'idle classic Empty consumer'],
  );
  const names = async (filter: object): Promise<string[]> =>
    (await client.call('ListGroups', 5, filter)).groups.map(({ groupId }) => groupId);
  assert.deepEqual(await names({ statesFilter: ['stable'] }), ['g']);
  assert.deepEqual(await names({ typesFilter: ['Share'] }), ['durable']);
  const { groups: described } = await client.call('DescribeGroups', 6, { groups: ['g'] });
  assert.equal(described[0]!.groupState, 'Stable');
  assert.equal(described[0]!.protocolData, 'range');
  assert.equal(described[0]!.members[0]!.clientId, 'test');
  assert.match(described[0]!.members[0]!.clientHost, /^\/.*127\.0\.0\.1$/);
  assert.ok(described[0]!.members[0]!.memberAssignment.length > 0);
});

test('groups without members are deleted, offsets of topics without readers forgotten', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t', 2);
  await client.createTopic('u');
  const member = new ClassicMember(client, 'g', ['t']);
  await member.join(2);
  await member.commit(0);
  await member.commit(0, 0, 'u');
  const forget = async (topic: string, partition = 0): Promise<string[]> => {
    const { errorCode, topics } = await client.call('OffsetDelete', 0, {
      groupId: 'g',
      topics: [{ name: topic, partitions: [{ partitionIndex: partition }] }],
    });
    return [
      errorName(errorCode),
      ...topics.flatMap(({ partitions }) => partitions.map((one) => errorName(one.errorCode))),
    ];
  };
  const remove = async (groupId: string): Promise<string> =>
    errorName((await client.call('DeleteGroups', 2, { groupsNames: [groupId] })).results[0]!.errorCode);
  assert.deepEqual(await forget('t'), ['NONE', 'GROUP_SUBSCRIBED_TO_TOPIC']);
  assert.deepEqual(await forget('u'), ['NONE', 'NONE']);
  assert.deepEqual(await forget('u', 5), ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION']);
  assert.deepEqual(await committed(client, 'g'), ['t-0=0 ']);
  assert.equal(await remove('g'), 'NON_EMPTY_GROUP');
  await member.leave();
  assert.equal(await remove('g'), 'NONE');
  assert.equal(await remove('g'), 'GROUP_ID_NOT_FOUND');
  assert.equal(kit.broker.topic('t')!.groups.size, 0);
});

test('a group without members keeps its offsets for a week', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  await commit(client, 'g', 't', 0);
  assert.equal(kit.broker.topic('t')!.groups.get('g')!.config.inactiveMs, 7 * 24 * 3_600_000);
});

test('a queue-like topic removes messages that a Kafka group has committed', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const topic = await kit.broker.createTopic({ name: 'jobs', retention: 'queue' });
  await client.produce('jobs', batchOf(['a', 'b', 'c']));
  const member = new ClassicMember(client, 'g', ['jobs']);
  await member.join();
  assert.equal(await member.commit(2), 'NONE');
  assert.equal(topic.count, 1);
});

test('a member that goes silently gives its place up; a connection that ends does not by itself', async () => {
  await using kit = await KafkaKit.start({ groupLimits: { sessionTimeoutMsMin: 50 } });
  using one = await kit.client();
  await one.createTopic('t');
  const request = {
    groupId: 'g',
    sessionTimeoutMs: 100,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  };
  const { errorCode } = await one.call('JoinGroup', 3, request);
  assert.equal(errorCode, 0);
  one[Symbol.dispose]();
  using two = await kit.client();
  await eventually(async () => {
    const { groups } = await two.call('DescribeGroups', 5, { groups: ['g'] });
    return groups[0]!.groupState === 'Empty';
  });
});

test('a group that its members have left is there a while, to be described and deleted', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const describeGroup = async (groupId: string): Promise<[string, string]> => {
    const { groups } = await client.call('DescribeGroups', 5, { groups: [groupId] });
    return [groups[0]!.groupState, groups[0]!.protocolType];
  };
  const deleteGroup = async (groupId: string): Promise<string> => {
    const { results } = await client.call('DeleteGroups', 2, { groupsNames: [groupId] });
    return errorName(results[0]!.errorCode);
  };
  // A member of another protocol than the consumers', as of Kafka Connect: it reads no topics that the broker
  // knows of.
  const request = {
    groupId: 'workers',
    sessionTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'connect',
    protocols: [{ name: 'sessioned', metadata: Buffer.from('x') }],
  };
  assert.equal(await commit(client, 'workers', 't', 1), 'NONE');
  const { memberId } = await client.call('JoinGroup', 3, request);
  assert.equal(await deleteGroup('workers'), 'NON_EMPTY_GROUP');
  const offsetDelete = await client.call('OffsetDelete', 0, {
    groupId: 'workers',
    topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }],
  });
  assert.equal(errorName(offsetDelete.errorCode), 'NON_EMPTY_GROUP', 'they do not say what they read');
  await client.call('LeaveGroup', 2, { groupId: 'workers', memberId });
  assert.equal(await deleteGroup('workers'), 'NONE');
  const again = await client.call('JoinGroup', 3, { ...request, groupId: 'idle' });
  await client.call('LeaveGroup', 2, { groupId: 'idle', memberId: again.memberId });
  assert.deepEqual(await describeGroup('idle'), ['Empty', 'connect']);
  const { groups } = await client.call('ListGroups', 4, { statesFilter: [] });
  assert.deepEqual(
    groups.map((group) => [group.groupId, group.groupState]),
    [['idle', 'Empty']],
  );
  assert.equal(await deleteGroup('idle'), 'NONE');
  assert.deepEqual(await describeGroup('idle'), ['Dead', '']);
  assert.equal(await deleteGroup('idle'), 'GROUP_ID_NOT_FOUND');
});

test('offsets are deleted beside members that read no topic, or others', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  await client.createTopic('u');
  assert.equal(await commit(client, 'g', 't', 1), 'NONE');
  const deleteOffset = async (name: string): Promise<string> => {
    const response = await client.call('OffsetDelete', 0, {
      groupId: 'g',
      topics: [{ name, partitions: [{ partitionIndex: 0 }] }],
    });
    return errorName(response.errorCode || response.topics[0]!.partitions[0]!.errorCode);
  };
  for (const topics of [[], ['u']]) {
    const member = new ClassicMember(client, 'g', topics);
    await member.join();
    assert.equal(await deleteOffset('t'), 'NONE', `beside a reader of [${topics.join()}]`);
    if (topics.length > 0) assert.equal(await deleteOffset('u'), 'GROUP_SUBSCRIBED_TO_TOPIC');
    await member.leave();
    assert.equal(await commit(client, 'g', 't', 1), 'NONE');
  }
  assert.equal(
    errorName((await client.call('OffsetDelete', 0, { groupId: '', topics: [] })).errorCode),
    'INVALID_GROUP_ID',
  );
});

test('a committed leader epoch comes back, and none where none was committed', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const commitAt = async (committedOffset: number, committedLeaderEpoch: number): Promise<void> => {
    const partitions = [{ partitionIndex: 0, committedOffset, committedLeaderEpoch, committedMetadata: '' }];
    const { topics } = await client.call('OffsetCommit', 8, {
      groupId: 'g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [{ name: 't', partitions }],
    });
    assert.equal(topics[0]!.partitions[0]!.errorCode, 0);
  };
  const fetchedBy = async (reader: KafkaClient): Promise<[number, number]> => {
    const { groups } = await reader.call('OffsetFetch', 8, {
      groups: [{ groupId: 'g', topics: null }],
      requireStable: false,
    });
    const { committedOffset, committedLeaderEpoch } = groups[0]!.topics[0]!.partitions[0]!;
    return [committedOffset, committedLeaderEpoch];
  };
  await commitAt(5, 3);
  assert.deepEqual(await fetchedBy(client), [5, 3]);
  await commitAt(6, -1);
  assert.deepEqual(await fetchedBy(client), [6, -1]);
  await commitAt(-2, -1);
  assert.deepEqual(await fetchedBy(client), [-2, -1]);
  await commitAt(7, 0);
  await kit.crash();
  using after = await kit.client();
  assert.deepEqual(await fetchedBy(after), [7, 0]);
});
