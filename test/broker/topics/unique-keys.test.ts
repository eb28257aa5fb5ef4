import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  Published,
  PublishOptions,
  Topic,
  TopicOptions,
  UniqueOptions,
} from '../../../src/broker/index.ts';
import { TestBroker, TestConsumer, text } from '../kit.ts';

type Mode = UniqueOptions['mode'];

/** A topic with one group, on a broker that can be restarted and crashed. */
class Kit implements AsyncDisposable {
  readonly test: TestBroker;

  private constructor(test: TestBroker) {
    this.test = test;
  }

  static async open(options: Partial<TopicOptions> = {}): Promise<Kit> {
    const kit = new Kit(await TestBroker.open());
    const topic = await kit.test.broker.createTopic({ name: 'jobs', ...options });
    await topic.createGroup({ name: 'g' });
    return kit;
  }

  get topic(): Topic {
    return this.test.broker.topic('jobs')!;
  }

  publish(
    value: string,
    mode: Mode,
    options: PublishOptions & { windowMs?: number; id?: string } = {},
  ): Promise<Published> {
    const { windowMs, id = 'k', ...others } = options;
    const unique = { key: id, mode, ...(windowMs === undefined ? {} : { windowMs }) };
    return this.topic.send({ value }, { ...others, unique });
  }

  in(ms: number): PublishOptions {
    return { deliverAtMs: this.test.clock.now() + ms };
  }

  async stored(): Promise<string[]> {
    const values: string[] = [];
    for (const partition of this.topic.partitions.opened)
      for await (const record of partition.scan(0)) values.push(text(record.value));
    return values;
  }

  async delayed(): Promise<[value: string, inMs: number][]> {
    const { messages } = await this.test.broker.delayed.list({ topic: this.topic, limit: 100 });
    return messages.map(({ value, dueMs }) => [text(value), dueMs - this.test.clock.now()]);
  }

  /** Lets a consumer have up to `credit` messages, and leaves; returns their values. */
  async take(credit: number, group: string = 'g'): Promise<string[]> {
    const consumer = new TestConsumer(credit);
    const owner = this.topic.groups.get(group)!;
    owner.attach(consumer);
    await this.test.settle();
    owner.detach(consumer);
    for (const { offset } of consumer.got) owner.ack(0, offset);
    return consumer.values;
  }

  async advance(ms: number): Promise<void> {
    this.test.clock.advance(ms);
    await this.test.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test.broker.close();
  }
}

const stored = (offset: number): Published => ({ partition: 0, offset, duplicate: false, outcome: 'stored' });
const ignored = (offset: number): Published => ({
  partition: 0,
  offset,
  duplicate: false,
  outcome: 'ignored',
});
const replaced = (offset: number): Published => ({
  partition: 0,
  offset,
  duplicate: false,
  outcome: 'replaced',
});

describe('ignore', () => {
  test('stores nothing while an earlier message of the key waits, and says where that is', async () => {
    await using kit = await Kit.open();
    assert.deepEqual(await kit.publish('a', 'ignore'), stored(0));
    assert.deepEqual(await kit.publish('b', 'ignore'), ignored(0));
    assert.deepEqual(await kit.publish('c', 'ignore', { id: 'other' }), stored(1));
    assert.deepEqual(await kit.stored(), ['a', 'c']);
  });

  test('a first delivery in any group frees the key', async () => {
    await using kit = await Kit.open();
    await kit.topic.createGroup({ name: 'slow' });
    await kit.publish('a', 'ignore');
    assert.deepEqual(await kit.take(1), ['a']);
    assert.deepEqual(await kit.publish('b', 'ignore'), stored(1));
    assert.deepEqual(await kit.publish('c', 'ignore'), ignored(1));
  });

  test('a removed message frees its key: purge, deletion, limits, age', async () => {
    await using kit = await Kit.open({ messagesMax: 2, ageMsMax: 60_000 });
    await kit.publish('a', 'ignore');
    await kit.topic.partitions.at(0)!.delete(0);
    assert.deepEqual(await kit.publish('b', 'ignore'), stored(1));
    await kit.topic.partitions.at(0)!.purge();
    assert.deepEqual(await kit.publish('c', 'ignore'), stored(2));
    await kit.topic.send({ value: 'x' });
    await kit.topic.send({ value: 'y' });
    assert.deepEqual(await kit.publish('d', 'ignore'), stored(5));
    await kit.advance(61_000);
    assert.deepEqual(await kit.publish('e', 'ignore'), stored(6));
  });

  test('a delayed message holds its key until it is due and delivered', async () => {
    await using kit = await Kit.open();
    const { delayedId } = await kit.publish('a', 'ignore', kit.in(1000));
    assert.deepEqual(await kit.publish('b', 'ignore'), { ...ignored(-1), delayedId });
    await kit.advance(1000);
    assert.deepEqual(await kit.publish('c', 'ignore'), ignored(0));
    assert.deepEqual(await kit.take(1), ['a']);
    assert.deepEqual(await kit.publish('d', 'ignore'), stored(1));
  });

  test('a delayed message that is cancelled or purged frees its key', async () => {
    await using kit = await Kit.open();
    const { delayedId } = await kit.publish('a', 'ignore', kit.in(1000));
    await kit.test.broker.delayed.cancel([delayedId!]);
    assert.deepEqual(await kit.publish('b', 'ignore', kit.in(1000)).then(({ outcome }) => outcome), 'stored');
    await kit.topic.partitions.at(0)!.purge();
    assert.deepEqual(await kit.publish('c', 'ignore'), stored(0));
  });

  test('a delayed message that is published now, or moved, keeps its key', async () => {
    await using kit = await Kit.open();
    const { delayedId } = await kit.publish('a', 'ignore', kit.in(60_000));
    await kit.test.broker.delayed.move([delayedId!], kit.test.clock.now() + 120_000);
    assert.equal((await kit.publish('b', 'ignore')).outcome, 'ignored');
    await kit.test.broker.delayed.publishNow([delayedId!]);
    assert.deepEqual(await kit.publish('c', 'ignore'), ignored(0));
    assert.deepEqual(await kit.take(2), ['a']);
  });

  test('a repeated publish with a dedupe id hears of the message that stood in its way', async () => {
    await using kit = await Kit.open();
    await kit.publish('a', 'ignore');
    assert.deepEqual(await kit.publish('b', 'ignore', { dedupeId: '1' }), ignored(0));
    await kit.take(1);
    assert.deepEqual(await kit.publish('b', 'ignore', { dedupeId: '1' }), {
      partition: 0,
      offset: 0,
      duplicate: true,
    });
  });

  test('a message that its group holds behind its key waits', async () => {
    await using kit = await Kit.open();
    await kit.topic.groups.get('g')!.delete();
    const group = await kit.topic.createGroup({ name: 'ordered', ordering: 'key' });
    const send = (value: string): Promise<Published> =>
      kit.topic.send({ key: 'same', value }, { unique: { key: 'k', mode: 'ignore' } });
    await send('a');
    const consumer = new TestConsumer();
    group.attach(consumer);
    await kit.test.settle();
    assert.deepEqual(await send('b'), stored(1));
    await kit.test.settle();
    assert.deepEqual(consumer.values, ['a']);
    assert.deepEqual(await send('c'), ignored(1));
    group.ack(0, 0);
    await kit.test.settle();
    assert.deepEqual(consumer.values, ['a', 'b']);
    assert.deepEqual(await send('d'), stored(2));
  });

  test('a position that is committed past the message frees its key', async () => {
    await using kit = await Kit.open();
    await kit.topic.groups.get('g')!.delete();
    const group = await kit.topic.createGroup({ name: 'kafka', positions: 'committed' });
    await kit.publish('a', 'ignore');
    group.commitOffset(0, 0);
    assert.deepEqual(await kit.publish('b', 'ignore'), ignored(0));
    group.commitOffset(0, 1);
    assert.deepEqual(await kit.publish('c', 'ignore'), stored(1));
  });
});

describe('replace', () => {
  test('the payload of a delayed message is swapped, and its due time stays', async () => {
    await using kit = await Kit.open();
    await kit.publish('a', 'replace', kit.in(1000));
    await kit.advance(400);
    const { outcome, delayedId } = await kit.publish('b', 'replace', kit.in(9000));
    assert.deepEqual([outcome, typeof delayedId], ['replaced', 'number']);
    assert.deepEqual(await kit.delayed(), [['b', 600]]);
    await kit.advance(600);
    assert.deepEqual(await kit.stored(), ['b']);
    assert.equal(kit.test.broker.stats().delayed, 0);
  });

  test('the earlier message of a stored one is never delivered', async () => {
    await using kit = await Kit.open();
    await kit.publish('a', 'replace');
    assert.deepEqual(await kit.publish('b', 'replace'), replaced(1));
    assert.deepEqual(await kit.publish('c', 'replace'), replaced(2));
    assert.deepEqual(await kit.take(3), ['c']);
    assert.deepEqual(await kit.publish('d', 'replace'), stored(3));
  });

  test('a full topic takes a message that replaces another', async () => {
    await using kit = await Kit.open({ messagesMax: 1, overflow: 'reject' });
    await kit.publish('a', 'replace');
    assert.deepEqual(await kit.publish('b', 'replace'), replaced(1));
    await assert.rejects(kit.publish('x', 'replace', { id: 'other' }), { code: 'topic-full' });
  });
});

describe('the place of a replaced message', () => {
  /** Four messages, of which the second is replaced twice. */
  async function replacedSecond(kit: Kit): Promise<void> {
    for (const value of ['a', 'b', 'c', 'd']) await kit.publish(value, 'replace', { id: value });
    await kit.publish('b2', 'replace', { id: 'b' });
    await kit.publish('e', 'replace', { id: 'e' });
    await kit.publish('b3', 'replace', { id: 'b' });
  }

  test('is kept in every group, whenever it reads', async () => {
    await using kit = await Kit.open();
    await kit.topic.createGroup({ name: 'later' });
    await replacedSecond(kit);
    assert.deepEqual(await kit.take(10), ['a', 'b3', 'c', 'd', 'e']);
    assert.deepEqual(await kit.take(1, 'later'), ['a']);
    assert.deepEqual(await kit.take(10, 'later'), ['b3', 'c', 'd', 'e']);
    assert.equal(kit.topic.groups.get('g')!.lag, 0);
    await kit.publish('b4', 'replace', { id: 'b' });
    assert.deepEqual(await kit.take(10), ['b4'], 'the key was free');
    assert.equal(kit.topic.groups.get('g')!.positionInfo(0)!.cursor, 8);
  });

  for (const how of ['restart', 'crash'] as const)
    test(`is kept across a ${how}, between any two deliveries`, async () => {
      await using kit = await Kit.open();
      await replacedSecond(kit);
      const values: string[] = [];
      for (let i = 0; i < 5; i++) {
        values.push(...(await kit.take(1)));
        await kit.test.settle();
        await kit.test[how]();
      }
      assert.deepEqual(values, ['a', 'b3', 'c', 'd', 'e']);
      assert.deepEqual(await kit.take(10), []);
      assert.equal(kit.topic.groups.get('g')!.lag, 0);
    });

  test('is kept in queues, where acks remove the messages around it', async () => {
    await using kit = await Kit.open({ retention: 'queue' });
    await replacedSecond(kit);
    const values: string[] = [];
    for (let i = 0; i < 6; i++) {
      values.push(...(await kit.take(1)));
      await kit.test.settle();
    }
    assert.deepEqual(values, ['a', 'b3', 'c', 'd', 'e']);
    assert.equal(kit.topic.count, 0);
  });

  test('is kept for a group that delivers at most once, and for one with a filter', async () => {
    await using kit = await Kit.open();
    await kit.topic.createGroup({ name: 'once', ack: 'none' });
    await kit.topic.createGroup({ name: 'some', filters: ['x'] });
    for (const [value, key] of [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'y'],
      ['d', 'x'],
    ] as const)
      await kit.topic.send({ value, key }, { unique: { key: value, mode: 'replace' } });
    await kit.topic.send({ value: 'b2', key: 'x' }, { unique: { key: 'b', mode: 'replace' } });
    assert.deepEqual(await kit.take(3, 'once'), ['a', 'b2', 'c']);
    await kit.test.settle();
    await kit.test.crash();
    assert.deepEqual(await kit.take(10, 'once'), ['d']);
    assert.deepEqual(await kit.take(10, 'some'), ['a', 'b2', 'd']);
    assert.equal(kit.topic.groups.get('some')!.lag, 0);
  });

  test('is kept for a group that begins with the last message of each key', async () => {
    await using kit = await Kit.open({ keyState: true });
    const send = (value: string, id: string): Promise<Published> =>
      kit.topic.send({ value, key: value }, { unique: { key: id, mode: 'replace' } });
    for (const value of ['a', 'b', 'c']) await send(value, value);
    await kit.topic.createGroup({ name: 'last', start: { kind: 'last-per-key' } });
    await send('b2', 'b');
    assert.deepEqual(await kit.take(1, 'last'), ['a']);
    assert.deepEqual(await kit.take(10, 'last'), ['b2', 'c']);
    assert.equal(kit.topic.groups.get('last')!.lag, 0);
  });

  test('is forgotten when all groups have passed it', async () => {
    await using kit = await Kit.open();
    await replacedSecond(kit);
    const { standIns } = kit.topic.partitions.at(0)!;
    assert.equal(standIns!.size, 1);
    await kit.take(10);
    kit.topic.forgetFreeKeys();
    assert.equal(standIns!.size, 0);
  });

  test('holds for the order of a key', async () => {
    await using kit = await Kit.open();
    await kit.topic.createGroup({ name: 'ordered', ordering: 'key' });
    const send = (value: string, id: string): Promise<Published> =>
      kit.topic.send({ value, key: 'same' }, { unique: { key: id, mode: 'replace' } });
    for (const value of ['a', 'b', 'c']) await send(value, value);
    await send('a2', 'a');
    const values: string[] = [];
    for (let i = 0; i < 4; i++) {
      values.push(...(await kit.take(1, 'ordered')));
      await kit.test.settle();
    }
    assert.deepEqual(values, ['a2', 'b', 'c']);
  });
});

describe('debounce', () => {
  test('the delay starts again with each publish', async () => {
    await using kit = await Kit.open();
    await kit.publish('a', 'debounce', { windowMs: 1000 });
    await kit.advance(900);
    assert.equal((await kit.publish('b', 'debounce', { windowMs: 1000 })).outcome, 'replaced');
    await kit.advance(900);
    assert.deepEqual(await kit.delayed(), [['b', 100]]);
    await kit.publish('c', 'debounce', kit.in(50));
    await kit.advance(50);
    assert.deepEqual(await kit.stored(), ['c']);
  });

  test('a message that is due and waits is delayed again', async () => {
    await using kit = await Kit.open();
    await kit.publish('a', 'debounce', { windowMs: 100 });
    await kit.advance(100);
    assert.deepEqual(await kit.stored(), ['a']);
    assert.equal((await kit.publish('b', 'debounce', { windowMs: 100 })).outcome, 'replaced');
    assert.deepEqual([await kit.stored(), await kit.delayed()], [[], [['b', 100]]]);
  });
});

describe('throttle', () => {
  test('one message in a window, also after it was delivered', async () => {
    await using kit = await Kit.open();
    const publish = (value: string): Promise<Published> => kit.publish(value, 'throttle', { windowMs: 1000 });
    assert.deepEqual(await publish('a'), stored(0));
    assert.deepEqual(await kit.take(1), ['a']);
    await kit.advance(999);
    assert.deepEqual(await publish('b'), ignored(0));
    await kit.advance(1);
    assert.deepEqual(await publish('c'), stored(1));
    await kit.advance(5000);
    assert.deepEqual(await publish('d'), ignored(1), 'it waits still');
  });

  test('a jump of the clock does not end the window', async () => {
    await using kit = await Kit.open();
    await kit.publish('a', 'throttle', { windowMs: 1000 });
    await kit.take(1);
    kit.test.clock.jump(3_600_000);
    assert.equal((await kit.publish('b', 'throttle', { windowMs: 1000 })).outcome, 'ignored');
  });
});

describe('a restart', () => {
  for (const how of ['restart', 'crash', 'checkpoint and crash'] as const)
    test(`keys survive a ${how}`, async () => {
      await using kit = await Kit.open();
      await kit.publish('stored', 'ignore', { id: 'stored' });
      await kit.publish('delayed', 'ignore', { id: 'delayed', ...kit.in(1000) });
      await kit.publish('due', 'ignore', { id: 'due', ...kit.in(10) });
      await kit.advance(10);
      await kit.publish('window', 'throttle', { id: 'window', windowMs: 1000 });
      await kit.publish('taken', 'ignore', { id: 'taken' });
      assert.equal((await kit.take(10)).length, 4);
      await kit.publish('again', 'ignore', { id: 'stored' });
      await kit.publish('swapped', 'replace', { id: 'delayed' });
      if (how === 'restart') await kit.test.restart();
      else {
        if (how !== 'crash') await kit.test.broker.checkpoint();
        await kit.test.crash();
      }
      const outcomes: (string | undefined)[] = [];
      for (const id of ['stored', 'delayed', 'due', 'window', 'taken'])
        outcomes.push((await kit.publish('new', 'throttle', { id, windowMs: 1000 })).outcome);
      assert.deepEqual(outcomes, ['ignored', 'ignored', 'stored', 'ignored', 'stored']);
      assert.deepEqual(await kit.delayed(), [['swapped', 990]]);
      await kit.advance(1000);
      assert.deepEqual(await kit.take(10), ['again', 'new', 'new', 'swapped']);
    });

  test('a topic in memory forgets the keys of its stored messages, not those of its delayed ones', async () => {
    await using kit = await Kit.open({ durability: 'memory' });
    await kit.publish('a', 'ignore', { id: 'stored' });
    await kit.publish('b', 'ignore', { id: 'delayed', ...kit.in(1000) });
    await kit.test.restart();
    assert.equal((await kit.publish('c', 'ignore', { id: 'stored' })).outcome, 'stored');
    assert.equal((await kit.publish('d', 'ignore', { id: 'delayed' })).outcome, 'ignored');
  });
});

describe('partitions', () => {
  test('a key is unique over all partitions, and decides the one of a message without a key', async () => {
    await using kit = await Kit.open({ partitions: 4 });
    const first = await kit.publish('a', 'replace', { partition: 3 });
    const moved = await kit.publish('b', 'replace', { partition: 1 });
    assert.deepEqual([first.partition, moved.partition, moved.outcome], [3, 1, 'replaced']);
    assert.deepEqual(await kit.stored(), ['b']);
    const places = new Set<number>();
    for (let i = 0; i < 4; i++) places.add((await kit.publish(`${i}`, 'replace', { id: 'same' })).partition);
    assert.equal(places.size, 1);
  });
});

describe('limits', () => {
  test('keys are a budget; those whose messages are gone make room', async () => {
    const test = await TestBroker.open({ budgets: { uniqueKeys: 2 } });
    const topic = await test.broker.createTopic({ name: 'jobs' });
    const publish = (id: string): Promise<Published> =>
      topic.send({ value: id }, { unique: { key: id, mode: 'ignore' } });
    await publish('a');
    await publish('b');
    await assert.rejects(publish('c'), { code: 'limit-reached', message: /at most 2 unique keys/ });
    assert.equal((await publish('a')).outcome, 'ignored');
    await topic.partitions.at(0)!.delete(0);
    test.clock.advance(1000);
    assert.equal((await publish('c')).outcome, 'stored');
    assert.equal(test.broker.budgets.used('uniqueKeys'), 2);
    await topic.delete();
    assert.equal(test.broker.budgets.used('uniqueKeys'), 0);
    await test.broker.close();
  });

  test('keys of messages that are gone are forgotten when there are many', async () => {
    await using kit = await Kit.open({ messagesMax: 10 });
    for (let i = 0; i < 5000; i++) void kit.publish('x', 'ignore', { id: `${i}` });
    await kit.test.settle();
    assert.ok(kit.topic.uniqueKeys.size <= 1024, `${kit.topic.uniqueKeys.size}`);
  });

  test('a key that cannot be used so is refused in words', async () => {
    await using kit = await Kit.open();
    for (const [unique, words] of [
      [{ key: '', mode: 'ignore' }, /unique keys of 1 to 256 characters/],
      [{ key: 'x'.repeat(257), mode: 'ignore' }, /unique keys of 1 to 256 characters/],
      [{ key: 'k', mode: 'first' }, /unique modes ignore, replace, debounce, throttle/],
      [{ key: 'k', mode: 'throttle' }, /throttle with a window only/],
      [{ key: 'k', mode: 'debounce' }, /debounce with a delay or a window only/],
      [{ key: 'k', mode: 'throttle', windowMs: 0 }, /a window of more than 0 milliseconds/],
    ] as const)
      await assert.rejects(kit.topic.send({ value: 'x' }, { unique: unique as UniqueOptions }), {
        code: 'message-invalid',
        message: words,
      });
  });

  test('publishes that are ignored or replace others are counted', async () => {
    await using kit = await Kit.open();
    for (const mode of ['ignore', 'ignore', 'replace'] as const) await kit.publish('x', mode);
    assert.deepEqual(kit.topic.stats().unique, { keys: 1, ignored: 1, replaced: 1 });
  });
});
