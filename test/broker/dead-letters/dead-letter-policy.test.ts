import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  deadLetterName,
  deadLetterOrigin,
  type GroupOptions,
  type LeavingMessage,
  type Topic,
  type TopicOptions,
} from '../../../src/broker/index.ts';
import { TestBroker } from '../kit.ts';

describe('where the dead letters of a group go', () => {
  test('to the topic that the group names', async () => {
    await using kit = await TestBroker.open();
    await reject(kit, await kit.broker.createTopic({ name: 'orders' }), { deadLetter: 'letters' });
    const [letter] = await lettersOf(kit, 'letters');
    assert.deepEqual(letter!.origin, ['orders', 'g', 0, 'rejected: unwanted', 1]);
  });

  test('without a name, to that of topic and group', async () => {
    await using kit = await TestBroker.open();
    await reject(kit, await kit.broker.createTopic({ name: 'orders' }), { deadLetter: {} });
    assert.equal((await lettersOf(kit, 'orders-g-dlq')).length, 1);
  });

  test('to several topics, in one commit with the ack', async () => {
    await using kit = await TestBroker.open();
    const topic = await kit.broker.createTopic({ name: 'orders', retention: 'queue' });
    await reject(kit, topic, { deadLetter: { to: ['a', 'b', 'a'] } });
    for (const name of ['a', 'b'])
      assert.deepEqual(
        (await lettersOf(kit, name)).map(({ value }) => value),
        ['v'],
      );
    assert.equal(topic.count, 0);
  });

  test('to none of several topics while one of them is full, and to all once it has room', async () => {
    await using kit = await TestBroker.open();
    const full = await kit.broker.createTopic({ name: 'full', messagesMax: 1, overflow: 'reject' });
    await full.send({ value: 'first' });
    const topic = await kit.broker.createTopic({ name: 'orders', retention: 'queue' });
    await reject(kit, topic, { deadLetter: { to: ['open', 'full'] } });
    assert.deepEqual([kit.broker.topic('open')?.count, full.count, topic.count], [0, 1, 1]);
    await full.partitions.at(0)!.purge();
    await kit.advance(1000);
    await kit.settle();
    assert.deepEqual([kit.broker.topic('open')?.count, full.count, topic.count], [1, 1, 0]);
  });

  test('where a route of a protocol says', async () => {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders' });
    const chosen = await kit.broker.createTopic({ name: 'chosen' });
    const asked: LeavingMessage[] = [];
    const remove = kit.broker.addDeadLetterRoute('exchange', (message) => {
      asked.push(message);
      return [chosen];
    });
    await reject(kit, orders, { deadLetter: { to: { route: 'exchange' } } });
    assert.equal((await lettersOf(kit, 'chosen')).length, 1);
    assert.deepEqual(
      [asked.length, asked[0]?.cause, asked[0]?.topic.name, asked[0]?.group?.name],
      [1, 'rejected', 'orders', 'g'],
    );
    assert.throws(() => kit.broker.addDeadLetterRoute('exchange', () => []), /already/);
    remove();
  });

  test('a message without its route stays until a protocol brings the route', async () => {
    await using kit = await TestBroker.open();
    const orders = await kit.broker.createTopic({ name: 'orders', retention: 'queue' });
    await reject(kit, orders, { deadLetter: { to: { route: 'exchange' } } });
    assert.equal(orders.count, 1);
    kit.broker.addDeadLetterRoute('exchange', () => []);
    await kit.advance(1000);
    await kit.settle();
    assert.equal(orders.count, 0, 'the route wants it nowhere');
  });
});

describe('which policy covers a cause', () => {
  test('the group, for the causes that it names; else its topic', async () => {
    await using kit = await TestBroker.open();
    const topic = await kit.broker.createTopic({
      name: 'orders',
      deadLetter: { to: 'of-topic', causes: ['rejected', 'max-deliveries'] },
    });
    await reject(kit, topic, { deadLetter: { to: 'of-group', causes: ['max-deliveries'] } });
    assert.equal((await lettersOf(kit, 'of-topic')).length, 1);
    assert.equal(kit.broker.topic('of-group'), undefined);
  });

  test('no policy: a rejected message is done', async () => {
    await using kit = await TestBroker.open();
    const topic = await kit.broker.createTopic({
      name: 'orders',
      retention: 'queue',
      deadLetter: { causes: ['overflow'] },
    });
    await reject(kit, topic, {});
    assert.deepEqual([topic.count, kit.broker.topics.size], [0, 1]);
  });
});

describe('limits of a dead-letter topic', () => {
  const limitsOf = async (
    topicOptions: Partial<TopicOptions>,
    group: Partial<GroupOptions>,
  ): Promise<unknown> => {
    await using kit = await TestBroker.open();
    await reject(kit, await kit.broker.createTopic({ name: 'orders', ...topicOptions }), group);
    const { messagesMax, bytesMax, ageMsMax, overflow } = kit.broker.topic('letters')!.config;
    return { messagesMax, bytesMax, ageMsMax, overflow };
  };
  const none = { messagesMax: undefined, bytesMax: undefined, ageMsMax: undefined, overflow: 'drop-oldest' };

  test('1 GiB when nothing is said', async () => {
    assert.deepEqual(await limitsOf({}, { deadLetter: 'letters' }), { ...none, bytesMax: 1024 ** 3 });
  });

  test('as much room as the origin has, if that is more', async () => {
    const bytesMax = 2 * 1024 ** 3;
    assert.deepEqual(await limitsOf({ bytesMax }, { deadLetter: 'letters' }), { ...none, bytesMax });
    assert.deepEqual(await limitsOf({ bytesMax: 10 ** 6 }, { deadLetter: 'letters' }), {
      ...none,
      bytesMax: 1024 ** 3,
    });
  });

  test('what the policy says', async () => {
    const limits = { messagesMax: 10, ageMsMax: 86_400_000, overflow: 'reject' } as const;
    assert.deepEqual(await limitsOf({}, { deadLetter: { to: 'letters', limits } }), { ...none, ...limits });
  });
});

test('a default name fits every protocol, and still tells long names apart', () => {
  assert.equal(deadLetterName('orders'), 'orders-dlq');
  assert.equal(deadLetterName('orders', 'billing'), 'orders-billing-dlq');
  const long = [deadLetterName('t'.repeat(240), 'group-a'), deadLetterName('t'.repeat(240), 'group-b')];
  assert.notEqual(long[0], long[1]);
  for (const name of long) assert.ok(Buffer.byteLength(name) <= 249 && name.endsWith('-dlq'), name);
  assert.ok(Buffer.byteLength(deadLetterName('ü'.repeat(255), 'g')) <= 249);
});

test('policies that are none are refused', async () => {
  await using kit = await TestBroker.open();
  const topic = await kit.broker.createTopic({ name: 'orders' });
  const ofGroup = (deadLetter: unknown): Promise<unknown> =>
    topic.createGroup({ name: 'g', deadLetter } as GroupOptions);
  const ofTopic = (deadLetter: unknown): Promise<unknown> =>
    kit.broker.createTopic({ name: 'other', deadLetter } as TopicOptions);
  await assert.rejects(ofGroup(''), /must be the name of a topic, a policy/);
  await assert.rejects(ofGroup(['a']), /must be a policy/);
  await assert.rejects(ofGroup({ too: 'a' }), /has no "too"/);
  await assert.rejects(ofGroup({ to: [] }), /1 to 16 topics/);
  await assert.rejects(ofGroup({ to: { route: '' } }), /name of a route/);
  await assert.rejects(ofGroup({ causes: ['overflow'] }), /name it in the topic's deadLetter/);
  await assert.rejects(ofGroup({ causes: ['boredom'] }), /there are rejected, max-deliveries/);
  await assert.rejects(ofGroup({ limits: { messagesMax: 0 } }), /greater than 0/);
  await assert.rejects(ofGroup({ limits: { overflow: 'wait' } }), /one of drop-oldest, reject/);
  await assert.rejects(ofTopic({ to: 'x' }), /must name causes/);
  await assert.rejects(ofTopic({ to: ['x', 'other'], causes: ['overflow'] }), /its own dead-letter topic/);
});

test('a policy survives a restart', async () => {
  await using kit = await TestBroker.open();
  const deadLetter = { to: ['a'], causes: ['rejected'], limits: { messagesMax: 5 } } as const;
  const topic = await kit.broker.createTopic({ name: 'orders', deadLetter });
  await topic.createGroup({ name: 'g', deadLetter });
  await topic.createGroup({ name: 'short', deadLetter: 'letters' });
  await kit.restart();
  const { config, groups } = kit.broker.topic('orders')!;
  assert.deepEqual(
    [config.deadLetter, groups.get('g')?.config.deadLetter, groups.get('short')?.config.deadLetter],
    [deadLetter, deadLetter, 'letters'],
  );
});

/** A group of the topic rejects one message. */
async function reject(kit: TestBroker, topic: Topic, options: Partial<GroupOptions>): Promise<void> {
  const group = await topic.createGroup({ name: 'g', ...options });
  const consumer = kit.attach(group);
  consumer.answer = ({ offset }) => void group.reject(0, offset, 'unwanted');
  await topic.send({ key: 'k', value: 'v' });
  await kit.settle();
}

async function lettersOf(kit: TestBroker, name: string): Promise<{ value: string; origin: unknown }[]> {
  const letters = [];
  for await (const record of kit.broker.topic(name)!.partitions.at(0)!.scan(0)) {
    const { topic, group, offset, cause, deliveries } = deadLetterOrigin(record.headers)!;
    letters.push({ value: String(record.value), origin: [topic, group, offset, cause, deliveries] });
  }
  return letters;
}
