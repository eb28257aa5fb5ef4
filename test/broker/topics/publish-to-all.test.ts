import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  recordOf,
  type PublishToAllMode,
  type PublishToAllOptions,
  type Topic,
  type TopicOptions,
} from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

type Outcome =
  | { readonly kind: 'published'; readonly refusals: readonly (readonly [topic: string, code: string])[] }
  | { readonly kind: 'refused'; readonly code: string };

/** One answer per publish, or the test fails. */
function publish(
  kit: TestBroker,
  topics: readonly Topic[],
  mode: PublishToAllMode,
  options?: PublishToAllOptions,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    const answered = (outcome: Outcome): void => {
      if (++answers > 1) reject(new Error('a second answer'));
      resolve(outcome);
    };
    const record = recordOf({ key: 'k', value: 'to all' });
    const listener = {
      published: (_: undefined, refusals: readonly { topic: Topic; error: { code: string } }[]) =>
        answered({
          kind: 'published',
          refusals: refusals.map(({ topic, error }) => [topic.name, error.code] as const),
        }),
      refused: (_: undefined, error: Error) =>
        answered({ kind: 'refused', code: (error as Error & { code: string }).code }),
    };
    kit.broker.publishToAll(topics, record, options, mode, listener, undefined);
  });
}

async function withTopics(...configs: readonly Partial<TopicOptions>[]) {
  const kit = await TestBroker.open();
  const topics: Topic[] = [];
  for (const [index, config] of configs.entries())
    topics.push(await kit.broker.createTopic({ name: `t${index}`, ...config }));
  for (const topic of topics)
    if (topic.config.messagesMax === 1) await topic.send({ value: 'the one that fits' });
  const counts = (): number[] => topics.map(({ count }) => count);
  return { kit, topics, counts };
}

/** One message fits, and {@link withTopics} publishes it. */
const full: Partial<TopicOptions> = { messagesMax: 1, overflow: 'reject' };

const published = { kind: 'published', refusals: [] };

test('a publish to several topics is in all of them, each once, also after a restart', async () => {
  const { kit, topics, counts } = await withTopics({}, { messagesMax: 5 }, { partitions: 3 });
  await using _ = kit;
  assert.deepEqual(await publish(kit, [...topics, topics[0]!], 'all-or-none'), published);
  assert.deepEqual(counts(), [1, 1, 1]);
  await kit.restart();
  for (const { count } of kit.broker.topics.values()) assert.equal(count, 1);
});

test('all topics have it in one commit', async () => {
  const { kit, topics } = await withTopics({}, {}, {});
  await using _ = kit;
  void publish(kit, topics, 'all-or-none');
  const files = await new Promise<TestBroker['files']>((resolve) =>
    kit.broker.afterCommit(() => resolve(kit.files.copy())),
  );
  await using after = new TestBroker(files, kit.clock);
  await after.start();
  assert.deepEqual(
    topics.map(({ name }) => after.broker.topic(name)!.count),
    [1, 1, 1],
  );
});

test('all or none: one topic that is full refuses the publish, and no topic has it', async () => {
  const { kit, topics, counts } = await withTopics({}, full, {});
  await using _ = kit;
  assert.deepEqual(await publish(kit, topics, 'all-or-none'), { kind: 'refused', code: 'topic-full' });
  assert.deepEqual(counts(), [0, 1, 0]);
});

test('each: topics that refuse are left out and told', async () => {
  const { kit, topics, counts } = await withTopics({ sealed: true }, {}, full);
  await using _ = kit;
  assert.deepEqual(await publish(kit, topics, 'each'), {
    kind: 'published',
    refusals: [
      ['t0', 'not-allowed'],
      ['t2', 'topic-full'],
    ],
  });
  assert.deepEqual(counts(), [0, 1, 1]);
});

test('each: where every topic refuses, so does the publish', async () => {
  const { kit, topics } = await withTopics({ sealed: true }, full);
  await using _ = kit;
  assert.deepEqual(await publish(kit, topics, 'each'), { kind: 'refused', code: 'not-allowed' });
});

test('a publish to no topic is done', async () => {
  const { kit } = await withTopics();
  await using _ = kit;
  assert.deepEqual(await publish(kit, [], 'all-or-none'), published);
});

test('a topic where the publish would wait refuses it', async () => {
  const { kit, topics, counts } = await withTopics({}, { ...full, overflow: 'wait' });
  await using _ = kit;
  assert.deepEqual(await publish(kit, topics, 'all-or-none'), { kind: 'refused', code: 'topic-full' });
  assert.deepEqual(counts(), [0, 1]);
});

test('a dedupe id counts in each topic by itself', async () => {
  const { kit, topics, counts } = await withTopics({ dedupeWindowMs: 1000 }, { dedupeWindowMs: 1000 }, {});
  await using _ = kit;
  await topics[0]!.send({ value: 'first' }, { dedupeId: 'id' });
  assert.deepEqual(await publish(kit, topics, 'all-or-none', { dedupeId: 'id' }), published);
  assert.deepEqual(counts(), [1, 1, 1]);
});

test('topics in memory among others: the answer waits for the disk', async () => {
  const { kit, topics, counts } = await withTopics({}, { durability: 'memory' });
  await using _ = kit;
  assert.deepEqual(await publish(kit, topics, 'all-or-none'), published);
  assert.deepEqual(counts(), [1, 1]);
  assert.equal(topics[0]!.partitions.at(0)!.log.durableEnd, 1);
  assert.deepEqual(await publish(kit, topics.slice(1), 'all-or-none'), published);
  assert.deepEqual(counts(), [1, 2]);
});

test('a delayed publish comes to all of them at its time', async () => {
  const { kit, topics, counts } = await withTopics({}, {});
  await using _ = kit;
  const deliverAtMs = kit.clock.now() + 1000;
  assert.deepEqual(await publish(kit, topics, 'all-or-none', { deliverAtMs }), published);
  assert.deepEqual(counts(), [0, 0]);
  await kit.advance(1000);
  assert.deepEqual(counts(), [1, 1]);
});

test('the options of a delayed publish are no headers of its messages', async () => {
  const { kit, topics } = await withTopics({}, {});
  await using _ = kit;
  const deliverAtMs = kit.clock.now() + 1000;
  assert.deepEqual(await publish(kit, topics, 'all-or-none', { deliverAtMs, ttlMs: 5000 }), published);
  await kit.advance(1000);
  for (const topic of topics)
    assert.deepEqual((await topic.partitions.at(0)!.get(0))!.headers, [], topic.name);
  await kit.advance(5000);
  assert.deepEqual(
    topics.map(({ count }) => count),
    [0, 0],
  );
});

test('a topic of append times does not give its time to the others', async () => {
  const { kit, topics } = await withTopics({ timestamps: 'append' }, {});
  await using _ = kit;
  const record = recordOf({ value: 'old', timestampMs: 1000 });
  await new Promise<void>((resolve, reject) =>
    kit.broker.publishToAll(
      topics,
      record,
      undefined,
      'each',
      { published: () => resolve(), refused: (_token, error) => reject(error) },
      undefined,
    ),
  );
  const messages = await Promise.all(topics.map((topic) => topic.partitions.at(0)!.get(0)));
  assert.deepEqual(
    messages.map((message) => message?.timestampMs === 1000),
    [false, true],
  );
});
