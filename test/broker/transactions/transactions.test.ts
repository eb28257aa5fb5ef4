import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeEndTransactionMarker } from '../../../src/wire/kafka/index.ts';
import { transactionMarker } from '../../../src/log/index.ts';
import { TestConsumer } from '../kit.ts';
import { TransactionKit, batchOf, publish, type TestProducer } from '../transactions-kit.ts';

async function open(limits = {}): Promise<TransactionKit> {
  const kit = await TransactionKit.open(limits);
  await kit.createTopic('orders', { partitions: 2 });
  await kit.createTopic('bills');
  return kit;
}

describe('the messages of a transaction', () => {
  test('is seen in all partitions when it commits, and not before', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    await producer.send('orders', ['a', 'b']);
    await producer.send('orders', ['c'], { partition: 1 });
    await producer.send('bills', ['d']);
    assert.deepEqual(await kit.visible('orders'), []);
    assert.equal(kit.partition('orders').stableEnd, 0);
    assert.equal(kit.partition('orders').durableEnd, 2);
    await producer.end('commit');
    assert.deepEqual(await kit.visible('orders'), ['a', 'b']);
    assert.deepEqual(await kit.visible('orders', 1), ['c']);
    assert.deepEqual(await kit.visible('bills'), ['d']);
    assert.equal(kit.partition('orders').stableEnd, 3, 'two messages and the marker');
    assert.equal(kit.partition('orders').count, 2, 'a marker is no message');
  });

  test('is gone when it aborts, and messages of others in between stay', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    await producer.send('bills', ['no 1', 'no 2']);
    await kit.topic('bills').send({ value: 'yes 1' });
    await producer.send('bills', ['no 3']);
    await kit.topic('bills').send({ value: 'yes 2' });
    assert.deepEqual(await kit.visible('bills'), [], 'what comes after an undecided message waits for it');
    await producer.end('abort');
    assert.deepEqual(await kit.visible('bills'), ['yes 1', 'yes 2']);
    assert.equal(kit.partition('bills').count, 2);
    assert.equal(kit.partition('bills').liveFrom(0), 2);
  });

  test('reaches the consumers of a group in order, committed messages only', async () => {
    await using kit = await open();
    const group = await kit.topic('bills').createGroup({ name: 'all', start: { kind: 'all' } });
    const consumer = new TestConsumer();
    group.attach(consumer);
    const one = await kit.producer('one');
    const two = await kit.producer('two');
    await one.send('bills', ['one a']);
    await two.send('bills', ['two a']);
    await one.send('bills', ['one b']);
    await kit.topic('bills').send({ value: 'plain' });
    await two.end('abort');
    await kit.settle();
    assert.deepEqual(consumer.values, []);
    await one.end('commit');
    await kit.settle();
    assert.deepEqual(consumer.values, ['one a', 'one b', 'plain']);
    assert.equal(group.lag, 0);
    for (const { offset } of consumer.got) group.ack(0, offset);
    assert.equal(group.info().ackFloor ?? group.positions.at(0)!.ackFloor, group.positions.at(0)!.cursor);
  });

  test('is not there for readers by offset, by key and by count until it is decided', async () => {
    await using kit = await open();
    await kit.createTopic('values', { subjects: ['values.>'], keyState: true, messagesPerKeyMax: 1 });
    const partition = kit.partition('values');
    await kit.topic('values').send({ key: 'values.a', value: 'old' });
    const producer = await kit.producer();
    await producer.send('values', ['new'], { keys: ['values.a'] });
    assert.equal(await partition.get(1), undefined);
    assert.equal(String((await partition.last('values.a'))?.value), 'old');
    await producer.end('abort');
    await kit.settle();
    assert.equal(String((await partition.last('values.a'))?.value), 'old', 'what aborts pushes nothing out');
    assert.equal(partition.keyIndex!.get('values.a')!.count, 1);
    await producer.send('values', ['newer'], { keys: ['values.a'] });
    await producer.end('commit');
    await kit.settle();
    assert.equal(String((await partition.last('values.a'))?.value), 'newer');
    assert.deepEqual(await kit.visible('values'), ['newer'], 'what commits keeps the limit of its keys');
  });

  test('is counted by its keys when these are counted anew while it is open', async () => {
    await using kit = await open();
    const topic = await kit.createTopic('values', { keyState: true });
    const producer = await kit.producer();
    await topic.send({ key: 'a', value: '0' });
    await producer.send('values', ['1', '2'], { keys: ['a', 'b'] });
    await topic.update({ ...topic.config, messagesPerKeyMax: 9 });
    await producer.end('commit');
    const keys = [...kit.partition('values').keys('>')].map(([key, { count }]) => [key, count]);
    assert.deepEqual(keys, [
      ['a', 2],
      ['b', 1],
    ]);
  });

  test('counts in the lag of groups with filters, and not any more when it aborts', async () => {
    await using kit = await open();
    await kit.createTopic('values', { subjects: ['values.>'], keyState: true });
    const group = await kit
      .topic('values')
      .createGroup({ name: 'a', filters: ['values.a'], start: { kind: 'all' } });
    const producer = await kit.producer();
    await producer.send('values', ['x', 'y'], { keys: ['values.a', 'values.b'] });
    assert.equal(group.lag, 1);
    const late = await kit
      .topic('values')
      .createGroup({ name: 'late', filters: ['values.a'], start: { kind: 'new' } });
    assert.equal(late.lag, 1, 'undecided is new');
    await producer.end('abort');
    await kit.settle();
    assert.equal(group.lag, 0);
    assert.equal(late.lag, 0);
  });

  test('leaves a queue when it commits and every group has passed it before', async () => {
    await using kit = await open();
    const topic = await kit.createTopic('work', { retention: 'queue' });
    await topic.createGroup({ name: 'picky', filters: ['k.*'] });
    const readers = await topic.createGroup({ name: 'readers', ack: 'all', positions: 'committed' });
    const producer = await kit.producer();
    await producer.send('work', ['x'], { keys: ['j.1'] });
    readers.commitOffset(0, 1);
    await kit.settle();
    await producer.end('commit');
    await kit.settle();
    assert.equal(kit.partition('work').count, 0);
  });

  test('stays in a queue that has been restarted, when it commits and no group was ever at it', async () => {
    await using kit = await open();
    const topic = await kit.createTopic('work', { retention: 'queue' });
    const producer = await kit.producer();
    await producer.send('work', ['x']);
    await topic.createGroup({ name: 'later', start: { kind: 'offset', offset: 5 } });
    await kit.crash();
    await producer.end('commit');
    await kit.settle();
    assert.equal(kit.partition('work').count, 1);
  });

  test('starts of groups are before undecided messages', async () => {
    await using kit = await open();
    await kit.topic('bills').send({ value: 'before' });
    const producer = await kit.producer();
    await producer.send('bills', ['in']);
    await kit.topic('bills').send({ value: 'behind' });
    const consumers = new Map<string, TestConsumer>();
    for (const kind of ['new', 'last', 'all'] as const) {
      const group = await kit.topic('bills').createGroup({ name: kind, start: { kind } });
      const consumer = new TestConsumer();
      group.attach(consumer);
      consumers.set(kind, consumer);
    }
    await producer.end('commit');
    await kit.settle();
    assert.deepEqual(consumers.get('new')!.values, ['in', 'behind']);
    assert.deepEqual(consumers.get('last')!.values, ['before', 'in', 'behind']);
    assert.deepEqual(consumers.get('all')!.values, ['before', 'in', 'behind']);
  });

  test('that was trimmed away while open holds nothing up', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    await producer.send('bills', ['in']);
    await kit.topic('bills').send({ value: 'behind' });
    kit.partition('bills').trim(1);
    await kit.settle();
    assert.deepEqual(await kit.visible('bills'), ['behind']);
    await producer.end('abort');
    assert.deepEqual(await kit.visible('bills'), ['behind']);
  });

  test('leaves readers at their place when it aborts before the first message', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    await producer.send('bills', ['no']);
    await producer.end('abort');
    const places = (): number[] => {
      const { startOffset, firstOffset } = kit.partition('bills');
      return [startOffset, firstOffset];
    };
    assert.deepEqual(places(), [0, 2]);
    await kit.crash();
    assert.deepEqual(places(), [0, 2]);
    await kit.broker.checkpoint();
    await kit.restart();
    assert.deepEqual(places(), [0, 2]);
    await producer.send('bills', ['yes', 'no 2']);
    await producer.end('commit');
    await kit.partition('bills').purge({ before: 4 });
    assert.deepEqual(places(), [4, 5], 'the marker at 4 is no message');
    await kit.crash();
    assert.deepEqual(places(), [4, 5]);
  });

  test('in a topic in memory follows the disk', async () => {
    await using kit = await open();
    await kit.createTopic('scratch', { durability: 'memory' });
    const producer = await kit.producer();
    await producer.send('scratch', ['x']);
    await producer.send('bills', ['y']);
    const ended = kit.broker.transactions.end(producer.caller, 'commit', true);
    assert.equal(kit.partition('scratch').nextOffset, 1, 'no marker before the commit');
    await ended;
    await kit.settle();
    assert.deepEqual(await kit.visible('scratch'), ['x']);
    assert.deepEqual(await kit.visible('bills'), ['y']);
  });

  test('is marked as Kafka marks it', () => {
    const producer = { producerId: 7, producerEpoch: 3 };
    for (const kind of ['commit', 'abort'] as const) {
      const theirs = Buffer.from(encodeEndTransactionMarker({ kind, coordinatorEpoch: 0 }, producer, 1234));
      const ours = Buffer.from(transactionMarker(kind, 7, 3, 1234));
      // The leader epoch before it is set when it is appended.
      assert.deepEqual(ours.subarray(16), theirs.subarray(16));
    }
  });
});

describe('after a crash', () => {
  const steps: readonly (readonly [name: string, run: (producer: TestProducer) => Promise<unknown>])[] = [
    ['before anything', () => Promise.resolve()],
    ['after the first batch', (producer) => producer.send('orders', ['a'])],
    [
      'after all batches',
      async (producer) => {
        await producer.send('orders', ['a']);
        await producer.send('bills', ['b']);
      },
    ],
  ];
  for (const [name, run] of steps) {
    test(`${name} nothing is seen, the transaction goes on and commits as a whole`, async () => {
      await using kit = await open();
      const producer = await kit.producer();
      await run(producer);
      await kit.crash();
      assert.deepEqual(await kit.visible('orders'), []);
      assert.deepEqual(await kit.visible('bills'), []);
      await producer.send('bills', ['c']);
      await producer.end('commit');
      const orders = name === 'before anything' ? [] : ['a'];
      assert.deepEqual(await kit.visible('orders'), orders);
      assert.deepEqual(await kit.visible('bills'), name === 'after all batches' ? ['b', 'c'] : ['c']);
      await kit.crash();
      assert.deepEqual(await kit.visible('orders'), orders);
    });
  }

  test('the end that was asked for happened in all partitions or in none', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      await using kit = await open();
      const producer = await kit.producer();
      await producer.send('orders', ['a']);
      await producer.send('orders', ['b'], { partition: 1 });
      await producer.send('bills', ['c']);
      void kit.broker.transactions.end(producer.caller, 'commit', true).catch(() => undefined);
      for (let turn = 0; turn < seed % 4; turn++) await Promise.resolve();
      await kit.crash(seed);
      const seen = [
        ...(await kit.visible('orders')),
        ...(await kit.visible('orders', 1)),
        ...(await kit.visible('bills')),
      ];
      assert.ok(seen.length === 0 || seen.length === 3, seen.join());
      // Asked again, it says the same, or does it.
      await producer.end('commit');
      assert.deepEqual(await kit.visible('bills'), ['c']);
      assert.deepEqual(await kit.visible('orders', 1), ['b']);
    }
  });

  test('a checkpoint knows open and aborted transactions', async () => {
    await using kit = await open();
    const [one, two] = [await kit.producer('one'), await kit.producer('two')];
    await one.send('bills', ['1']);
    await two.send('bills', ['2']);
    await two.end('abort');
    await kit.broker.checkpoint();
    await kit.restart();
    assert.equal(kit.broker.transactions.openCount, 1);
    assert.equal(kit.partition('bills').stableEnd, 0);
    await one.send('bills', ['3']);
    await one.end('commit');
    await kit.broker.checkpoint();
    await kit.restart();
    assert.deepEqual(await kit.visible('bills'), ['1', '3']);
    assert.equal(kit.partition('bills').count, 2);
  });

  test('an open transaction times out, counted from its start', async () => {
    await using kit = await open();
    const producer = await kit.producer('mover', 60_000);
    await producer.send('bills', ['x']);
    await kit.topic('bills').send({ value: 'behind' });
    await kit.advance(50_000);
    await kit.crash();
    await kit.advance(9_000);
    assert.deepEqual(await kit.visible('bills'), []);
    await kit.advance(1_001);
    assert.deepEqual(await kit.visible('bills'), ['behind']);
    await assert.rejects(producer.send('bills', ['late']), { code: 'producer-fenced' });
  });

  test('a transaction in a deleted topic ends without it', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    await producer.send('bills', ['x']);
    await producer.send('orders', ['y']);
    await kit.topic('bills').delete();
    await kit.crash();
    await producer.end('commit');
    assert.deepEqual(await kit.visible('orders'), ['y']);
  });
});

describe('producers of a transactional id', () => {
  test('a new one fences the one before, and aborts its open transaction', async () => {
    await using kit = await open();
    const first = await kit.producer();
    await first.send('bills', ['x']);
    const second = await kit.producer();
    assert.equal(second.identity.producerId, first.identity.producerId);
    assert.ok(second.identity.epoch > first.identity.epoch);
    assert.equal(kit.partition('bills').count, 0);
    await assert.rejects(first.send('bills', ['y']), { code: 'producer-fenced' });
    await assert.rejects(first.end('commit'), { code: 'producer-fenced' });
    await second.send('bills', ['z']);
    await second.end('commit');
    assert.deepEqual(await kit.visible('bills'), ['z']);
  });

  test('a request sent before the end that comes late is refused', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    await producer.send('bills', ['x']);
    const late = batchOf(['late'], [], { ...producer.identity, baseSequence: 1 });
    const before = producer.caller;
    await producer.end('commit');
    const said = { transactionalId: 'mover', addsPartition: true };
    await assert.rejects(publish(kit.topic('bills'), 0, late, said), { code: 'producer-fenced' });
    await producer.send('bills', ['next']);
    await assert.rejects(kit.broker.transactions.end(before, 'abort', true), { code: 'producer-fenced' });
    await producer.end('commit');
    assert.deepEqual(await kit.visible('bills'), ['x', 'next']);
  });

  test('an end that is asked for once more is answered as before', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    await producer.send('bills', ['x']);
    const { caller } = producer;
    const first = await kit.broker.transactions.end(caller, 'commit', true);
    assert.deepEqual(await kit.broker.transactions.end(caller, 'commit', true), first);
    await kit.crash();
    assert.deepEqual(await kit.broker.transactions.end(caller, 'commit', true), first);
    await assert.rejects(kit.broker.transactions.end(caller, 'abort', true), { code: 'transaction-state' });
  });

  test('older clients keep their epoch, and need not have anything twice', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    const { transactions } = kit.broker;
    await assert.rejects(producer.send('bills', ['x'], { joins: false }), { code: 'not-in-transaction' });
    await transactions.addPartitions(producer.caller, [kit.partition('bills')]);
    await kit.crash();
    await producer.send('bills', ['x'], { joins: false });
    await producer.end('commit', false);
    await producer.end('commit', false);
    await assert.rejects(producer.send('bills', ['y'], { joins: false }), { code: 'not-in-transaction' });
    await kit.broker.transactions.addPartitions(producer.caller, [kit.partition('bills')]);
    await producer.send('bills', ['y'], { joins: false });
    await producer.end('abort', false);
    assert.deepEqual(await kit.visible('bills'), ['x']);
  });

  test('present their id and epoch when they ask for another epoch', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    const { transactions } = kit.broker;
    const next = await transactions.init('mover', 1000, producer.identity);
    assert.equal(next.epoch, producer.identity.epoch + 1);
    assert.deepEqual(await transactions.init('mover', 1000, producer.identity), next, 'the answer was lost');
    await assert.rejects(transactions.init('mover', 1000, { ...next, epoch: next.epoch + 5 }), {
      code: 'producer-fenced',
    });
    await assert.rejects(transactions.init('mover', 1000, { ...next, producerId: 999 }), {
      code: 'producer-fenced',
    });
  });

  test('get another id when the epochs are used up', async () => {
    await using kit = await open();
    let identity = (await kit.producer()).identity;
    const { transactions } = kit.broker;
    const before = identity.producerId;
    const many: Promise<unknown>[] = [];
    for (let i = 0; i < 32_766; i++)
      many.push(transactions.end({ ...identity, transactionalId: 'mover', epoch: i }, 'abort', true));
    await Promise.all(many);
    identity = { producerId: before, epoch: 32_766 };
    const caller = { ...identity, transactionalId: 'mover' };
    const next = await transactions.end(caller, 'abort', true);
    assert.notEqual(next.producerId, before);
    assert.equal(next.epoch, 0);
    assert.deepEqual(await transactions.end(caller, 'abort', true), next, 'the answer was lost');
    await kit.restart();
    assert.deepEqual(await kit.broker.transactions.end(caller, 'abort', true), next);
  });

  test('write in transactions only, and no other producer writes under their ids', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    const plain = batchOf(['x'], [], { ...producer.identity, baseSequence: 0 });
    await assert.rejects(publish(kit.topic('bills'), 0, plain), { code: 'transaction-unknown' });
    await assert.rejects(
      publish(kit.topic('bills'), 0, plain, { transactionalId: 'other', addsPartition: true }),
      { code: 'transaction-unknown' },
    );
    const marker = Buffer.from(
      encodeEndTransactionMarker(
        { kind: 'commit', coordinatorEpoch: 0 },
        { producerId: 0, producerEpoch: 0 },
        1,
      ),
    );
    await assert.rejects(
      publish(kit.topic('bills'), 0, marker, { transactionalId: 'mover', addsPartition: true }),
      {
        code: 'message-invalid',
      },
    );
  });

  test('are forgotten when they were not heard of for long', async () => {
    await using kit = await open();
    const producer = await kit.producer();
    await kit.advance(8 * 24 * 60 * 60_000);
    assert.equal(kit.broker.transactions.size, 0);
    await assert.rejects(producer.send('bills', ['x']), { code: 'transaction-unknown' });
    await kit.restart();
    assert.equal(kit.broker.transactions.size, 0);
  });

  test('are limited, and so are their open transactions', async () => {
    await using kit = await open({
      producersMax: 2,
      openMax: 1,
      partitionsPerTransactionMax: 1,
      timeoutMsMax: 5000,
    });
    await assert.rejects(kit.producer('mover', 5001), { code: 'transaction-timeout-invalid' });
    const one = await kit.producer('one', 5000);
    const two = await kit.producer('two', 5000);
    await assert.rejects(kit.producer('three', 5000), { code: 'transactions-full' });
    await one.send('bills', ['x']);
    await assert.rejects(one.send('orders', ['y']), { code: 'transaction-too-large' });
    await assert.rejects(two.send('bills', ['y']), { code: 'transactions-full' });
    await one.end('commit');
    await two.send('bills', ['y']);
    await two.end('commit');
    assert.deepEqual(await kit.visible('bills'), ['x', 'y']);
  });
});

describe('positions in a transaction', () => {
  async function withGroup(): Promise<{ kit: TransactionKit; producer: TestProducer }> {
    const kit = await open();
    for (const value of ['1', '2', '3']) await kit.topic('bills').send({ value });
    await kit
      .topic('bills')
      .createGroup({ name: 'readers', start: { kind: 'all' }, ack: 'all', positions: 'committed' });
    return { kit, producer: await kit.producer() };
  }
  const group = (kit: TransactionKit) => kit.topic('bills').groups.get('readers')!;
  const add = (kit: TransactionKit, { caller }: TestProducer, offset: number): Promise<void> =>
    kit.broker.transactions.addPositions(caller, 'readers', [
      { group: group(kit), partition: 0, offset, metadata: 'm' },
    ]);

  test('are committed with its messages', async () => {
    const { kit, producer } = await withGroup();
    await using _ = kit;
    await producer.send('orders', ['one']);
    await add(kit, producer, 1);
    await add(kit, producer, 2);
    assert.equal(group(kit).committed(0), undefined);
    assert.ok(kit.broker.transactions.hasUndecidedPosition(group(kit), 0));
    await kit.crash();
    assert.ok(kit.broker.transactions.hasUndecidedPosition(group(kit), 0));
    await producer.end('commit');
    assert.deepEqual(group(kit).committed(0), { offset: 2, metadata: 'm' });
    assert.ok(!kit.broker.transactions.hasUndecidedPosition(group(kit), 0));
    await kit.crash();
    assert.deepEqual(group(kit).committed(0), { offset: 2, metadata: 'm' });
    assert.equal(group(kit).lag, 1);
  });

  test('come to nothing with it', async () => {
    const { kit, producer } = await withGroup();
    await using _ = kit;
    await add(kit, producer, 2);
    await producer.end('abort');
    assert.equal(group(kit).committed(0), undefined);
    assert.ok(!kit.broker.transactions.hasUndecidedPosition(group(kit), 0));
    assert.equal(group(kit).lag, 3);
  });

  test('need their group in the transaction', async () => {
    const { kit, producer } = await withGroup();
    await using _ = kit;
    const { transactions } = kit.broker;
    assert.throws(() => transactions.checkGroup(producer.caller, 'readers', false), {
      code: 'not-in-transaction',
    });
    transactions.checkGroup(producer.caller, 'readers', true);
    await transactions.addGroup(producer.caller, 'readers');
    await kit.crash();
    kit.broker.transactions.checkGroup(producer.caller, 'readers', false);
  });

  test('of a group that was deleted meanwhile are passed over', async () => {
    const { kit, producer } = await withGroup();
    await using _ = kit;
    await add(kit, producer, 2);
    await producer.send('orders', ['one']);
    await group(kit).delete();
    await producer.end('commit');
    assert.deepEqual(await kit.visible('orders'), ['one']);
  });
});
