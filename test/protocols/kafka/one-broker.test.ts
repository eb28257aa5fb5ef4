import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../../src/util/index.ts';
import { ErrorCode, zeroUuid } from '../../../src/wire/kafka/index.ts';
import { KafkaKit, batchOf, type KafkaClient } from './kit.ts';

// Requests of tools to a cluster, answered by the one broker. Codes and texts are those of Kafka 4.4.

describe('authorized operations', () => {
  const none = -2_147_483_648;

  test('are all there are, for clients that ask', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    const topics = [{ name: 't', topicId: zeroUuid }];
    const asked = await client.call('Metadata', 9, {
      topics,
      includeClusterAuthorizedOperations: true,
      includeTopicAuthorizedOperations: true,
    });
    assert.equal(asked.clusterAuthorizedOperations, 8096);
    assert.equal(asked.topics[0]!.topicAuthorizedOperations, 3576);
    const unasked = await client.call('Metadata', 9, { topics });
    assert.equal(unasked.clusterAuthorizedOperations, none);
    assert.equal(unasked.topics[0]!.topicAuthorizedOperations, none);
    const unknown = await client.call('Metadata', 9, {
      topics: [{ name: 'nowhere', topicId: zeroUuid }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    });
    assert.equal(unknown.topics[0]!.topicAuthorizedOperations, none);
    const cluster = await client.call('DescribeCluster', 2, { includeClusterAuthorizedOperations: true });
    assert.equal(cluster.clusterAuthorizedOperations, 8096);
    const paged = await client.call('DescribeTopicPartitions', 0, {
      topics: [{ name: 't' }],
      responsePartitionLimit: 10,
      cursor: null,
    });
    assert.equal(paged.topics[0]!.topicAuthorizedOperations, 3576);
    await client.call('OffsetCommit', 2, commitOf('g', 0));
    for (const [groupId, operations] of [
      ['g', 3400],
      ['nobody', none],
    ] as const) {
      const { groups } = await client.call('DescribeGroups', 6, {
        groups: [groupId],
        includeAuthorizedOperations: true,
      });
      assert.equal(groups[0]!.authorizedOperations, operations);
    }
  });

  test('an endpoint type that is not known is refused as such', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const codeOf = async (endpointType: number): Promise<number> =>
      (await client.call('DescribeCluster', 2, { includeClusterAuthorizedOperations: false, endpointType }))
        .errorCode;
    assert.deepEqual(
      [await codeOf(1), await codeOf(2), await codeOf(9)],
      [0, ErrorCode.MISMATCHED_ENDPOINT_TYPE, ErrorCode.UNSUPPORTED_ENDPOINT_TYPE],
    );
  });
});

function commitOf(
  groupId: string,
  committedOffset: number,
  committedLeaderEpoch = -1,
): {
  groupId: string;
  generationIdOrMemberEpoch: number;
  memberId: string;
  topics: {
    name: string;
    partitions: {
      partitionIndex: number;
      committedOffset: number;
      committedLeaderEpoch: number;
      committedMetadata: string;
    }[];
  }[];
} {
  const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch, committedMetadata: 'm' };
  return {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [{ name: 't', partitions: [partition] }],
  };
}

test('elections: none is needed', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t', 2);
  const elect = async (
    electionType: number,
    topicPartitions: { topic: string; partitions: number[] }[] | null,
  ): Promise<[number, [number, number, string | null][]]> => {
    const { errorCode, replicaElectionResults } = await client.call('ElectLeaders', 2, {
      electionType,
      topicPartitions,
      timeoutMs: 1000,
    });
    const results = replicaElectionResults.flatMap(({ partitionResult }) =>
      partitionResult.map((result): [number, number, string | null] => [
        result.partitionId,
        result.errorCode,
        result.errorMessage,
      ]),
    );
    return [errorCode, results];
  };
  const notNeeded = 'Leader election not needed for topic partition.';
  assert.deepEqual(await elect(0, [{ topic: 't', partitions: [0, 1] }]), [
    0,
    [
      [0, ErrorCode.ELECTION_NOT_NEEDED, notNeeded],
      [1, ErrorCode.ELECTION_NOT_NEEDED, notNeeded],
    ],
  ]);
  assert.deepEqual(await elect(1, [{ topic: 't', partitions: [7] }]), [
    0,
    [[7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'No such partition as t-7']],
  ]);
  assert.deepEqual(await elect(0, [{ topic: 'x', partitions: [0] }]), [
    0,
    [[0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'No such topic as x']],
  ]);
  assert.equal((await elect(9, [{ topic: 't', partitions: [0] }]))[0], ErrorCode.INVALID_REQUEST);
  assert.deepEqual(await elect(0, null), [0, []]);
  const all = await client.call('ElectLeaders', 2, { electionType: 0, topicPartitions: null });
  assert.deepEqual(all.replicaElectionResults, [{ topic: 't', partitionResult: [] }]);
});

test('reassignments: to the one broker, at once, and to no other', async () => {
  await using kit = await KafkaKit.start({ settings: { 'node.id': 3 } });
  using client = await kit.client();
  await client.createTopic('t');
  const reassign = async (replicas: number[] | null, name = 't', partitionIndex = 0): Promise<number> => {
    const { errorCode, responses } = await client.call('AlterPartitionReassignments', 1, {
      timeoutMs: 1000,
      topics: [{ name, partitions: [{ partitionIndex, replicas }] }],
    });
    assert.equal(errorCode, 0);
    return responses[0]!.partitions[0]!.errorCode;
  };
  assert.equal(await reassign([3]), 0);
  assert.equal(await reassign([0]), ErrorCode.INVALID_REPLICA_ASSIGNMENT);
  assert.equal(await reassign([3, 4]), ErrorCode.INVALID_REPLICA_ASSIGNMENT);
  assert.equal(await reassign([3, 3]), ErrorCode.INVALID_REPLICA_ASSIGNMENT);
  assert.equal(await reassign([]), ErrorCode.INVALID_REPLICA_ASSIGNMENT);
  assert.equal(await reassign(null), ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
  assert.equal(await reassign([3], 'x'), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await reassign([3], 't', 9), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const { errorCode, topics } = await client.call('ListPartitionReassignments', 0, { timeoutMs: 1000 });
  assert.deepEqual([errorCode, topics], [0, []]);
});

test('the quorum is this broker', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  const ask = (topicName: string, partitionIndex: number): ReturnType<typeof client.call<'DescribeQuorum'>> =>
    client.call('DescribeQuorum', 2, { topics: [{ topicName, partitions: [{ partitionIndex }] }] });
  const { topics, nodes } = await ask('__cluster_metadata', 0);
  const { errorCode, leaderId, highWatermark, currentVoters, observers } = topics[0]!.partitions[0]!;
  assert.deepEqual([errorCode, leaderId, observers], [0, 0, []]);
  assert.deepEqual(
    currentVoters.map(({ replicaId, logEndOffset }) => [replicaId, logEndOffset]),
    [[0, highWatermark]],
  );
  assert.equal(nodes[0]!.listeners[0]!.port & 0xffff, kit.port);
  for (const [topic, partition] of [
    ['t', 0],
    ['__cluster_metadata', 1],
  ] as const) {
    const answer = await ask(topic, partition);
    assert.equal(answer.topics[0]!.partitions[0]!.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  }
});

describe('the offsets topic', () => {
  const name = '__consumer_offsets';
  const listed = async (client: KafkaClient): Promise<[boolean, number][]> => {
    const { topics } = await client.call('Metadata', 12, { topics: null });
    return topics
      .filter((topic) => topic.name === name)
      .map(({ isInternal, partitions }) => [isInternal, partitions.length]);
  };

  test('is listed as internal once there are groups, also after a restart', async () => {
    await using kit = await KafkaKit.start({ settings: { 'offsets.topic.num.partitions': 7 } });
    using client = await kit.client();
    await client.createTopic('t');
    assert.deepEqual(await listed(client), []);
    await client.call('OffsetCommit', 2, commitOf('g', 0));
    assert.deepEqual(await listed(client), [[true, 7]]);
    await kit.restart();
    using after = await kit.client();
    assert.deepEqual(await listed(after), [[true, 7]]);
    const { topics } = await after.call('DescribeTopicPartitions', 0, {
      topics: [],
      responsePartitionLimit: 100,
      cursor: null,
    });
    assert.deepEqual(
      topics.map((topic) => [topic.name, topic.isInternal, topic.partitions.length]),
      [
        [name, true, 7],
        ['t', false, 1],
      ],
    );
    assert.equal(kit.broker.topic(name), undefined, 'it is none of the broker’s');
  });

  test('holds nothing, takes nothing and stays', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const { topics } = await client.call('Metadata', 12, { topics: [{ name, topicId: zeroUuid }] });
    assert.deepEqual([topics[0]!.errorCode, topics[0]!.isInternal], [0, true]);
    const { topicId } = topics[0]!;
    const byId = await client.call('Metadata', 12, { topics: [{ name: null, topicId }] });
    assert.equal(byId.topics[0]!.name, name);
    const fetched = await client.fetch(name, 0, { partition: 49, maxWaitMs: 1 });
    assert.deepEqual([fetched.errorCode, fetched.highWatermark, fetched.logStartOffset], [0, 0, 0]);
    assert.equal(
      (await client.fetch(name, 0, { partition: 50 })).errorCode,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
    const offsets = await client.call('ListOffsets', 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    });
    assert.deepEqual(
      [offsets.topics[0]!.partitions[0]!.errorCode, offsets.topics[0]!.partitions[0]!.offset],
      [0, 0],
    );
    assert.equal((await client.produce(name, batchOf(['x']))).errorCode, ErrorCode.INVALID_TOPIC_EXCEPTION);
    const producers = await client.call('DescribeProducers', 0, {
      topics: [{ name, partitionIndexes: [0, 50] }],
    });
    assert.deepEqual(
      producers.topics[0]!.partitions.map(({ errorCode }) => errorCode),
      [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      'kafka-transactions asks all topics there are',
    );
    const epochs = await client.call('OffsetForLeaderEpoch', 4, {
      topics: [{ topic: name, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
    });
    assert.deepEqual(
      [epochs.topics[0]!.partitions[0]!.errorCode, epochs.topics[0]!.partitions[0]!.endOffset],
      [0, 0],
    );
    const elected = await client.call('ElectLeaders', 2, {
      electionType: 0,
      topicPartitions: [{ topic: name, partitions: [0] }],
    });
    assert.equal(
      elected.replicaElectionResults[0]!.partitionResult[0]!.errorCode,
      ErrorCode.ELECTION_NOT_NEEDED,
    );
    const reassigned = await client.call('AlterPartitionReassignments', 1, {
      topics: [{ name, partitions: [{ partitionIndex: 0, replicas: [0] }] }],
    });
    assert.equal(reassigned.responses[0]!.partitions[0]!.errorCode, 0);
    assert.equal((await client.createTopic(name)).errorCode, ErrorCode.TOPIC_ALREADY_EXISTS);
    const { responses } = await client.call('DeleteTopics', 5, { topicNames: [name], timeoutMs: 1000 });
    assert.equal(responses[0]!.errorCode, ErrorCode.INVALID_REQUEST);
    const { results } = await client.call('DescribeConfigs', 4, {
      resources: [{ resourceType: 2, resourceName: name, configurationKeys: ['cleanup.policy'] }],
      includeSynonyms: false,
    });
    assert.equal(results[0]!.configs[0]!.value, 'compact');
  });
});

test('a deleted topic is not created again by a mere request for it, for a moment', async () => {
  const clock = new VirtualClock();
  await using kit = await KafkaKit.start({ clock, limits: { recreateDelayMs: 5000 } }, { clock });
  using client = await kit.client();
  const ask = async (name: string): Promise<number> => {
    const { topics } = await client.call('Metadata', 9, {
      topics: [{ name, topicId: zeroUuid }],
      allowAutoTopicCreation: true,
    });
    return topics[0]!.errorCode;
  };
  const remove = async (name: string): Promise<void> => {
    const { responses } = await client.call('DeleteTopics', 5, { topicNames: [name], timeoutMs: 1000 });
    assert.equal(responses[0]!.errorCode, 0);
  };
  assert.equal(await ask('t'), 0, 'it is made');
  await remove('t');
  assert.equal(await ask('t'), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  assert.equal(await ask('u'), 0, 'others are');
  assert.equal((await client.createTopic('t')).errorCode, 0, 'on request it is made at once');
  await remove('t');
  clock.advance(4999);
  assert.equal(await ask('t'), ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  clock.advance(1);
  assert.equal(await ask('t'), 0);
});
