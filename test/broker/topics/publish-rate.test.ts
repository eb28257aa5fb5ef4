import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerError, recordOf, type Topic, type TopicOptions } from '../../../src/broker/index.ts';
import { encodeRecordBatch } from '../../../src/wire/kafka/index.ts';
import { TestBroker } from '../kit.ts';

async function withTopic(options: Partial<TopicOptions>): Promise<{ kit: TestBroker; topic: Topic }> {
  const kit = await TestBroker.open();
  return { kit, topic: await kit.broker.createTopic({ name: 'orders', ...options }) };
}

/** Publishes; lists values as they are stored, and codes of refusals as they come. */
class Log {
  readonly entries: string[] = [];

  publish(topic: Topic, value: string, partition?: number): void {
    const listener = {
      published: () => this.entries.push(value),
      refused: (_: undefined, error: Error) => this.entries.push((error as BrokerError).code),
    };
    topic.publish(
      recordOf({ value }),
      partition === undefined ? undefined : { partition },
      listener,
      undefined,
    );
  }
}

const slow: Partial<TopicOptions> = { publishRate: { perSecond: 10, burst: 2 } };

test('beyond the rate a publish is refused, with the time when it will be taken', async () => {
  const { kit, topic } = await withTopic(slow);
  await topic.send({ value: 'a' });
  await topic.send({ value: 'b' });
  const refused = await topic.send({ value: 'c' }).catch((error: unknown) => error);
  assert.ok(refused instanceof BrokerError);
  assert.equal(refused.code, 'rate-exceeded');
  assert.deepEqual(refused.details, { topic: 'orders', limit: 10, retryAfterMs: 100 });
  assert.match(refused.message, /takes 10 messages a second, and 2 at once: try again in 100 ms/);
  kit.clock.advance(99);
  await assert.rejects(topic.send({ value: 'd' }), { code: 'rate-exceeded' });
  kit.clock.advance(1);
  await topic.send({ value: 'e' });
  assert.deepEqual(topic.stats().overRate, { refused: 2, waited: 0 });
  await kit.broker.close();
});

test('a refused or repeated publish uses up nothing', async () => {
  const { kit, topic } = await withTopic({ ...slow, messageBytesMax: 10 });
  await topic.send({ value: 'a' }, { dedupeId: '1' });
  await topic.send({ value: 'a' }, { dedupeId: '1' });
  await assert.rejects(topic.send({ value: 'much too large' }), { code: 'message-too-large' });
  await topic.send({ value: 'b' });
  await assert.rejects(topic.send({ value: 'c' }), { code: 'rate-exceeded' });
  await kit.broker.close();
});

test('with wait, publishes beyond the rate are stored in order, each in its time', async () => {
  const { kit, topic } = await withTopic({ ...slow, overRate: 'wait' });
  const log = new Log();
  for (const value of ['a', 'b', 'c', 'd', 'e']) log.publish(topic, value);
  await kit.settle();
  assert.deepEqual(log.entries, ['a', 'b']);
  kit.clock.advance(100);
  await kit.settle();
  assert.deepEqual(log.entries, ['a', 'b', 'c']);
  kit.clock.advance(100);
  log.publish(topic, 'f'); // behind the others
  kit.clock.advance(200);
  await kit.settle();
  assert.deepEqual(log.entries, ['a', 'b', 'c', 'd', 'e', 'f']);
  assert.deepEqual(topic.stats().overRate, { refused: 0, waited: 4 });
  assert.equal(kit.broker.budgets.used('waitingPublishes'), 0);
  await kit.broker.close();
});

test('waiting publishes of several partitions take turns, and a later one does not overtake', async () => {
  const { kit, topic } = await withTopic({
    publishRate: { perSecond: 10, burst: 1 },
    overRate: 'wait',
    partitions: 2,
  });
  const log = new Log();
  for (const value of ['a0', 'b0', 'c0', 'd0']) log.publish(topic, value, 0);
  log.publish(topic, 'e1', 1);
  for (let i = 0; i < 4; i++) {
    kit.clock.advance(100);
    log.publish(topic, `late${i}`, 1);
    await kit.settle();
  }
  assert.deepEqual(log.entries, ['a0', 'b0', 'e1', 'c0', 'late0']);
  await kit.broker.close();
});

test('a changed rate counts at once, for waiting publishes, too; without one they all enter', async () => {
  const { kit, topic } = await withTopic({ publishRate: { perSecond: 0.001, burst: 1 }, overRate: 'wait' });
  const log = new Log();
  for (const value of ['a', 'b', 'c', 'd']) log.publish(topic, value);
  await topic.update({ ...topic.config, publishRate: { perSecond: 1, burst: 1 } });
  kit.clock.advance(1000);
  await kit.settle();
  assert.deepEqual(log.entries, ['a', 'b']);
  const { publishRate: _, ...unlimited } = topic.config;
  await topic.update(unlimited);
  await kit.settle();
  assert.deepEqual(log.entries, ['a', 'b', 'c', 'd']);
  await kit.broker.close();
});

test('a changed topic that refuses tells the publishes that waited', async () => {
  const { kit, topic } = await withTopic({ publishRate: { perSecond: 1, burst: 1 }, overRate: 'wait' });
  const log = new Log();
  for (const value of ['a', 'b', 'c']) log.publish(topic, value);
  await topic.update({ ...topic.config, overRate: 'reject' });
  await kit.settle();
  assert.deepEqual(log.entries.toSorted(), ['a', 'rate-exceeded', 'rate-exceeded']);
  await kit.broker.close();
});

test('a topic that is deleted refuses the publishes that wait for its rate', async () => {
  const { kit, topic } = await withTopic({ publishRate: { perSecond: 1, burst: 1 }, overRate: 'wait' });
  const log = new Log();
  for (const value of ['a', 'b']) log.publish(topic, value);
  await topic.delete();
  kit.clock.advance(5000);
  await kit.settle();
  assert.deepEqual(log.entries, ['topic-not-found', 'a']);
  await kit.broker.close();
});

test('a batch counts with all its messages, and is refused where others wait', async () => {
  const { kit, topic } = await withTopic({ publishRate: { perSecond: 10, burst: 4 }, overRate: 'wait' });
  const publish = (values: readonly string[]): Promise<number> =>
    new Promise((resolve, reject) => {
      topic.publishBatch(
        0,
        encodeRecordBatch(values.map((value) => ({ value: Buffer.from(value), timestampMs: 1000 }))),
        { published: (_, _partition, offset) => resolve(offset), refused: (_, error) => reject(error) },
        undefined,
      );
    });
  assert.equal(await publish(['a', 'b', 'c']), 0);
  await assert.rejects(publish(['d', 'e']), {
    code: 'rate-exceeded',
    details: { topic: 'orders', limit: 10, retryAfterMs: 100 },
  });
  // More than the burst: taken once the bucket is full, and paid for afterwards.
  kit.clock.advance(300);
  assert.equal(await publish(['d', 'e', 'f', 'g', 'h', 'i']), 3);
  await assert.rejects(publish(['j']), { details: { topic: 'orders', limit: 10, retryAfterMs: 300 } });
  await kit.broker.close();
});

test('a topic over its rate refuses its part of a publish to several topics', async () => {
  const { kit, topic } = await withTopic({ publishRate: { perSecond: 1, burst: 1 }, overRate: 'wait' });
  const other = await kit.broker.createTopic({ name: 'other' });
  const publish = (mode: 'each' | 'all-or-none'): Promise<string> =>
    new Promise((resolve) => {
      kit.broker.publishToAll(
        [topic, other],
        recordOf({ value: 'x' }),
        undefined,
        mode,
        {
          published: (_, refusals) => resolve(refusals.map(({ error }) => error.code).join()),
          refused: (_, error) => resolve(`refused: ${(error as BrokerError).code}`),
        },
        undefined,
      );
    });
  assert.equal(await publish('all-or-none'), '');
  assert.equal(await publish('all-or-none'), 'refused: rate-exceeded');
  assert.equal(await publish('each'), 'rate-exceeded');
  assert.deepEqual([topic.count, other.count], [1, 2]);
  await kit.broker.close();
});

test('dead letters and messages that become due are not limited', async () => {
  const { kit, topic } = await withTopic({ publishRate: { perSecond: 0.001, burst: 2 }, retention: 'queue' });
  const deliverAtMs = kit.clock.now() + 1000;
  await topic.send({ value: 'a' }, { deliverAtMs });
  await topic.send({ value: 'b' }, { deliverAtMs });
  await assert.rejects(topic.send({ value: 'c' }, { deliverAtMs }), { code: 'rate-exceeded' });
  kit.clock.advance(1000);
  await kit.settle();
  assert.equal(topic.count, 2);
  await kit.broker.close();
});

test('the rate is stored, and a wrong one is refused in words', async () => {
  const { kit } = await withTopic({ ...slow, overRate: 'wait' });
  await kit.restart();
  const { publishRate, overRate } = kit.broker.topic('orders')!.config;
  assert.deepEqual([publishRate, overRate], [{ perSecond: 10, burst: 2 }, 'wait']);
  for (const [wrong, words] of [
    [{ publishRate: { perSecond: 0, burst: 1 } }, /publishRate needs perSecond, a number greater than 0/],
    [{ publishRate: { perSecond: 1, burst: 0 } }, /publishRate needs burst, a number from 1/],
    [{ publishRate: null }, /publishRate needs perSecond/],
    [{ overRate: 'drop' }, /overRate must be one of reject, wait/],
  ] as const)
    await assert.rejects(kit.broker.createTopic({ name: 'x', ...(wrong as object) }), {
      code: 'topic-config-invalid',
      message: words,
    });
  await kit.broker.close();
});
