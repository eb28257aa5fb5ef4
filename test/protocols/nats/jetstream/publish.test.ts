import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestJetStream } from './kit.ts';

describe('publishing to a stream', () => {
  test('is answered with the sequence', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    assert.deepEqual(await js.publish('s.a', 'one'), { stream: 'S', seq: 1 });
    assert.deepEqual(await js.publish('s.b', 'two'), { stream: 'S', seq: 2 });
    const { message } = await js.api('STREAM.MSG.GET.S', { seq: 2 });
    assert.equal(message.subject, 's.b');
    assert.equal(Buffer.from(message.data, 'base64').toString(), 'two');
  });

  test('may go to the name of a topic without subjects, which is the subject it is shown with', async () => {
    await using js = await TestJetStream.open();
    await js.kit.broker.createTopic({ name: 'orders', keyState: true });
    const { config } = await js.api('STREAM.INFO.orders', {});
    assert.deepEqual(await js.publish('orders', 'one'), { stream: 'orders', seq: 1 });
    const { message } = await js.api('STREAM.MSG.GET.orders', { seq: 1 });
    assert.deepEqual([message.subject, config.subjects ?? ['orders']], ['orders', ['orders']]);
    await js.addStream('ALL', { subjects: ['orders'] });
    assert.deepEqual(await js.publish('orders', 'two'), { stream: 'ALL', seq: 1 });
  });

  test('a limit by subject can be set on a topic that another protocol made', async () => {
    await using js = await TestJetStream.open();
    const topic = await js.kit.broker.createTopic({ name: 'orders', subjects: ['o.>'], keyState: false });
    for (const value of ['a1', 'a2', 'a3']) await topic.send({ key: 'o.a', value });
    const { config } = await js.api('STREAM.INFO.orders', {});
    const { config: updated } = await js.api('STREAM.UPDATE.orders', { ...config, max_msgs_per_subject: 2 });
    assert.equal(updated?.max_msgs_per_subject, 2);
    await js.settle();
    assert.equal(topic.count, 2);
  });

  test('the answer is not sent before the commit', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const { subject: reply, listener } = js.inbox();
    js.jetStream.publish(js.session, js.message('s.a', { reply }), js.kit.broker.topic('S')!);
    assert.deepEqual(listener.seen, []);
    await js.settle();
    assert.deepEqual(listener.texts, ['{"stream":"S","seq":1}']);
  });

  test('thousands at once, on two streams, each get their own answer', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('A', { subjects: ['a.>'] });
    await js.addStream('Bee', { subjects: ['b.>'] });
    const listeners = [js.listen('in.a.*'), js.listen('in.b.*')];
    for (let i = 0; i < 3000; i++) {
      const letter = i % 2 === 0 ? 'a' : 'b';
      const topic = js.kit.broker.topic(letter === 'a' ? 'A' : 'Bee')!;
      js.jetStream.publish(
        js.session,
        js.message(`${letter}.x`, { value: `${i}`, reply: `in.${letter}.${i}` }),
        topic,
      );
    }
    await js.settle();
    for (const [index, name] of ['A', 'Bee'].entries()) {
      const { seen } = listeners[index]!;
      assert.equal(seen.length, 1500);
      for (const [at, { subject, value }] of seen.entries()) {
        assert.equal(subject, `in.${'ab'[index]}.${at * 2 + index}`);
        assert.deepEqual(JSON.parse(value), { stream: name, seq: at + 1 });
      }
    }
  });

  test('reply subjects of any length get their own answer', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const inbox = js.listen('in.>');
    const replies = Array.from({ length: 3000 }, (_, i) => `in.${i}.${'x'.repeat(i % 200)}y`);
    for (let round = 0; round < 2; round++) {
      for (const reply of replies) {
        js.jetStream.publish(js.session, js.message('s.a', { reply }), js.kit.broker.topic('S')!);
      }
      await js.settle();
      assert.deepEqual(
        inbox.take().map(({ subject }) => subject),
        replies,
      );
    }
  });

  test('subject and payload may stand in different buffers', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const message = js.message('s.apart');
    const value = Buffer.from('--payload--');
    message.setValue(value, 2, 9);
    js.jetStream.publish(js.session, message, js.kit.broker.topic('S')!);
    await js.settle();
    const { message: stored } = await js.api('STREAM.MSG.GET.S', { seq: 1 });
    assert.equal(stored.subject, 's.apart');
    assert.equal(Buffer.from(stored.data, 'base64').toString(), 'payload');
  });

  test('with a message id it is stored once', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    assert.deepEqual(await js.publish('s.a', '1', { 'Nats-Msg-Id': 'x' }), { stream: 'S', seq: 1 });
    assert.deepEqual(await js.publish('s.a', '2', { 'Nats-Msg-Id': 'x' }), {
      stream: 'S',
      seq: 1,
      duplicate: true,
    });
    await js.advance(121_000);
    assert.deepEqual(await js.publish('s.a', '3', { 'Nats-Msg-Id': 'x' }), { stream: 'S', seq: 2 });
  });

  test('expectations that are not met', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.publish('s.a', '', { 'Nats-Msg-Id': 'first' });
    const refused = async (headers: { [name: string]: string }): Promise<string> => {
      const { error, stream, seq } = await js.publish('s.b', '', headers);
      assert.deepEqual({ stream, seq }, { stream: 'S', seq: 0 });
      return `${error?.code} ${error?.err_code} ${error?.description}`;
    };
    assert.equal(await refused({ 'Nats-Expected-Stream': 'T' }), '400 10060 expected stream does not match');
    assert.equal(await refused({ 'Nats-Expected-Last-Sequence': '7' }), '400 10071 wrong last sequence: 1');
    assert.equal(await refused({ 'Nats-Expected-Last-Sequence': 'x' }), '400 10071 wrong last sequence: 1');
    assert.equal(
      await refused({ 'Nats-Expected-Last-Subject-Sequence': '1' }),
      '400 10071 wrong last sequence: 0',
    );
    assert.equal(
      await refused({ 'Nats-Expected-Last-Msg-Id': 'second' }),
      '400 10070 wrong last msg ID: first',
    );
    assert.equal(
      await refused({ 'Nats-Expected-Last-Subject-Sequence-Subject': 's.a' }),
      '400 10193 missing sequence for expected last sequence per subject',
    );
    assert.equal(await refused({ 'Nats-Rollup': 'sub' }), '500 10111 rollup not permitted');
    assert.deepEqual(
      await js.publish('s.b', '', {
        'Nats-Expected-Last-Subject-Sequence': '1',
        'Nats-Expected-Last-Subject-Sequence-Subject': 's.a',
        'Nats-Expected-Stream': 'S',
        'Nats-Expected-Last-Sequence': '1',
        'Nats-Expected-Last-Msg-Id': 'first',
      }),
      { stream: 'S', seq: 2 },
    );
  });

  test('features that are not built: their headers are refused, whatever the stream allows', async () => {
    await using js = await TestJetStream.open();
    const flags = { allow_atomic: true, allow_batched: true };
    await js.addStream('S', { subjects: ['s.>'], ...flags });
    await js.addStream('C', { subjects: ['c.>'], allow_msg_counter: true });
    const refused = async (subject: string, headers: { [name: string]: string }): Promise<string> => {
      const { error, seq } = await js.publish(subject, '', headers);
      assert.equal(seq, 0);
      return `${error?.err_code} ${error?.description}`;
    };
    const cases: [{ [name: string]: string }, string][] = [
      [{ 'Nats-TTL': '1s' }, '10166 per-message TTL is disabled'],
      [{ 'Nats-TTL': 'never' }, '10166 per-message TTL is disabled'],
      [{ 'Nats-TTL': '60' }, '10166 per-message TTL is disabled'],
      [{ 'Nats-Incr': '+1' }, '10168 message counters is disabled'],
      [{ 'Nats-Incr': 'one' }, '10171 message counter increment is invalid'],
      [{ 'Nats-Batch-Id': 'b', 'Nats-Batch-Sequence': '1' }, '10174 atomic publish is disabled'],
      [{ 'Nats-Schedule': '@every 1s' }, '10188 message schedules is disabled'],
      [{ 'Nats-Schedule-Next': 'purge', 'Nats-Scheduler': 's.b' }, '10188 message schedules is disabled'],
      [
        { 'Nats-Schedule-Next': 'purge', 'Nats-Scheduler': 's.a' },
        '10212 message schedules invalid scheduler',
      ],
      [{ 'Nats-Scheduler': 's.b' }, '10212 message schedules invalid scheduler'],
      [{ 'Nats-Stream-Source': 'x' }, '10227 message stream source header is not allowed'],
    ];
    for (const [headers, expected] of cases) assert.equal(await refused('s.a', headers), expected);
    assert.equal(await refused('c.a', {}), '10169 message counter increment is missing');
    assert.equal(await refused('c.a', { 'Nats-Incr': '1' }), '10168 message counters is disabled');
  });

  test('a message with a TTL expires, and a TTL that is none is refused', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], allow_msg_ttl: true });
    for (const ttl of ['1ms', '0', 'soon'])
      assert.equal((await js.publish('s.a', '', { 'Nats-TTL': ttl })).error?.err_code, 10165, ttl);
    for (const ttl of ['5s', '10', '1h', 'never', '00']) await js.publish('s.a', '', { 'Nats-TTL': ttl });
    const messages = async (): Promise<number> => (await js.api('STREAM.INFO.S')).state.messages;
    for (const [ms, count] of [
      [4999, 5],
      [1, 4],
      [5000, 3],
    ] as const) {
      js.kit.clock.advance(ms);
      await js.kit.settle();
      assert.equal(await messages(), count);
    }
    await js.restart();
    js.kit.clock.advance(3_600_000);
    await js.kit.settle();
    assert.equal(await messages(), 2);
  });

  test('a sealed stream says so before it looks at headers', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.api('STREAM.UPDATE.S', { name: 'S', subjects: ['s.>'], sealed: true });
    for (const headers of [{ 'Nats-Rollup': 'all' }, { 'Nats-TTL': '1s' }, { 'Nats-Expected-Stream': 'T' }]) {
      assert.equal((await js.publish('s.a', '', headers)).error?.err_code, 10109, JSON.stringify(headers));
    }
  });

  test('the last message id is that of the very last message, after a restart too', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const expect = async (id: string): Promise<string | undefined> =>
      (await js.publish('s.a', '', { 'Nats-Expected-Last-Msg-Id': id, 'Nats-Msg-Id': `after ${id}` })).error
        ?.description;
    await js.publish('s.a', '', { 'Nats-Msg-Id': 'one' });
    await js.restart();
    assert.equal(await expect('none'), 'wrong last msg ID: one');
    assert.equal(await expect('one'), undefined);
    await js.publish('s.a', 'without');
    assert.equal(await expect('after one'), 'wrong last msg ID: ');
    await js.restart();
    assert.equal(await expect('after one'), 'wrong last msg ID: ');
  });

  test('an unsupported header is refused with its own error', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const codes: [string, number][] = [
      ['Nats-TTL', 10166],
      ['Nats-Incr', 10168],
      ['Nats-Batch-Id', 10174],
      ['Nats-Schedule', 10188],
    ];
    for (const [name, code] of codes) {
      const { error } = await js.publish('s.a', '', { [name]: '1' });
      assert.equal(error?.err_code, code, name);
    }
    assert.equal((await js.api('STREAM.INFO.S')).state.messages, 0);
  });

  test('sizes beyond the limits', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], max_msg_size: 100 });
    assert.equal((await js.publish('s.a', 'x'.repeat(100))).seq, 1);
    assert.equal((await js.publish('s.a', 'x'.repeat(101))).error?.err_code, 10054);
    assert.equal((await js.publish('s.a', 'x'.repeat(90), { A: '1' })).error?.err_code, 10054);
    await js.addStream('T', { subjects: ['t.>'] });
    assert.equal((await js.publish('t.a', '', { Big: 'x'.repeat(65_536) })).error?.err_code, 10097);
  });

  test('a full stream that discards new messages', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], max_msgs: 1, discard: 'new' });
    await js.publish('s.a');
    const { error } = await js.publish('s.a');
    assert.deepEqual(error, { code: 503, err_code: 10077, description: 'maximum messages exceeded' });
  });

  test('a unique key, by headers of our own', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const key = { 'Pillarbox-Unique-Key': 'k' };
    const publish = (mode: string, window?: string) =>
      js.publish('s.a', mode, {
        ...key,
        'Pillarbox-Unique-Mode': mode,
        ...(window === undefined ? {} : { 'Pillarbox-Unique-Window': window }),
      });
    assert.deepEqual(await js.publish('s.a', '', key), { stream: 'S', seq: 1, outcome: 'stored' });
    assert.deepEqual(await js.publish('s.a', '', key), {
      stream: 'S',
      seq: 1,
      duplicate: true,
      outcome: 'ignored',
    });
    assert.deepEqual(await publish('replace'), { stream: 'S', seq: 2, outcome: 'replaced' });
    assert.deepEqual(await publish('debounce', '1h'), { stream: 'S', seq: 0, outcome: 'replaced' });
    assert.equal(js.kit.broker.stats().delayed, 1);
    const { error } = await publish('sometimes');
    assert.deepEqual(
      [error?.err_code, /takes unique modes ignore/.test(error?.description ?? '')],
      [10077, true],
    );
    assert.equal((await publish('throttle', 'soon')).error?.err_code, 10077);
  });

  test('a stream beyond its publish rate', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    const topic = js.kit.broker.topic('S')!;
    await topic.update({ ...topic.config, publishRate: { perSecond: 1, burst: 1 } });
    await js.publish('s.a');
    const { error } = await js.publish('s.a');
    assert.deepEqual(error, { code: 429, err_code: 10167, description: 'too many requests' });
    const { config } = await js.api('STREAM.INFO.S', {});
    await js.api('STREAM.UPDATE.S', { ...config, max_msgs: 5 });
    assert.deepEqual(topic.config.publishRate, { perSecond: 1, burst: 1 });
  });

  test('rollup of a subject and of everything', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], allow_rollup_hdrs: true });
    for (const subject of ['s.a', 's.b', 's.a']) await js.publish(subject);
    await js.publish('s.a', 'sum', { 'Nats-Rollup': 'sub' });
    const { state } = await js.api('STREAM.INFO.S', { subjects_filter: '>' });
    assert.deepEqual(state.subjects, { 's.a': 1, 's.b': 1 });
    await js.publish('s.b', 'all', { 'Nats-Rollup': 'ALL' });
    assert.equal((await js.api('STREAM.INFO.S')).state.messages, 1);
  });

  test('a stream with no_ack says nothing', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], no_ack: true });
    await assert.rejects(js.publish('s.a'), /not answered/);
    assert.equal((await js.api('STREAM.INFO.S')).state.messages, 1);
  });

  test('a deleted stream of the same name is not remembered', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    await js.publish('s.a');
    await js.api('STREAM.DELETE.S');
    await js.addStream('S', { subjects: ['s.>'], max_msg_size: 3 });
    assert.deepEqual(await js.publish('s.a', 'ok'), { stream: 'S', seq: 1 });
    assert.equal((await js.publish('s.a', 'long')).error?.err_code, 10054);
  });
});
