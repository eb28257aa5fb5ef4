import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Broker, MemoryFiles } from '../../src/broker/index.ts';
import { json, open, RetryError, text, VirtualClock, type OpenOptions } from '../../src/index.ts';
import { openTestBox } from './kit.ts';

/**
 * Calls that the compiler would refuse too, as a program in plain JavaScript or a configuration file may make
 * them.
 */
type Loose = any; // oxlint-disable-line typescript/no-explicit-any

const refused = { name: 'BoxError', code: 'option-invalid' };

describe('options that do not fit are refused in words', () => {
  const bad: readonly Loose[] = [
    { dirr: '/tmp' },
    { dir: '' },
    { unackedPublishesMax: 0 },
    { unackedPublishesMax: 1.5 },
    { watermarks: { diskFreeBytesMin: -1 } },
    { watermarks: { diskFree: 1 } },
    { clock: {} },
    { onFailed: 'tell me' },
    'data',
    [],
  ];
  for (const options of bad)
    test(`open(${JSON.stringify(options)})`, async () => {
      await assert.rejects(open(options as OpenOptions), refused);
    });

  test('options that belong to a running broker', async () => {
    const broker = await Broker.open({ dir: '/data', files: new MemoryFiles() });
    for (const options of [{ dir: '/tmp' }, { clock: new VirtualClock() }, { onFailed: () => {} }])
      await assert.rejects(open({ broker, ...options }), refused);
    await broker.close();
  });

  test('a misspelt name is answered with the right one', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    await assert.rejects(group.next({ waitMS: 5 } as Loose), {
      ...refused,
      message: 'next() has no option "waitMS"; did you mean "waitMs"?',
    });
    await assert.rejects(topic.publish(1, { delay: 5 } as Loose), /known ones are key, headers/);
    await assert.rejects(topic.group('h', { maxDelivery: 3 } as Loose), {
      code: 'group-config-invalid',
      message: /no setting "maxDelivery"; /,
    });
    await assert.rejects(t.box.topic('t', { messageMax: 3 } as Loose), {
      code: 'topic-config-invalid',
      message:
        'Topic "t" cannot be configured so: there is no setting "messageMax"; did you mean "messagesMax"?',
    });
    assert.deepEqual(t.box.topics, ['orders']);
  });

  test('of topics and groups, new and changed', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group = await topic.group('g');
    const topicSettings: readonly Loose[] = [
      { messagesMax: '10' },
      { ageMsMax: Number.NaN },
      { overflow: 'drop' },
      { retention: true },
      { keyState: 'yes' },
      { subjects: 'orders.>' },
      { dedupeEntriesMax: -1 },
      { nonsense: 1 },
    ];
    for (const settings of topicSettings) {
      await assert.rejects(
        t.box.topic('new', settings),
        { code: 'topic-config-invalid' },
        JSON.stringify(settings),
      );
      await assert.rejects(
        topic.update(settings),
        { code: 'topic-config-invalid' },
        JSON.stringify(settings),
      );
    }
    const groupSettings: readonly Loose[] = [
      { ackWaitMs: Infinity },
      { ackWaitMs: '30s' },
      { backoffMs: 100 },
      { backoffMs: ['1s'] },
      { maxDeliver: 'many' },
      { inactiveMs: -5 },
      { deadLetter: true },
      { nonsense: 1 },
    ];
    for (const settings of groupSettings) {
      await assert.rejects(
        topic.group('new', settings),
        { code: 'group-config-invalid' },
        JSON.stringify(settings),
      );
      await assert.rejects(
        group.update(settings),
        { code: 'group-config-invalid' },
        JSON.stringify(settings),
      );
    }
    for (const settings of [
      { start: 'oldest' },
      { start: { offset: -1 } },
      { start: { offset: 1, timestampMs: 1 } },
    ])
      await assert.rejects(topic.group('new', settings as Loose), { code: 'group-config-invalid' });
    await assert.rejects(t.box.topic(5 as Loose), refused);
    await assert.rejects(t.box.topic('x', 7 as Loose), refused);
    await assert.rejects(topic.update(7 as Loose), { code: 'topic-config-invalid' });
    await assert.rejects(t.box.topic('x', { codec: 'json' } as Loose), refused);
    await assert.rejects(t.box.topic('x', { schema: {} } as Loose), refused);
    assert.deepEqual([t.box.topics, topic.groups], [['orders'], ['g']]);
  });

  test('of publishes: delays that are negative or absurd, above all', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const bad: readonly Loose[] = [
      { delayMs: -1 },
      { delayMs: Number.NaN },
      { delayMs: Infinity },
      { delayMs: t.clock.now() }, // a time was meant
      { delayMs: '5s' },
      { deliverAtMs: t.clock.now() * 1000 }, // microseconds
      { deliverAtMs: -1 },
      { delayMs: 1, deliverAtMs: t.clock.now() + 1 },
      { key: 5 },
      { headers: { Trace: 5 } },
      { headers: { Trace: null } },
      { headers: 'Trace: a1' },
      { headers: [['Trace']] },
      { dedupeId: '' },
      { partition: -1 },
      { timestampMs: 1.5 },
      { expectedLastOffset: -2 },
      { signal: 'stop' },
    ];
    for (const options of bad) {
      await assert.rejects(topic.publish(1, options), refused, JSON.stringify(options));
      await assert.rejects(topic.publishBatch([1], options), refused, JSON.stringify(options));
      if (options.signal === undefined)
        await assert.rejects(
          topic.publishMessages([{ value: 1, ...options }]),
          refused,
          JSON.stringify(options),
        );
    }
    const keyed = await t.box.topic('orders', { key: () => 5 as Loose });
    await assert.rejects(keyed.publish(1), refused);
    assert.equal(topic.count, 0);
    await topic.publish(1, { delayMs: 0.5, key: '', headers: {} });
  });

  test('of reading and consuming', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    const group: Loose = await topic.group('g');
    await topic.publish(1);
    for (const call of [
      () => group.next({ waitMs: -1 }),
      () => group.next({ waitMs: 2 ** 31 }),
      () => group.next({ signal: {} }),
      () => group.drained({ timeoutMs: 5 }),
      () => group.pause({ untilMs: 'tomorrow' }),
      () => group.pause({ forMs: 5 }),
      () => group.reset('oldest'),
      () => topic.get(-1),
      () => topic.get('0' as Loose),
      () => topic.get(0, { partitions: 1 } as Loose),
      () => topic.last(5 as Loose),
      () => topic.deleteMessage(1.5),
      () => topic.purge({ filter: 'a..b' }),
      () => topic.follow({ start: 'now' as Loose }),
      () => t.box.deadLetters('orders').redrive({ limit: -1 }),
      () => t.box.deadLetters('orders').redrive({ offsets: ['1'] } as Loose),
      () => t.box.deadLetters('orders').browse({ limit: 1.5 }).next(),
    ])
      await assert.rejects(call as () => Promise<unknown>, refused, String(call));
    for (const call of [
      () => group.consume(),
      () => group.consume(() => {}, { concurrency: 0 }),
      () => group.consume(() => {}, { concurrency: Infinity }),
      () => group.consume(() => {}, { onerror: () => {} }),
      () => group.consumeBatches(() => {}, { messagesMax: 0 }),
      () => group.batches({ waitMs: -1 }),
      () => group.deliveries({ prefetch: -1 }),
      () => topic.browse({ filter: ['a', ''] }),
      () => topic.browse({ start: 5 } as Loose),
      () => t.box.watch('everything' as Loose),
      () => t.box.close({ timeoutMs: Infinity }),
      () => new RetryError(-1),
      () => new RetryError(Number.NaN),
    ])
      assert.throws(call, refused, String(call));
    const message: Loose = await group.next();
    assert.throws(() => message.nack({ delayMs: -1 }), refused);
    assert.throws(() => message.nack({ delay: 1 }), refused);
    assert.throws(() => message.reject(new Error('x')), refused);
    assert.equal(await message.ack(), true, 'a refused answer was none');
  });

  test('of live subjects', async () => {
    await using t = await openTestBox();
    const live: Loose = t.box.live;
    for (const call of [
      () => live.publish('a.*', 1),
      () => live.publish('', 1),
      () => live.publish('a', 1, { reply: 'b c' }),
      () => live.publish('a', 1, { timeoutMs: 5 }),
      () => live.subscribe('a..b'),
      () => live.subscribe('a', { queue: '' }),
      () => live.subscribe('a', { bufferedMax: 0 }),
      () => live.respond('a'),
      () => live.respond('a', () => 1, { concurrency: -1 }),
    ])
      assert.throws(call, refused, String(call));
    await assert.rejects(live.request('a', 1, { timeoutMs: 0 }), refused);
    await assert.rejects(live.request('a.>', 1), refused);
  });

  test('a virtual clock only goes forward', () => {
    const clock = new VirtualClock();
    for (const ms of [-1, Number.NaN, Infinity]) assert.throws(() => clock.advance(ms), RangeError);
  });
});

describe('values that JSON would change in silence are refused', () => {
  const circular: Loose = { a: [] };
  circular.a.push(circular);
  const bad: { readonly [name: string]: unknown } = {
    'a Map': new Map([['a', 1]]),
    'a Set': new Set([1]),
    'a Map further in': { a: [{ b: new Map() }] },
    'a BigInt': { a: 1n },
    NaN: Number.NaN,
    'Infinity further in': { a: [Infinity] },
    undefined: undefined,
    'undefined in an array': [1, undefined],
    'a function in an array': [() => 1],
    'bytes further in': { picture: new Uint8Array([1, 2]) },
    'no bytes': { picture: new Uint8Array(0) },
    'a Buffer': { picture: Buffer.from('x') },
    'an error': { cause: new Error('x') },
    'a promise': { later: Promise.resolve(1) },
    'a regular expression': /x/,
    'a date that is none': { at: new Date(Number.NaN) },
    'a circle': circular,
  };
  for (const [name, value] of Object.entries(bad))
    test(name, async () => {
      await using t = await openTestBox();
      const topic = await t.box.topic('orders');
      await assert.rejects(topic.publish(value), { name: 'ValueError', code: 'value-invalid' });
      assert.throws(() => t.box.live.publish('a', value), { code: 'value-invalid' });
      assert.equal(topic.count, 0);
    });

  test('the error says where', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    await assert.rejects(topic.publish({ items: [{ tags: new Set() }] }), {
      message: 'The value is not JSON: there is a value of type Set at items.0.tags, which JSON cannot say.',
      issues: [{ message: 'JSON cannot say a value of type Set', path: ['items', '0', 'tags'] }],
    });
  });

  test('JSON values are taken, absent members and dates included', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders');
    class Order {
      readonly items = {};
      readonly note: string | undefined = undefined;
      readonly none = null;
    }
    await topic.publish({
      order: new Order(),
      at: new Date(0),
      text: '{} null {"0":',
      list: [null, {}],
      f: () => 1,
    });
    assert.deepEqual((await topic.get(0))?.value, {
      order: { items: {}, none: null },
      at: '1970-01-01T00:00:00.000Z',
      text: '{} null {"0":',
      list: [null, {}],
    });
  });

  test('values for text, bytes and custom codecs are checked', async () => {
    await using t = await openTestBox();
    const notes = await t.box.topic('notes', { codec: text });
    await assert.rejects(notes.publish(5 as Loose), {
      code: 'value-invalid',
      message: 'The topic takes text, not 5.',
    });
    const broken = await t.box.topic('broken', { codec: { ...json(), encode: () => 5 as Loose } });
    await assert.rejects(broken.publish('x'), { code: 'value-invalid' });
  });
});
