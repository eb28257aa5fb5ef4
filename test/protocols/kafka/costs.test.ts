/** The cost of a few bytes of a request: in proportion to them and to the stored data. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { beginInTurns, inTurns } from '../../../src/protocols/connections/index.ts';
import { Hall } from '../../../src/protocols/index.ts';
import { ErrorCode, apis, type ApiName, type RequestDraft } from '../../../src/wire/kafka/index.ts';
import { SteppedClock, eventually } from '../../support/index.ts';
import { fullRequest, requestFrame, type Where } from '../../wire/kafka/full-request.ts';
import { allApis, hex } from '../../wire/kafka/kit.ts';
import { KafkaKit, batchOf, requestBytes, type KafkaClient } from './kit.ts';

const mib = 2 ** 20;

/** Why the only connection that has ended did so. */
async function whyClosed(kit: KafkaKit): Promise<string> {
  const reasons = (): string[] =>
    kit.events.flatMap((event) =>
      event.kind === 'closed' && event.reason.kind === 'error' ? [event.reason.text] : [],
    );
  await eventually(() => reasons().length > 0);
  return reasons()[0]!;
}

describe('sizes', () => {
  test('a request that carries no records is small: a larger one ends its connection with its first bytes', async () => {
    for (const api of allApis) {
      if (api.name === 'Produce') continue;
      await using kit = await KafkaKit.start();
      using client = await kit.client();
      const head = requestFrame(api, api.versions.max, Buffer.alloc(0));
      head.writeInt32BE(5 * mib, 0);
      client.socket.write(head);
      await client.ended();
      assert.match(
        await whyClosed(kit),
        new RegExp(`A request of 5242880 bytes for ${api.name} was announced; 4194304 are allowed`),
      );
    }
  });

  test('Produce may be large', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    await client.createTopic('t');
    const records = Buffer.alloc(5 * mib); // no batch, but read to its end
    const answer = await client.produce('t', records);
    assert.notEqual(answer.errorCode, 0);
  });

  test('elements are charged before anything is made of them', async () => {
    await using kit = await KafkaKit.start();
    using client = await kit.client();
    const names = 2_000_000;
    client.socket.write(
      requestFrame(apis.Metadata, 1, Buffer.concat([hex('001e8480'), Buffer.alloc(2 * names)])),
    );
    await client.ended();
    assert.match(
      await whyClosed(kit),
      /Metadata: 2000000 elements announced before \d+; 100000 more are allowed/,
    );
  });
});

/** A request for one thing, and one for the same so many times. */
type Repeated = { [N in ApiName]?: (times: number) => RequestDraft<N> };

const times = 1000;
const again = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

const repeated: Repeated = {
  Metadata: (count) => ({ topics: again(count, { name: 't' }) }),
  DescribeConfigs: (count) => ({
    resources: again(count, { resourceType: 2, resourceName: 't', configurationKeys: null }),
    includeSynonyms: true,
  }),
  DescribeGroups: (count) => ({ groups: again(count, 'g'), includeAuthorizedOperations: false }),
  ConsumerGroupDescribe: (count) => ({ groupIds: again(count, 'g'), includeAuthorizedOperations: false }),
  ShareGroupDescribe: (count) => ({ groupIds: again(count, 'g'), includeAuthorizedOperations: false }),
  DescribeShareGroupOffsets: (count) => ({ groups: again(count, { groupId: 'g', topics: null }) }),
  OffsetFetch: (count) => ({ groups: again(count, { groupId: 'g', topics: null }), requireStable: false }),
  DescribeLogDirs: (count) => ({ topics: again(count, { topic: 't', partitions: [0, 1, 2] }) }),
  DescribeProducers: (count) => ({ topics: again(count, { name: 't', partitionIndexes: [0, 1] }) }),
  DescribeTransactions: (count) => ({ transactionalIds: again(count, 'x') }),
  DescribeTopicPartitions: (count) => ({
    topics: again(count, { name: 't' }),
    responsePartitionLimit: 2000,
    cursor: null,
  }),
};

async function answerBytes(client: KafkaClient, name: ApiName, count: number): Promise<number> {
  const request = repeated[name];
  for (const part of requestBytes(name, apis[name].versions.max, request!(count))) client.socket.write(part);
  return (await client.frame())!.length;
}

test('a thing that is named again and again is answered once', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t', 100);
  for (const partitionIndex of [0, 1, 2])
    await client.call('OffsetCommit', 8, {
      groupId: 'g',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: [
        {
          name: 't',
          partitions: [{ partitionIndex, committedOffset: 0, committedMetadata: 'm'.repeat(4000) }],
        },
      ],
    });
  for (const name of Object.keys(repeated) as ApiName[]) {
    const once = await answerBytes(client, name, 1);
    assert.equal(await answerBytes(client, name, times), once, name);
  }
});

test('a committed text is told once, however often its partition is named', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  await client.call('OffsetCommit', 8, {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [
      {
        name: 't',
        partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: 'm'.repeat(4000) }],
      },
    ],
  });
  const { groups } = await client.call('OffsetFetch', 8, {
    groups: [{ groupId: 'g', topics: again(times, { name: 't', partitionIndexes: again(10, 0) }) }],
    requireStable: false,
  });
  assert.deepEqual(
    groups[0]!.topics.map(({ partitions }) => partitions.length),
    [1],
  );
});

test('a partition whose offsets are asked for twice is searched once', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t');
  const { topics } = await client.call('ListOffsets', 5, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 't', partitions: again(3, { partitionIndex: 0, timestamp: -1 }) }],
  });
  assert.deepEqual(
    topics[0]!.partitions.map(({ errorCode }) => errorCode),
    [0, 42, 42],
  );
});

test('a share partition that is moved 20,000 times by one request is moved once, to the last offset', async () => {
  await using kit = await KafkaKit.start();
  using client = await kit.client();
  await client.createTopic('t', 2);
  for (const value of ['a', 'b', 'c']) await client.produce('t', batchOf([value]));
  const { responses } = await client.call('AlterShareGroupOffsets', 0, {
    groupId: 'g',
    topics: [
      ...again(2, { topicName: 't', partitions: again(10_000, { partitionIndex: 0, startOffset: 1 }) }),
      {
        topicName: 't',
        partitions: [
          { partitionIndex: 0, startOffset: 2 },
          { partitionIndex: 1, startOffset: -1 },
          { partitionIndex: 2, startOffset: 0 },
        ],
      },
    ],
  });
  assert.deepEqual(
    responses.map(({ topicName, partitions }) => [topicName, partitions.map((each) => each.errorCode)]),
    [['t', [ErrorCode.NONE, ErrorCode.OFFSET_OUT_OF_RANGE, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]]],
  );
  assert.equal(kit.broker.topic('t')!.groups.get('g')!.positionInfo(0)!.cursor, 2);
});

/** Requests that look something up per element, all of which are the same here. */
const byElement: readonly (readonly [ApiName, Where])[] = [
  ['ListOffsets', 'inner'],
  ['ListOffsets', 'outer'],
  ['OffsetForLeaderEpoch', 'outer'],
  ['CreatePartitions', 'outer'],
  ['DeleteTopics', 'outer'],
  ['DeleteRecords', 'outer'],
  ['DeleteRecords', 'inner'],
  ['AlterConfigs', 'outer'],
  ['IncrementalAlterConfigs', 'outer'],
  ['DeleteGroups', 'outer'],
  ['LeaveGroup', 'outer'],
  ['DeleteShareGroupOffsets', 'outer'],
  ['AddPartitionsToTxn', 'outer'],
  ['CreateAcls', 'outer'],
  ['DeleteAcls', 'outer'],
  ['AlterClientQuotas', 'outer'],
];

describe('turns', () => {
  test('work on many elements stops when its turn is over, and goes on with the next', async () => {
    const done: number[] = [];
    let next = (): void => {};
    let left = 3;
    const session = {
      closed: false,
      rest: () => (--left > 0 ? undefined : new Promise<void>((resolve) => (next = resolve))),
    };
    const running = inTurns([1, 2, 3, 4, 5], session, (at) => done.push(at));
    await Promise.resolve();
    assert.deepEqual(done, [1, 2, 3]);
    left = 3;
    next();
    await eventually(() => done.length === 5);
    next();
    assert.equal((await running).length, 5);
  });

  test('and it stops for good with its connection', async () => {
    const done: number[] = [];
    const session = { closed: false, rest: () => Promise.resolve() };
    await inTurns([1, 2, 3], session, (at) => {
      session.closed = true;
      done.push(at);
    });
    assert.deepEqual(done, [1]);
  });

  test('what is begun in turns is waited for at the end, and fails with the first failure', async () => {
    const begun: number[] = [];
    let rests = 0;
    const session = { closed: false, rest: () => (rests++ % 2 === 0 ? undefined : Promise.resolve()) };
    const work = async (at: number): Promise<void> => {
      begun.push(at);
      await new Promise((resolve) => setImmediate(resolve));
      if (at % 2 === 0) throw new Error(`${at} failed`);
    };
    await assert.rejects(beginInTurns([1, 2, 3, 4], session, work), /^Error: 2 failed$/);
    assert.deepEqual(begun, [1, 2, 3, 4]);
    assert.equal(rests, 4);
  });

  test('a group that begins on many topics does so in turns, by few commits', async () => {
    const clock = new SteppedClock();
    await using kit = await KafkaKit.start({ hall: new Hall(clock) });
    using client = await kit.client();
    for (let at = 0; at < 200; at++) await kit.broker.createTopic({ name: `t${at}` });
    const before = clock.turns;
    const { errorCode } = await client.call('ShareGroupHeartbeat', 1, {
      groupId: 'g',
      memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      memberEpoch: 0,
      rackId: null,
      subscribedTopicNames: Array.from({ length: 200 }, (_, at) => `t${at}`),
    });
    assert.equal(errorCode, ErrorCode.NONE);
    assert.ok(clock.turns - before > 10, `${clock.turns - before} turns`);
    assert.equal(kit.broker.budgets.used('groups'), 200);
  });

  test('requests of many elements take many turns', async () => {
    const clock = new SteppedClock();
    await using kit = await KafkaKit.start({
      hall: new Hall(clock),
      autoCreation: { enabled: false, partitions: 1 },
    });
    using client = await kit.client();
    await client.createTopic('t0', 2);
    for (const [name, where] of byElement) {
      const { [name]: api } = apis;
      const request = fullRequest(api, api.versions.max, mib, 2000, where)!;
      const before = clock.turns;
      client.socket.write(request);
      assert.ok(await client.frame(), `${name} is answered`);
      assert.ok(clock.turns - before > 100, `${name}: ${clock.turns - before} turns`);
    }
  });

  test('a subscription by pattern looks at the topics in turns, once, and later only at new ones', async () => {
    const clock = new SteppedClock();
    await using kit = await KafkaKit.start({ hall: new Hall(clock) });
    using client = await kit.client();
    for (let at = 0; at < 200; at++) await kit.broker.createTopic({ name: `t${at}` });
    const join = async (memberId: string): Promise<number> => {
      const before = clock.turns;
      const { errorCode } = await client.call('ConsumerGroupHeartbeat', 1, {
        groupId: 'g',
        memberId,
        memberEpoch: 0,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: 10_000,
        subscribedTopicNames: [],
        subscribedTopicRegex: 'nothing-like-it',
        serverAssignor: null,
        topicPartitions: [],
      });
      assert.equal(errorCode, ErrorCode.NONE);
      return clock.turns - before;
    };
    const first = await join('m1');
    assert.ok(first > 30, `${first} turns`);
    const second = await join('m2');
    assert.ok(second < first / 4, `${second} turns`);
  });
});
