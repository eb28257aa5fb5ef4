import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../../src/wire/kafka/index.ts';
import { KafkaKit } from './kit.ts';

const noId = 'AAAAAAAAAAAAAAAAAAAAAA';

test('a small CreateTopics of many partitions is answered: what is too much, in words', async () => {
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
