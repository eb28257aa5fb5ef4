import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestJetStream } from './kit.ts';

const ms = 1_000_000;
const second = 1000 * ms;

async function withMessages(count: number, config: object = {}): Promise<TestJetStream> {
  const js = await TestJetStream.open();
  await js.addStream('S', { subjects: ['s.>'] });
  for (let i = 1; i <= count; i++) await js.publish('s.a', `${i}`);
  await js.addConsumer('S', 'c', config);
  return js;
}

describe('pull requests', () => {
  test('a delivery has the original subject and an ack subject as its reply', async () => {
    await using js = await withMessages(3);
    const inbox = js.pull('S', 'c', '2');
    await js.settle();
    const [first, second] = inbox.seen;
    const nowNs = `${js.kit.clock.now()}000128`;
    assert.deepEqual(first, {
      subject: 's.a',
      reply: `$JS.ACK.S.c.1.1.1.${nowNs}.2`,
      status: undefined,
      headers: {},
      value: '1',
    });
    assert.equal(second?.reply, `$JS.ACK.S.c.1.2.2.${nowNs}.1`);
  });

  test('each delivery has the time of its own message', async () => {
    await using js = await withMessages(1);
    await js.advance(1234);
    await js.publish('s.a', 'later');
    const inbox = js.pull('S', 'c', '2');
    await js.settle();
    const times = inbox.seen.map(({ reply }) => reply!.split('.')[7]);
    const nowMs = js.kit.clock.now();
    assert.deepEqual(times, [`${nowMs - 1234}000128`, `${nowMs}000128`]);
  });

  test('nothing, a number, a batch', async () => {
    await using js = await withMessages(6);
    for (const [body, expected] of [
      ['', ['1']],
      ['2', ['2', '3']],
      [{ batch: 3 }, ['4', '5', '6']],
    ] as const) {
      const inbox = js.pull('S', 'c', body);
      await js.settle();
      assert.deepEqual(inbox.texts, expected);
    }
  });

  test('no_wait: the available messages, then 404', async () => {
    await using js = await withMessages(2);
    const first = js.pull('S', 'c', { batch: 5, no_wait: true });
    await js.settle();
    assert.deepEqual(first.texts, ['1', '2', '404 No Messages']);
    const second = js.pull('S', 'c', { batch: 5, no_wait: true });
    await js.settle();
    assert.deepEqual(second.texts, ['404 No Messages']);
  });

  test('no_wait with expires waits for the first message, and no longer', async () => {
    await using js = await withMessages(0);
    const inbox = js.pull('S', 'c', { batch: 5, no_wait: true, expires: second });
    await js.settle();
    assert.deepEqual(inbox.texts, []);
    await js.publish('s.a', 'late');
    await js.settle();
    assert.deepEqual(inbox.texts, ['late', '404 No Messages']);
    const other = js.pull('S', 'c', { batch: 5, no_wait: true, expires: second });
    await js.advance(1000);
    assert.deepEqual(other.texts, ['408 Request Timeout']);
  });

  test('no_wait ends where max_ack_pending holds everything back', async () => {
    await using js = await withMessages(3, { max_ack_pending: 1 });
    const inbox = js.pull('S', 'c', { batch: 3, no_wait: true });
    await js.settle();
    assert.deepEqual(inbox.texts, ['1', '404 No Messages']);
  });

  test('expires: 408 with the rest', async () => {
    await using js = await withMessages(1);
    const inbox = js.pull('S', 'c', { batch: 5, expires: second, max_bytes: 1000 });
    await js.advance(999);
    assert.deepEqual(inbox.texts, ['1']);
    await js.advance(1);
    const [, end] = inbox.seen;
    assert.equal(end?.status, '408 Request Timeout');
    assert.equal(end.headers['Nats-Pending-Messages'], '4');
    assert.ok(Number(end.headers['Nats-Pending-Bytes']) < 1000);
    assert.equal((await js.api('CONSUMER.INFO.S.c')).num_waiting, 0);
  });

  test('a filled request says nothing more, unless it has bytes to spare', async () => {
    await using js = await withMessages(2);
    const plain = js.pull('S', 'c', { batch: 1, expires: second });
    const bytes = js.pull('S', 'c', { batch: 1, expires: second, max_bytes: 1000 });
    await js.settle();
    await js.advance(5000);
    assert.deepEqual(plain.texts, ['1']);
    assert.deepEqual(bytes.texts, ['2', '409 Batch Completed']);
    assert.equal(bytes.seen[1]?.headers['Nats-Pending-Messages'], '0');
  });

  test('max_bytes counts subject, ack subject, headers and payload', async () => {
    await using js = await withMessages(0);
    for (let i = 0; i < 3; i++) await js.publish('s.a', 'x'.repeat(100));
    const envelope = 's.a'.length + `$JS.ACK.S.c.1.1.1.${js.kit.clock.now()}000128.2`.length;
    const inbox = js.pull('S', 'c', { batch: 10, max_bytes: 2 * (100 + envelope) + 110, expires: second });
    await js.settle();
    assert.equal(inbox.seen.length, 3);
    const end = inbox.seen[2]!;
    assert.equal(end.status, '409 Message Size Exceeds MaxBytes');
    assert.deepEqual(end.headers, { 'Nats-Pending-Messages': '8', 'Nats-Pending-Bytes': '110' });
  });

  test('heartbeats while there is nothing to say', async () => {
    await using js = await withMessages(1);
    const inbox = js.pull('S', 'c', { batch: 3, expires: 2 * second, idle_heartbeat: 500 * ms });
    await js.advance(400);
    await js.publish('s.a', '2');
    await js.advance(400);
    assert.deepEqual(inbox.texts, ['1', '2']);
    await js.advance(100);
    assert.deepEqual(inbox.texts, ['1', '2', '100 Idle Heartbeat']);
    assert.deepEqual(inbox.seen[2]?.headers, { 'Nats-Last-Consumer': '2', 'Nats-Last-Stream': '2' });
    await js.advance(1200);
    assert.deepEqual(inbox.texts.slice(3), [
      '100 Idle Heartbeat',
      '100 Idle Heartbeat',
      '408 Request Timeout',
    ]);
  });

  test('requests take turns', async () => {
    await using js = await withMessages(0);
    const inboxes = [1, 2, 3].map(() => js.pull('S', 'c', { batch: 2, expires: 60 * second }));
    assert.equal((await js.api('CONSUMER.INFO.S.c')).num_waiting, 3);
    for (let i = 1; i <= 6; i++) await js.publish('s.a', `${i}`);
    assert.deepEqual(
      inboxes.map((inbox) => inbox.texts),
      [
        ['1', '4'],
        ['2', '5'],
        ['3', '6'],
      ],
    );
  });

  test('limits of the consumer', async () => {
    await using js = await withMessages(0, {
      max_batch: 3,
      max_expires: second,
      max_bytes: 500,
      max_waiting: 1,
    });
    const refused = async (body: object): Promise<string[]> => {
      const inbox = js.pull('S', 'c', body);
      await js.settle();
      return inbox.texts;
    };
    assert.deepEqual(await refused({ batch: 4 }), ['409 Exceeded MaxRequestBatch of 3']);
    assert.deepEqual(await refused({ expires: 2 * second }), ['409 Exceeded MaxRequestExpires of 1s']);
    assert.deepEqual(await refused({ max_bytes: 501 }), ['409 Exceeded MaxRequestMaxBytes of 500']);
    js.pull('S', 'c', { expires: second });
    assert.deepEqual(await refused({ expires: second }), ['409 Exceeded MaxWaiting']);
    assert.deepEqual(await refused({ expires: second, idle_heartbeat: 200 * ms }), []);
  });

  test('an inbox that goes away takes its request with it', async () => {
    await using js = await withMessages(0);
    const gone = js.pull('S', 'c', { batch: 10, expires: 60 * second });
    const stays = js.pull('S', 'c', { batch: 10, expires: 60 * second });
    js.unlisten(gone);
    assert.equal((await js.api('CONSUMER.INFO.S.c')).num_waiting, 1);
    for (let i = 1; i <= 3; i++) await js.publish('s.a', `${i}`);
    assert.deepEqual(stays.texts, ['1', '2', '3']);
    assert.deepEqual(gone.texts, []);
  });

  test('a request without a listener is dropped', async () => {
    await using js = await withMessages(1);
    const inbox = js.pull('S', 'c', '');
    await js.settle();
    js.unlisten(inbox);
    js.jetStream.request(js.session, js.message('$JS.API.CONSUMER.MSG.NEXT.S.c', { reply: 'nobody.there' }));
    assert.equal((await js.api('CONSUMER.INFO.S.c')).num_waiting, 0);
  });

  test('a reader that is behind gets no more until it caught up', async () => {
    await using js = await withMessages(0);
    const slow = js.pull('S', 'c', { batch: 10, expires: 60 * second });
    slow.congested = true;
    for (let i = 1; i <= 5; i++) await js.publish('s.a', `${i}`);
    assert.deepEqual(slow.texts, ['1']);
    slow.drain();
    await js.settle();
    assert.deepEqual(slow.texts, ['1', '2', '3', '4', '5']);
  });

  test('deleted consumers and streams end their requests', async () => {
    await using js = await withMessages(0);
    await js.addConsumer('S', 'd');
    const c = js.pull('S', 'c', { expires: 60 * second });
    const d = js.pull('S', 'd', { expires: 60 * second });
    await js.api('CONSUMER.DELETE.S.c');
    assert.deepEqual(c.texts, ['409 Consumer Deleted']);
    await js.api('STREAM.DELETE.S');
    assert.deepEqual(d.texts, ['409 Consumer Deleted']);
    assert.equal(js.pull('S', 'c').sent, false);
  });

  test('a push consumer cannot be pulled from', async () => {
    await using js = await withMessages(0);
    await js.addConsumer('S', 'p', { deliver_subject: 'there' });
    const inbox = js.pull('S', 'p');
    await js.settle();
    assert.deepEqual(inbox.texts, ['409 Consumer is push based']);
  });

  test('headers, and headers only', async () => {
    await using js = await withMessages(0);
    await js.addConsumer('S', 'h', { headers_only: true });
    await js.publish('s.a', 'payload', { A: '1', 'Nats-Msg-Id': 'x' });
    const [whole, bare] = [js.pull('S', 'c'), js.pull('S', 'h')];
    await js.settle();
    assert.deepEqual(whole.seen[0]?.headers, { A: '1', 'Nats-Msg-Id': 'x' });
    assert.equal(whole.seen[0].value, 'payload');
    assert.deepEqual(bare.seen[0]?.headers, { A: '1', 'Nats-Msg-Id': 'x', 'Nats-Msg-Size': '7' });
    assert.equal(bare.seen[0].value, '');
  });

  test('a key that another protocol wrote shows in a header', async () => {
    await using js = await withMessages(0);
    await js.kit.broker.topic('S')!.send({ key: 'not a subject\r\n', value: 'from elsewhere' });
    await js.kit.broker.topic('S')!.send({ key: null, value: 'no key' });
    await js.kit.broker.topic('S')!.send({ key: 's.fine', value: 'a subject' });
    const inbox = js.pull('S', 'c', '3');
    await js.settle();
    assert.deepEqual(
      inbox.seen.map(({ subject, value }) => [subject, value]),
      [
        ['S', 'from elsewhere'],
        ['S', 'no key'],
        ['s.fine', 'a subject'],
      ],
    );
    assert.equal(inbox.seen[0]?.headers['Pillarbox-Key'], 'not a subject\r\n');
    assert.deepEqual(inbox.seen[1]?.headers, {});
  });
});
