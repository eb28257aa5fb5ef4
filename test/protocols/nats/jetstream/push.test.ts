import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestJetStream } from './kit.ts';

const ms = 1_000_000;
const second = 1000 * ms;

async function withStream(messages = 0): Promise<TestJetStream> {
  const js = await TestJetStream.open();
  await js.addStream('S', { subjects: ['s.>'] });
  for (let i = 1; i <= messages; i++) await js.publish('s.a', `${i}`);
  return js;
}

describe('push consumers', () => {
  test('deliver while the deliver subject has a subscriber', async () => {
    await using js = await withStream(2);
    await js.addConsumer('S', 'c', { deliver_subject: 'out', ack_policy: 'none' });
    assert.equal((await js.api('CONSUMER.INFO.S.c')).push_bound, undefined);
    const out = js.listen('out');
    await js.settle();
    assert.deepEqual(out.texts, ['1', '2']);
    assert.equal(out.seen[0]?.subject, 's.a');
    assert.match(out.seen[0].reply!, /^\$JS\.ACK\.S\.c\.1\.1\.1\.\d+\.1$/);
    assert.equal((await js.api('CONSUMER.INFO.S.c')).push_bound, true);
    js.unlisten(out);
    await js.publish('s.a', '3');
    assert.equal((await js.api('CONSUMER.INFO.S.c')).push_bound, undefined);
    assert.equal((await js.api('CONSUMER.INFO.S.c')).num_pending, 1);
    const again = js.listen('out');
    await js.settle();
    assert.deepEqual(again.texts, ['3']);
  });

  test('are not created beyond the budget of consumers; existing ones are not affected', async () => {
    await using js = await TestJetStream.open({ budgets: { consumers: 1 } });
    await js.addStream('S', { subjects: ['s.>'] });
    await js.addConsumer('S', 'c', { deliver_subject: 'out' });
    js.listen('out');
    const config = { durable_name: 'd', ack_policy: 'explicit', deliver_subject: 'out.d' };
    const { error } = await js.api('CONSUMER.CREATE.S.d', { stream_name: 'S', config });
    assert.deepEqual(error, { code: 400, err_code: 10026, description: 'maximum consumers limit reached' });
    await js.addConsumer('S', 'c', { deliver_subject: 'out' });
    await js.addConsumer('S', 'pull');
  });

  test('go on by themselves after a restart', async () => {
    await using js = await withStream(1);
    await js.addConsumer('S', 'c', { deliver_subject: 'out' });
    await js.restart();
    const out = js.listen('out');
    await js.settle();
    assert.deepEqual(out.texts, ['1']);
  });

  test('max_ack_pending holds back, acks let go', async () => {
    await using js = await withStream(5);
    const out = js.listen('out');
    await js.addConsumer('S', 'c', { deliver_subject: 'out', max_ack_pending: 2 });
    await js.settle();
    assert.deepEqual(out.texts, ['1', '2']);
    js.ack(out.seen[0]!);
    await js.settle();
    assert.deepEqual(out.texts, ['1', '2', '3']);
  });

  test('members of a deliver group share', async () => {
    await using js = await withStream(0);
    const members = [js.listen('out', 'workers'), js.listen('out', 'workers')];
    await js.addConsumer('S', 'c', { deliver_subject: 'out', deliver_group: 'workers', ack_policy: 'none' });
    for (let i = 0; i < 100; i++) await js.publish('s.a', `${i}`);
    const [one, other] = members.map((member) => member.texts);
    assert.equal(one!.length + other!.length, 100);
    assert.equal(new Set([...one!, ...other!]).size, 100);
    assert.ok(one!.length > 10 && other!.length > 10, `${one!.length} : ${other!.length}`);
  });

  test('heartbeats while there is nothing to say', async () => {
    await using js = await withStream(1);
    const out = js.listen('out');
    await js.addConsumer('S', 'c', { deliver_subject: 'out', idle_heartbeat: 500 * ms });
    await js.advance(499);
    assert.deepEqual(out.texts, ['1']);
    await js.advance(1);
    assert.deepEqual(out.texts, ['1', '100 Idle Heartbeat']);
    assert.deepEqual(out.seen[1]?.headers, { 'Nats-Last-Consumer': '1', 'Nats-Last-Stream': '1' });
    await js.advance(1000);
    assert.equal(out.seen.length, 4);
    const timers = js.kit.clock.timerCount;
    js.unlisten(out);
    assert.ok(js.kit.clock.timerCount < timers);
    await js.advance(5000);
    assert.equal(out.seen.length, 4);
    // The next listener gets one heartbeat at a time.
    const next = js.listen('out');
    await js.advance(2000);
    assert.equal(next.seen.length, 4);
  });

  test('flow control waits for an answer, with a window that grows', async () => {
    await using js = await withStream(0);
    const out = js.listen('out');
    await js.addConsumer('S', 'c', {
      deliver_subject: 'out',
      ack_policy: 'none',
      flow_control: true,
      idle_heartbeat: second,
    });
    const block = 'x'.repeat(100_000);
    for (let i = 0; i < 40; i++) await js.publish('s.a', block);
    // A window of 2 MiB: asked for at half of it, stopped when it is full.
    const requests = out.seen.filter(({ status }) => status === '100 FlowControl Request');
    assert.equal(requests.length, 1);
    const before = out.seen.length - 1;
    assert.ok(before > 20 && before < 24, `${before} messages`);
    await js.advance(1000);
    const beat = out.seen.at(-1)!;
    assert.equal(beat.status, '100 Idle Heartbeat');
    assert.equal(beat.headers['Nats-Consumer-Stalled'], requests[0]!.reply);
    assert.equal(js.jetStream.request(js.session, js.message('$JS.FC.S.c.999')), true);
    await js.settle();
    assert.equal(out.seen.at(-1), beat);
    assert.equal(js.jetStream.request(js.session, js.message(requests[0]!.reply!)), true);
    await js.settle();
    assert.equal(out.seen.filter(({ value }) => value !== '').length, 40);
  });

  test('rate_limit_bps paces', async () => {
    await using js = await withStream(0);
    const out = js.listen('out');
    await js.addConsumer('S', 'c', { deliver_subject: 'out', ack_policy: 'none', rate_limit_bps: 80_000 });
    for (let i = 0; i < 5; i++) await js.publish('s.a', 'x'.repeat(950));
    await js.settle();
    // 10,000 bytes a second and some 1,000 bytes a message.
    assert.equal(out.seen.length, 1);
    for (let i = 2; i <= 5; i++) {
      await js.advance(90);
      assert.equal(out.seen.length, i - 1);
      await js.advance(30);
      assert.equal(out.seen.length, i);
    }
  });

  test('a reader that is behind gets no more until it caught up', async () => {
    await using js = await withStream(5);
    const out = js.listen('out');
    out.congested = true;
    await js.addConsumer('S', 'c', { deliver_subject: 'out', ack_policy: 'none' });
    await js.settle();
    assert.deepEqual(out.texts, []);
    out.drain();
    await js.settle();
    assert.deepEqual(out.texts, ['1', '2', '3', '4', '5']);
  });

  test('the deliver subject may be changed while it has no subscriber', async () => {
    await using js = await withStream(1);
    await js.addConsumer('S', 'c', { deliver_subject: 'out' });
    const other = js.listen('other');
    await js.addConsumer('S', 'c', { deliver_subject: 'other' });
    await js.settle();
    assert.deepEqual(other.texts, ['1']);
    const before = js.listen('out');
    for (let i = 2; i <= 5; i++) await js.publish('s.a', `${i}`);
    assert.deepEqual(before.texts, []);
    assert.deepEqual(other.texts, ['1', '2', '3', '4', '5']);
    const refused = await js.api('CONSUMER.CREATE.S.c', {
      stream_name: 'S',
      config: { durable_name: 'c', ack_policy: 'explicit', deliver_subject: 'third' },
    });
    assert.equal(refused.error?.err_code, 10013);
  });

  test('an ephemeral consumer goes when it had no subscriber for its threshold', async () => {
    await using js = await withStream(0);
    const out = js.listen('out');
    const { name } = await js.api('CONSUMER.CREATE.S', {
      stream_name: 'S',
      config: { deliver_subject: 'out' },
    });
    await js.advance(60_000);
    assert.equal((await js.api(`CONSUMER.INFO.S.${name}`)).name, name);
    js.unlisten(out);
    await js.advance(4999);
    assert.equal((await js.api(`CONSUMER.INFO.S.${name}`)).name, name);
    await js.advance(1);
    assert.equal((await js.api(`CONSUMER.INFO.S.${name}`)).error?.err_code, 10014);
  });
});
