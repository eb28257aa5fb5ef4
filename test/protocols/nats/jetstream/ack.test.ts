import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestJetStream, type Seen } from './kit.ts';

const second = 1_000_000_000;

async function delivered(
  count: number,
  config: object = {},
  stream: object = {},
): Promise<{ js: TestJetStream; seen: Seen[] }> {
  const js = await TestJetStream.open();
  await js.addStream('S', { subjects: ['s.>'], ...stream });
  for (let i = 1; i <= count; i++) await js.publish('s.a', `${i}`);
  await js.addConsumer('S', 'c', config);
  const inbox = js.pull('S', 'c', String(count));
  await js.settle();
  assert.equal(inbox.seen.length, count);
  return { js, seen: inbox.seen };
}

async function info(js: TestJetStream): Promise<{ floor: number; pending: number; redelivered: number }> {
  const { ack_floor, num_ack_pending, num_redelivered } = await js.api('CONSUMER.INFO.S.c');
  return { floor: ack_floor.stream_seq, pending: num_ack_pending, redelivered: num_redelivered };
}

describe('acks', () => {
  test('out of order: the floor moves over contiguous acks', async () => {
    const { js, seen } = await delivered(4);
    await using _ = js;
    js.ack(seen[1]!);
    js.ack(seen[2]!, '+ACK');
    assert.deepEqual(await info(js), { floor: 0, pending: 2, redelivered: 0 });
    js.ack(seen[0]!, '+OK');
    assert.deepEqual(await info(js), { floor: 3, pending: 1, redelivered: 0 });
  });

  test('with a reply are answered once they are on disk, twice just as well', async () => {
    const { js, seen } = await delivered(1);
    await using _ = js;
    for (let round = 0; round < 2; round++) {
      const { subject, listener } = js.inbox();
      js.ack(seen[0]!, '', subject);
      assert.deepEqual(listener.seen, []);
      await js.settle();
      assert.deepEqual(listener.seen, [
        { subject, reply: undefined, status: undefined, headers: {}, value: '' },
      ]);
    }
  });

  test('of messages removed meanwhile are answered, and take no place in max_ack_pending', async () => {
    const { js, seen } = await delivered(2, { max_ack_pending: 2 });
    await using _ = js;
    await js.publish('s.a', '3');
    await js.api('STREAM.MSG.DELETE.S', { seq: 1 });
    const inbox = js.pull('S', 'c', '1');
    await js.settle();
    assert.deepEqual(
      inbox.seen.map(({ value }) => value),
      ['3'],
    );
    assert.deepEqual(await info(js), { floor: 1, pending: 2, redelivered: 0 });
    const { subject, listener } = js.inbox();
    js.ack(seen[0]!, '', subject);
    await js.settle();
    assert.equal(listener.seen.length, 1);
    await js.api('STREAM.PURGE.S');
    assert.deepEqual(await info(js), { floor: 3, pending: 0, redelivered: 0 });
  });

  test('of messages never delivered are not answered', async () => {
    const { js, seen } = await delivered(1);
    await using _ = js;
    await js.publish('s.a', 'not delivered');
    const { subject, listener } = js.inbox();
    js.ack({ ...seen[0]!, reply: '$JS.ACK.S.c.1.2.2.0.0' }, '', subject);
    js.ack({ ...seen[0]!, reply: '$JS.ACK.S.c.1.99.2.0.0' }, '', subject);
    await js.settle();
    assert.deepEqual(listener.seen, []);
  });

  test('of a missing consumer have no responders; broken ones do no harm', async () => {
    const { js, seen } = await delivered(1);
    await using _ = js;
    const ack = (reply: string): boolean => js.ack({ ...seen[0]!, reply });
    assert.equal(ack('$JS.ACK.S.nope.1.1.1.0.0'), false);
    assert.equal(ack('$JS.ACK.nope.c.1.1.1.0.0'), false);
    assert.equal(ack('$JS.ACK.S.c'), false);
    assert.equal(ack('$JS.ACK.S.c.1.x.1.0.0'), true);
    assert.equal(ack('$JS.ACK.S.c.1.-1.1.0.0'), true);
    assert.equal(ack('$JS.ACK.S.c.1.99999999999999999999.1.0.0'), true);
    const { subject, listener } = js.inbox();
    js.ack({ ...seen[0]!, reply: '$JS.ACK.S.c.1.x.1.0.0' }, '', subject);
    js.ack({ ...seen[0]!, reply: '$JS.ACK.S.c.1.0.1.0.0' }, '', subject);
    await js.settle();
    assert.deepEqual(listener.seen, []);
    assert.equal((await info(js)).pending, 1);
    // Version 2 of the ack subject, with domain, account and a random end.
    assert.equal(ack('$JS.ACK._.hash.S.c.1.1.1.0.0.rnd'), true);
    assert.equal((await info(js)).pending, 0);
  });

  test('of other words are answered and change nothing', async () => {
    const { js, seen } = await delivered(1);
    await using _ = js;
    for (const word of ['+BOGUS', '+ACK ', '+', '-', 'ACK', '+WP', '-NA', '+OKAY']) {
      const { subject, listener } = js.inbox();
      js.ack(seen[0]!, word, subject);
      await js.settle();
      assert.equal(listener.seen.length, 1, word);
      assert.equal((await info(js)).pending, 1, word);
    }
  });

  test('all: everything up to it', async () => {
    const { js, seen } = await delivered(4, { ack_policy: 'all' });
    await using _ = js;
    js.ack(seen[2]!);
    assert.deepEqual(await info(js), { floor: 3, pending: 1, redelivered: 0 });
  });

  test('none: nothing is acked, and an ack has no responders', async () => {
    const { js, seen } = await delivered(2, { ack_policy: 'none' });
    await using _ = js;
    assert.deepEqual(await info(js), { floor: 2, pending: 0, redelivered: 0 });
    assert.equal(js.ack(seen[0]!), false);
  });

  test('-NAK: again at once, or later', async () => {
    const { js, seen } = await delivered(3);
    await using _ = js;
    const inbox = js.pull('S', 'c', { batch: 10, expires: 100 * second });
    js.ack(seen[0]!, '-NAK');
    await js.settle();
    assert.deepEqual(inbox.texts, ['1']);
    assert.match(inbox.seen[0]!.reply!, /^\$JS\.ACK\.S\.c\.2\.1\.4\./);
    js.ack(seen[1]!, '-NAK {"delay": 300000000}');
    js.ack(seen[2]!, '-NAK 5s');
    await js.advance(299);
    assert.deepEqual(inbox.texts, ['1']);
    await js.advance(1);
    assert.deepEqual(inbox.texts, ['1', '2']);
    await js.advance(4700);
    assert.deepEqual(inbox.texts, ['1', '2', '3']);
    assert.equal((await info(js)).redelivered, 3);
  });

  test('+WPI: the whole ack wait begins again', async () => {
    const { js, seen } = await delivered(1, { ack_wait: 10 * second });
    await using _ = js;
    const inbox = js.pull('S', 'c', { expires: 100 * second });
    await js.advance(9000);
    js.ack(seen[0]!, '+WPI');
    await js.advance(9000);
    assert.deepEqual(inbox.texts, []);
    await js.advance(1000);
    assert.deepEqual(inbox.texts, ['1']);
  });

  test('silence: again after the ack wait, each time after its own backoff', async () => {
    const { js } = await delivered(1, { backoff: [second, 5 * second] });
    await using _ = js;
    const inbox = js.pull('S', 'c', { batch: 5, expires: 100 * second });
    await js.advance(1000);
    assert.equal(inbox.seen.length, 1);
    await js.advance(4999);
    assert.equal(inbox.seen.length, 1);
    await js.advance(1);
    assert.equal(inbox.seen.length, 2);
    await js.advance(5000);
    assert.equal(inbox.seen.length, 3);
  });

  test('+TERM: never again, with an advisory that says why', async () => {
    const { js, seen } = await delivered(1, { ack_wait: second });
    await using _ = js;
    const advisories = js.listen('$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.S.c');
    const inbox = js.pull('S', 'c', { expires: 100 * second });
    js.ack(seen[0]!, '+TERM no good');
    await js.advance(50_000);
    assert.deepEqual(inbox.texts, []);
    const { type, reason, stream_seq, consumer_seq, deliveries } = JSON.parse(advisories.seen[0]!.value);
    assert.deepEqual(
      { type, reason, stream_seq, consumer_seq, deliveries },
      {
        type: 'io.nats.jetstream.advisory.v1.terminated',
        reason: 'no good',
        stream_seq: 1,
        consumer_seq: 1,
        deliveries: 1,
      },
    );
  });

  test('are measured where a sample is asked for', async () => {
    const { js, seen } = await delivered(2, { sample_freq: '100%' });
    await using _ = js;
    const metrics = js.listen('$JS.EVENT.METRIC.CONSUMER.ACK.S.c');
    await js.advance(25);
    js.ack(seen[1]!);
    js.ack(seen[1]!);
    const { type, stream_seq, consumer_seq, deliveries, ack_time } = JSON.parse(metrics.seen[0]!.value);
    assert.deepEqual(
      { type, stream_seq, consumer_seq, deliveries, ack_time },
      {
        type: 'io.nats.jetstream.metric.v1.consumer_ack',
        stream_seq: 2,
        consumer_seq: 2,
        deliveries: 1,
        ack_time: 25_000_000,
      },
    );
    assert.equal(metrics.seen.length, 1);
  });

  test('+NXT: done, and the next ones to the reply', async () => {
    const { js, seen } = await delivered(1);
    await using _ = js;
    for (let i = 2; i <= 5; i++) await js.publish('s.a', `${i}`);
    const { subject, listener } = js.inbox();
    js.ack(seen[0]!, '+NXT', subject);
    await js.settle();
    assert.deepEqual(listener.texts, ['2']);
    js.ack(listener.take()[0]!, '+NXT {"batch": 2}', subject);
    await js.settle();
    assert.deepEqual(listener.texts, ['3', '4']);
    assert.equal((await info(js)).floor, 2);
  });

  test('acks of many consumers in turn find their own', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'] });
    for (let i = 0; i < 4; i++) await js.publish('s.a', `${i}`);
    const inboxes = [];
    for (const name of ['c', 'cc', 'd']) {
      await js.addConsumer('S', name);
      inboxes.push(js.pull('S', name, '4'));
    }
    await js.settle();
    for (let i = 0; i < 4; i++) for (const inbox of inboxes) js.ack(inbox.seen[i]!);
    for (const name of ['c', 'cc', 'd']) {
      assert.equal((await js.api(`CONSUMER.INFO.S.${name}`)).ack_floor.stream_seq, 4, name);
    }
  });
});

describe('dead letters', () => {
  test('after max_deliver a message goes to a stream of its own, with its story in headers', async () => {
    const { js, seen } = await delivered(2, { max_deliver: 2, ack_wait: second });
    await using _ = js;
    const advisories = js.listen('$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>');
    js.ack(seen[1]!);
    assert.equal((await js.api('STREAM.INFO.S-c-dlq')).error?.err_code, 10059);
    const again = js.pull('S', 'c', { batch: 9, expires: 100 * second });
    await js.advance(1000);
    assert.deepEqual(again.texts, ['1']);
    await js.advance(1000);
    await js.settle();
    assert.equal(again.seen.length, 1);
    const { config, state } = await js.api('STREAM.INFO.S-c-dlq');
    assert.deepEqual(config.subjects, ['S-c-dlq']);
    assert.equal(state.messages, 1);
    const { type, stream_seq, deliveries } = JSON.parse(advisories.seen[0]!.value);
    assert.deepEqual(
      { type, stream_seq, deliveries },
      { type: 'io.nats.jetstream.advisory.v1.max_deliver', stream_seq: 1, deliveries: 2 },
    );
    assert.equal((await info(js)).pending, 0);

    await js.addConsumer('S-c-dlq', 'undertaker');
    const inbox = js.pull('S-c-dlq', 'undertaker');
    await js.settle();
    const [letter] = inbox.seen;
    assert.equal(letter?.subject, 'S-c-dlq');
    assert.equal(letter.value, '1');
    assert.equal(letter.headers['Pillarbox-Dead-Letter-Key'], 's.a');
    assert.equal(letter.headers['Pillarbox-Dead-Letter-Topic'], 'S');
    assert.equal(letter.headers['Pillarbox-Dead-Letter-Group'], 'c');
    assert.equal(letter.headers['Pillarbox-Dead-Letter-Offset'], '0');
    assert.equal(letter.headers['Pillarbox-Dead-Letter-Deliveries'], '2');
    assert.match(letter.headers['Pillarbox-Dead-Letter-Cause']!, /max-deliveries/);
  });

  test('turned off, the message stays in its stream and is passed over', async () => {
    const { js } = await delivered(1, {
      max_deliver: 1,
      ack_wait: second,
      metadata: { 'pillarbox.dead-letter': 'none' },
    });
    await using _ = js;
    await js.advance(1000);
    assert.deepEqual(await info(js), { floor: 1, pending: 0, redelivered: 0 });
    assert.equal((await js.api('STREAM.INFO.S')).state.messages, 1);
    assert.deepEqual((await js.api('STREAM.NAMES')).streams, ['S']);
  });
});
