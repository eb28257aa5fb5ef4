import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Operation, Pattern, Permission, Resource } from '../../../../src/protocols/kafka/security/acl.ts';
import { Users, userWithPassword, type TopicPermissions } from '../../../../src/protocols/users/index.ts';
import { ErrorCode, type RequestDraft } from '../../../../src/wire/kafka/index.ts';
import { KafkaKit, batchOf, fetchRequest, type KafkaClient } from '../kit.ts';

type Creation = RequestDraft<'CreateAcls'>['creations'][number];
type Filter = RequestDraft<'DeleteAcls'>['filters'][number];

function user(name: string, permissions?: TopicPermissions): ReturnType<typeof userWithPassword> {
  return { ...userWithPassword('kafka', name, name), protocols: undefined, permissions };
}

function usersOf(): Users {
  return new Users([user('admin'), user('ann', {}), user('ben', { publish: { allow: ['orders'] } })]);
}

async function loggedIn(kit: KafkaKit, name: string): Promise<KafkaClient> {
  const client = await kit.client();
  assert.equal(await client.logIn(name, name), 0);
  return client;
}

function entry(
  permission: keyof typeof Permission,
  operation: keyof typeof Operation,
  resourceName: string,
  more: Partial<Creation> = {},
): Creation {
  return {
    resourceType: Resource.topic,
    resourceName,
    resourcePatternType: Pattern.literal,
    principal: 'User:ann',
    host: '*',
    operation: Operation[operation],
    permissionType: Permission[permission],
    ...more,
  };
}

const onGroups = { resourceType: Resource.group, resourceName: '*' };

function filter(more: Partial<Filter> = {}): Filter {
  return {
    resourceTypeFilter: Resource.any,
    resourceNameFilter: null,
    patternTypeFilter: Pattern.any,
    principalFilter: null,
    hostFilter: null,
    operation: Operation.any,
    permissionType: Permission.any,
    ...more,
  };
}

async function create(client: KafkaClient, ...creations: Creation[]): Promise<number[]> {
  const { results } = await client.call('CreateAcls', 3, { creations });
  return results.map(({ errorCode }) => errorCode);
}

/** Entries as `type/name principal operation`. */
async function shown(client: KafkaClient): Promise<string[]> {
  const { resources, errorCode } = await client.call('DescribeAcls', 3, filter());
  assert.equal(errorCode, 0);
  return resources.flatMap(({ resourceType, resourceName, acls }) =>
    acls.map(({ principal, operation }) => `${resourceType}/${resourceName} ${principal} ${operation}`),
  );
}

async function fetchCode(client: KafkaClient, topic: string): Promise<number> {
  const { responses } = await client.call('Fetch', 11, fetchRequest(topic, 0, { maxWaitMs: 0 }));
  return responses[0]!.partitions[0]!.errorCode;
}

const batch = batchOf(['a']);

describe('ACLs', () => {
  test('are created, described and deleted, and outlive a restart and a crash', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    let admin = await loggedIn(kit, 'admin');
    assert.deepEqual(await create(admin, entry('allow', 'read', 'a'), entry('deny', 'write', 'b')), [0, 0]);
    assert.deepEqual(await create(admin, entry('allow', 'read', 'a')), [0], 'twice is once');
    const both = ['2/a User:ann 3', '2/b User:ann 4'];
    assert.deepEqual(await shown(admin), both);
    await kit.restart();
    admin = await loggedIn(kit, 'admin');
    assert.deepEqual(await shown(admin), both);
    await kit.crash();
    admin = await loggedIn(kit, 'admin');
    assert.deepEqual(await shown(admin), both);
    const { filterResults } = await admin.call('DeleteAcls', 3, {
      filters: [filter({ resourceNameFilter: 'a' }), filter({ operation: 99 }), filter()],
    });
    assert.deepEqual(
      filterResults.map(({ errorCode, matchingAcls }) => [errorCode, matchingAcls.length]),
      [
        [0, 1],
        [ErrorCode.INVALID_REQUEST, 0],
        [0, 2],
      ],
      'each filter says all that it matches',
    );
    await kit.crash();
    assert.deepEqual(await shown(await loggedIn(kit, 'admin')), []);
  });

  test('that cannot be are refused, and others of the request are not', async () => {
    await using kit = await KafkaKit.start({ users: usersOf(), aclLimits: { aclsMax: 2 } });
    using admin = await loggedIn(kit, 'admin');
    const wrong: Partial<Creation>[] = [
      { resourceType: Resource.cluster },
      { resourceName: '' },
      { resourceType: Resource.user },
      { resourceType: Resource.delegationToken },
      { resourceType: Resource.any },
      { resourcePatternType: Pattern.match },
      { operation: Operation.any },
      { permissionType: Permission.any },
      { principal: 'ann' },
      { host: '' },
    ];
    const codes = await create(
      admin,
      ...wrong.map((more) => entry('allow', 'read', 'a', more)),
      entry('allow', 'read', 'a'),
      entry('allow', 'read', 'b'),
      entry('allow', 'read', 'c'),
    );
    assert.deepEqual(
      codes.slice(0, wrong.length),
      wrong.map(() => ErrorCode.INVALID_REQUEST),
    );
    assert.deepEqual(codes.slice(wrong.length), [0, 0, ErrorCode.POLICY_VIOLATION], 'there is a limit');
  });

  test('need ALTER on the cluster, DESCRIBE to see them; without users there are none', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using ann = await loggedIn(kit, 'ann');
    assert.deepEqual(await create(ann, entry('allow', 'all', '*')), [ErrorCode.CLUSTER_AUTHORIZATION_FAILED]);
    const seen = await ann.call('DescribeAcls', 3, filter());
    assert.equal(seen.errorCode, ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
    await using open = await KafkaKit.start();
    using client = await open.client();
    assert.deepEqual(await create(client, entry('allow', 'all', '*')), [ErrorCode.SECURITY_DISABLED]);
    assert.equal((await client.call('DescribeAcls', 3, filter())).errorCode, ErrorCode.SECURITY_DISABLED);
  });
});

describe('a user is held', () => {
  test('to its ACLs, as they are now', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using admin = await loggedIn(kit, 'admin');
    using ann = await loggedIn(kit, 'ann');
    await admin.createTopic('t');
    assert.equal((await ann.produce('t', batch)).errorCode, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    assert.equal(await fetchCode(ann, 't'), ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    await create(admin, entry('allow', 'write', 't'));
    assert.equal((await ann.produce('t', batch)).errorCode, 0);
    assert.equal(await fetchCode(ann, 't'), ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    await create(admin, entry('allow', 'read', 't', { resourcePatternType: Pattern.prefixed }));
    assert.equal(await fetchCode(ann, 't'), 0);
    await create(admin, entry('deny', 'all', '*', { principal: 'User:*', host: '127.0.0.1' }));
    assert.equal(await fetchCode(ann, 't'), ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'from this host');
    assert.equal(await fetchCode(admin, 't'), 0, 'a user without restrictions is a super user');
  });

  test('to its permissions in the configuration', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using admin = await loggedIn(kit, 'admin');
    await admin.createTopic('orders');
    await admin.createTopic('others');
    using ben = await loggedIn(kit, 'ben');
    assert.equal((await ben.produce('orders', batch)).errorCode, 0);
    assert.equal((await ben.produce('others', batch)).errorCode, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    assert.equal(await fetchCode(ben, 'orders'), ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    const created = await ben.createTopic('orders2');
    assert.equal(created.errorCode, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    const { topics } = await ben.call('Metadata', 9, {
      topics: null,
      includeTopicAuthorizedOperations: true,
    });
    assert.deepEqual(
      topics.map(({ name, topicAuthorizedOperations }) => [name, topicAuthorizedOperations]),
      [['orders', (1 << Operation.write) | (1 << Operation.describe)]],
    );
  });

  test('and a resource it may not describe looks like a missing one', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using admin = await loggedIn(kit, 'admin');
    using ann = await loggedIn(kit, 'ann');
    await admin.createTopic('secret');
    const codes = async (): Promise<number[]> => {
      const { topics } = await ann.call('Metadata', 9, {
        topics: [{ name: 'secret' }, { name: 'missing' }],
        allowAutoTopicCreation: true,
      });
      return topics.map(({ errorCode }) => errorCode);
    };
    const refused = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    assert.deepEqual(await codes(), [refused, refused]);
    await create(admin, entry('allow', 'describe', '*'));
    assert.deepEqual(await codes(), [0, refused], 'making one needs CREATE');
    await create(admin, entry('allow', 'create', 'missing'));
    assert.deepEqual(await codes(), [0, 0]);
    const page = await ann.call('DescribeTopicPartitions', 0, {
      topics: [],
      responsePartitionLimit: 1,
      cursor: null,
    });
    assert.deepEqual([page.topics[0]?.name, page.nextCursor?.topicName], ['missing', 'secret']);
  });

  test('in groups: READ for members, DESCRIBE for readers of their state', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using admin = await loggedIn(kit, 'admin');
    using ann = await loggedIn(kit, 'ann');
    await admin.createTopic('t');
    const refused = ErrorCode.GROUP_AUTHORIZATION_FAILED;
    const commit = async (): Promise<number> => {
      const { topics } = await ann.call('OffsetCommit', 8, {
        groupId: 'g',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        topics: [
          { name: 't', partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }] },
        ],
      });
      return topics[0]!.partitions[0]!.errorCode;
    };
    const fetch = async (): Promise<[number, number | undefined]> => {
      const { groups } = await ann.call('OffsetFetch', 8, {
        groups: [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }],
        requireStable: false,
      });
      return [groups[0]!.errorCode, groups[0]!.topics[0]?.partitions[0]?.errorCode];
    };
    assert.equal(await commit(), refused);
    assert.deepEqual(await fetch(), [refused, undefined]);
    assert.equal(
      (await ann.call('Heartbeat', 4, { groupId: 'g', generationId: 1, memberId: 'm' })).errorCode,
      refused,
    );
    await create(admin, entry('allow', 'read', '*', onGroups));
    assert.equal(await commit(), ErrorCode.TOPIC_AUTHORIZATION_FAILED);
    assert.deepEqual(await fetch(), [0, ErrorCode.TOPIC_AUTHORIZATION_FAILED]);
    await create(admin, entry('allow', 'read', 't'));
    assert.equal(await commit(), 0);
    assert.deepEqual(await fetch(), [0, 0]);
    assert.deepEqual((await ann.call('ListGroups', 4, { statesFilter: [] })).groups.length, 1);
    await create(admin, entry('deny', 'describe', 'g', { ...onGroups, resourceName: 'g' }));
    assert.deepEqual((await ann.call('ListGroups', 4, { statesFilter: [] })).groups.length, 0);
  });

  test('in a group by expression, to the topics that it may describe, as ACLs are now', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using admin = await loggedIn(kit, 'admin');
    using ann = await loggedIn(kit, 'ann');
    for (const name of ['orders-1', 'orders-2', 'orders-3']) await admin.createTopic(name);
    await create(admin, entry('allow', 'read', '*', onGroups), entry('allow', 'read', 'orders-2'));
    let epoch = 0;
    /** How many topics the member is given; undefined: as before. */
    const beat = async (): Promise<number | undefined> => {
      const answer = await ann.call('ConsumerGroupHeartbeat', 1, {
        groupId: 'g',
        memberId: 'm',
        memberEpoch: epoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: epoch === 0 ? 10_000 : -1,
        subscribedTopicNames: null,
        subscribedTopicRegex: epoch === 0 ? 'orders-.*' : null,
        serverAssignor: null,
        topicPartitions: epoch === 0 ? [] : null,
      });
      assert.equal(answer.errorCode, 0);
      epoch = answer.memberEpoch;
      return answer.assignment?.topicPartitions.length;
    };
    assert.equal(await beat(), 1);
    await create(admin, entry('allow', 'describe', 'orders-3'));
    assert.equal(await beat(), 2);
    assert.equal(await beat(), undefined);
  });

  test('in a share group, to the topics that it may read now', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using admin = await loggedIn(kit, 'admin');
    using ann = await loggedIn(kit, 'ann');
    const { topicId } = await admin.createTopic('t');
    await create(admin, entry('allow', 'read', '*', onGroups), entry('allow', 'read', 't'));
    const member = { groupId: 's', memberId: 'AAAAAAAAAAAAAAAAAAAAAQ' };
    const joined = await ann.call('ShareGroupHeartbeat', 1, {
      ...member,
      memberEpoch: 0,
      rackId: null,
      subscribedTopicNames: ['t'],
    });
    assert.equal(joined.errorCode, 0);
    let shareSessionEpoch = 0;
    /** The code of the partition, and how many bytes of records came. */
    const fetch = async (): Promise<[code: number, bytes: number] | undefined> => {
      const partitions = [{ partitionIndex: 0, acknowledgementBatches: [] }];
      const answer = await ann.call('ShareFetch', 1, {
        ...member,
        shareSessionEpoch,
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 10_000,
        maxRecords: 1,
        batchSize: 1,
        topics: shareSessionEpoch++ === 0 ? [{ topicId, partitions }] : [],
        forgottenTopicsData: [],
      });
      assert.equal(answer.errorCode, 0);
      const partition = answer.responses[0]?.partitions[0];
      return partition && [partition.errorCode, partition.records?.length ?? 0];
    };
    await fetch(); // the group reads from here on
    for (let at = 0; at < 2; at++) await admin.produce('t', batch);
    const first = await fetch();
    assert.ok(first?.[0] === 0 && first[1] > 0);
    await create(admin, entry('deny', 'read', 't'));
    assert.deepEqual(await fetch(), [ErrorCode.TOPIC_AUTHORIZATION_FAILED, 0]);
    assert.equal(await fetch(), undefined);
  });

  test('in transactions, and as an idempotent producer', async () => {
    await using kit = await KafkaKit.start({ users: usersOf() });
    using admin = await loggedIn(kit, 'admin');
    using ann = await loggedIn(kit, 'ann');
    const init = async (transactionalId: string | null): Promise<number> =>
      (await ann.call('InitProducerId', 4, { transactionalId, transactionTimeoutMs: 1000 })).errorCode;
    assert.equal(await init(null), ErrorCode.CLUSTER_AUTHORIZATION_FAILED);
    assert.equal(await init('x'), ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    await create(admin, entry('allow', 'write', 't'));
    assert.equal(await init(null), 0, 'WRITE on some topic is enough');
    await create(admin, entry('allow', 'write', 'x', { resourceType: Resource.transactionalId }));
    assert.equal(await init('x'), 0);
  });

  test('to nothing where allow.everyone.if.no.acl.found says so and no ACL is about it', async () => {
    const settings = { 'super.users': 'User:ann', 'allow.everyone.if.no.acl.found': 'true' } as const;
    await using kit = await KafkaKit.start({ users: usersOf(), settings });
    using ann = await loggedIn(kit, 'ann');
    assert.deepEqual(await create(ann, entry('deny', 'all', '*')), [0]);
    assert.equal((await ann.createTopic('t')).errorCode, 0, 'a super user is above ACLs');
  });
});

test('ACLs of Kafka clients hold for the same user at the other doors', async () => {
  const users = usersOf();
  await using kit = await KafkaKit.start({ users });
  using admin = await loggedIn(kit, 'admin');
  const access = (): ReturnType<Users['accessOf']> => users.accessOf(users.find('nats', 'ann')!);
  assert.equal(access().mayConsume('orders'), false);
  await create(
    admin,
    entry('allow', 'read', 'orders', { resourcePatternType: Pattern.prefixed }),
    entry('deny', 'read', 'orders-audit'),
    entry('allow', 'write', 'far', { host: '10.0.0.1' }),
    entry('allow', 'all', 'mine'),
    entry('allow', 'create', 'made'),
  );
  assert.equal(access().mayConsume('orders-1'), true);
  assert.equal(access().mayConsume('orders-audit'), false);
  assert.equal(access().mayPublish('far'), false, 'hosts are of Kafka alone');
  assert.equal(access().mayManage('mine'), true);
  assert.equal(access().mayManage('made'), false, 'manage is all of CREATE, ALTER, DELETE, ALTER_CONFIGS');
  await kit.restart();
  assert.equal(access().mayConsume('orders-1'), true);
});

test('clients must log in as soon as there are users, and are held to what these may do', async () => {
  const users = new Users();
  await using kit = await KafkaKit.start({ users });
  using open = await kit.client();
  assert.equal((await open.createTopic('t')).errorCode, 0);
  users.configure([user('admin'), user('ann', {})]);
  await open.ended();
  assert.equal(kit.frontend.authenticates, true);
  using ann = await loggedIn(kit, 'ann');
  assert.equal((await ann.produce('t', batch)).errorCode, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  using admin = await loggedIn(kit, 'admin');
  assert.deepEqual(await create(admin, entry('allow', 'write', 't')), [0]);
  assert.equal((await ann.produce('t', batch)).errorCode, 0);
  users.configure([user('admin')]);
  await ann.ended();
});

test('filters and ACLs by the thousand cost no more than their bytes', async () => {
  await using kit = await KafkaKit.start({ users: usersOf() });
  using admin = await loggedIn(kit, 'admin');
  const count = 3000;
  const codes = await create(
    admin,
    ...Array.from({ length: count }, (_, at) =>
      entry('allow', 'read', `topic-${at}`, { resourcePatternType: Pattern.prefixed }),
    ),
  );
  assert.ok(codes.every((code) => code === 0));
  using ann = await loggedIn(kit, 'ann');
  assert.equal(await fetchCode(ann, 'other'), ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  const { filterResults } = await admin.call('DeleteAcls', 3, {
    filters: Array.from({ length: count }, (_, at) =>
      filter({ resourceNameFilter: `topic-${at}-x`, patternTypeFilter: Pattern.match }),
    ),
  });
  assert.ok(filterResults.every(({ matchingAcls }) => matchingAcls.length > 0));
  assert.deepEqual(await shown(admin), []);
});
