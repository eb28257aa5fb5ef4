import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Msg,
  NoRespondersError,
  RequestError,
  TimeoutError,
  createInbox,
  headers,
} from '@nats-io/transport-node';
import { parallel, uniqueName } from '../../support/index.ts';
import { collect, patient, take, useNats } from './clients.ts';

describe('core NATS with @nats-io/transport-node', parallel, () => {
  const { nc, connect } = useNats();
  const texts = (messages: readonly Msg[]): string[] => messages.map((message) => message.string());

  test('a published message reaches every subscriber, in order', async () => {
    const subject = uniqueName('core');
    await using other = await connect();
    const subscriptions = [nc().subscribe(subject), nc().subscribe(subject), other.subscribe(subject)];
    await other.flush();
    const sent = Array.from({ length: 100 }, (_, i) => `message ${i}`);
    for (const text of sent) nc().publish(subject, text);
    for (const subscription of subscriptions) assert.deepEqual(texts(await take(subscription, 100)), sent);
  });

  test('wildcards', async () => {
    const base = uniqueName('core');
    const seen: string[] = [];
    const listen = (pattern: string): void => {
      nc().subscribe(`${base}.${pattern}`, {
        callback: (_, message) => void seen.push(`${pattern} ${message.subject.slice(base.length + 1)}`),
      });
    };
    for (const pattern of ['a.b', '*.b', 'a.*', 'a.>', '>', '*']) listen(pattern);
    for (const subject of ['a', 'a.b', 'a.b.c', 'b.b']) nc().publish(`${base}.${subject}`);
    await nc().flush();
    assert.deepEqual(seen.sort(), [
      '* a',
      '*.b a.b',
      '*.b b.b',
      '> a',
      '> a.b',
      '> a.b.c',
      '> b.b',
      'a.* a.b',
      'a.> a.b',
      'a.> a.b.c',
      'a.b a.b',
    ]);
  });

  test('a queue group shares, a plain subscriber gets everything', async () => {
    const subject = uniqueName('core');
    await using other = await connect();
    const counts = [0, 0, 0, 0];
    const count = (index: number) => () => void (counts[index] = (counts[index] ?? 0) + 1);
    nc().subscribe(subject, { queue: 'workers', callback: count(0) });
    other.subscribe(subject, { queue: 'workers', callback: count(1) });
    other.subscribe(subject, { queue: 'others', callback: count(2) });
    nc().subscribe(subject, { callback: count(3) });
    await other.flush();
    for (let i = 0; i < 300; i += 1) nc().publish(subject);
    await nc().flush();
    await other.flush();
    const [first = 0, second = 0, others, plain] = counts;
    assert.equal(first + second, 300);
    assert.ok(first > 0 && second > 0, `shared ${first} : ${second}`);
    assert.equal(others, 300);
    assert.equal(plain, 300);
  });

  test('headers arrive whole: case, order, repeated names', async () => {
    const subject = uniqueName('core');
    const subscription = nc().subscribe(subject, { max: 1 });
    const sent = headers();
    sent.append('X-Color', 'red');
    sent.append('X-Color', 'blue');
    sent.set('lower-case', 'värde');
    nc().publish(subject, 'body', { headers: sent });
    const [message] = await take(subscription, 1);
    assert.deepEqual(message?.headers?.values('X-Color'), ['red', 'blue']);
    assert.equal(message?.headers?.get('lower-case'), 'värde');
    assert.deepEqual(message?.headers?.keys(), ['X-Color', 'lower-case']);
    assert.equal(message?.string(), 'body');
  });

  test('bytes arrive whole, up to max_payload', async () => {
    const subject = uniqueName('core');
    const subscription = nc().subscribe(subject, { max: 4 });
    const sizes = [0, 1, 65_537, nc().info?.max_payload ?? 0];
    const payloads = sizes.map((size) => Uint8Array.from({ length: size }, (_, i) => (i * 31) & 0xff));
    for (const payload of payloads) nc().publish(subject, payload);
    const received = await collect(subscription);
    for (const [i, payload] of payloads.entries())
      assert.ok(Buffer.from(payload).equals(received[i]?.data ?? Buffer.of(1)), `${sizes[i]} bytes`);
  });

  test('request and reply', async () => {
    const subject = uniqueName('core');
    nc().subscribe(subject, {
      callback: (_, message) => {
        const answer = headers();
        answer.set('Seen', message.headers?.get('Ask') ?? '');
        message.respond(`re: ${message.string()}`, { headers: answer });
      },
    });
    await nc().flush(); // the other connection asks: the subscription must be there by then
    const ask = headers();
    ask.set('Ask', 'yes');
    await using other = await connect();
    const reply = await other.request(subject, 'hello', { ...patient, headers: ask });
    assert.equal(reply.string(), 're: hello');
    assert.equal(reply.headers?.get('Seen'), 'yes');
    const replies = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => (await other.request(subject, `${i}`, patient)).string()),
    );
    assert.deepEqual(
      replies,
      Array.from({ length: 200 }, (_, i) => `re: ${i}`),
    );
  });

  test('a request with noMux and several answers', async () => {
    const subject = uniqueName('core');
    const answer = (_: Error | null, message: Msg): void => void message.respond('x');
    nc().subscribe(subject, { callback: answer });
    nc().subscribe(subject, { callback: answer });
    assert.equal((await nc().request(subject, '', { ...patient, noMux: true })).string(), 'x');
    const many = await nc().requestMany(subject, '', { strategy: 'count', maxMessages: 2, maxWait: 5000 });
    assert.deepEqual(texts(await collect(many)), ['x', 'x']);
  });

  test('a request without a listener fails at once', async () => {
    const subject = uniqueName('core');
    await assert.rejects(nc().request(subject, '', { timeout: 60_000 }), (error) => {
      assert.ok(error instanceof RequestError);
      assert.ok(error.cause instanceof NoRespondersError);
      assert.equal(error.cause.subject, subject);
      return true;
    });
  });

  test('a request without an answer times out', async () => {
    const subject = uniqueName('core');
    nc().subscribe(subject, { callback: () => {} });
    await assert.rejects(nc().request(subject, '', { timeout: 200 }), TimeoutError);
  });

  test('a payload over max_payload is refused and closes the connection', async () => {
    // The client checks first; told of a larger limit, it lets the server answer.
    await using other = await connect({ reconnect: false });
    assert.ok(other.info);
    const size = other.info.max_payload + 1;
    assert.throws(() => other.publish(uniqueName('core'), new Uint8Array(size)), /max_payload/);
    other.info.max_payload = size;
    other.publish(uniqueName('core'), new Uint8Array(size));
    // The client may be writing still when the server closes: then it hears of a reset and never of the
    // reason, which the wire transcripts check.
    assert.ok((await other.closed()) instanceof Error);
  });

  test('echo off', async () => {
    const subject = uniqueName('core');
    await using quiet = await connect({ noEcho: true });
    let own = 0;
    quiet.subscribe(subject, { callback: () => void (own += 1) });
    const subscription = nc().subscribe(subject, { max: 1 });
    await nc().flush();
    quiet.publish(subject, 'once');
    await quiet.flush();
    assert.equal((await take(subscription, 1))[0]?.string(), 'once');
    assert.equal(own, 0);
  });

  test('unsubscribe after a maximum', async () => {
    const subject = uniqueName('core');
    const subscription = nc().subscribe(subject, { max: 3 });
    for (let i = 0; i < 10; i += 1) nc().publish(subject, `${i}`);
    assert.deepEqual(texts(await collect(subscription)), ['0', '1', '2']);
  });

  test('flush returns after all earlier messages were delivered', async () => {
    const subject = uniqueName('core');
    let received = 0;
    nc().subscribe(subject, { callback: () => void (received += 1) });
    for (let round = 1; round <= 20; round += 1) {
      for (let i = 0; i < 50; i += 1) nc().publish(subject, 'x'.repeat(100));
      await nc().flush();
      assert.equal(received, round * 50);
    }
  });

  test('drain of a subscription delivers messages sent before', async () => {
    const subject = uniqueName('core');
    await using other = await connect();
    const subscription = nc().subscribe(subject);
    await nc().flush();
    for (let i = 0; i < 500; i += 1) other.publish(subject, `${i}`);
    await other.flush();
    await subscription.drain();
    assert.equal((await collect(subscription)).length, 500);
  });

  test('drain of a connection sends and delivers everything, then closes', async () => {
    const subject = uniqueName('core');
    const inbound = nc().subscribe(subject, { max: 500 });
    await nc().flush();
    const other = await connect();
    for (let i = 0; i < 500; i += 1) other.publish(subject, `${i}`);
    await other.drain();
    assert.ok(other.isClosed());
    assert.equal((await collect(inbound)).length, 500);
  });

  test('many subscriptions on one connection', async () => {
    const base = uniqueName('core');
    await using other = await connect();
    const received = new Set<string>();
    const count = 5000;
    for (let i = 0; i < count; i += 1)
      other.subscribe(`${base}.${i}`, { callback: (_, message) => void received.add(message.subject) });
    await other.flush();
    for (let i = 0; i < count; i += 1) nc().publish(`${base}.${i}`);
    await nc().flush();
    await other.flush();
    assert.equal(received.size, count);
  });

  test('a reply goes to the inbox it names', async () => {
    const inbox = createInbox();
    const subscription = nc().subscribe(inbox, { max: 1 });
    const subject = uniqueName('core');
    nc().subscribe(subject, { callback: (_, message) => void message.respond('here') });
    nc().publish(subject, '', { reply: inbox });
    assert.equal((await take(subscription, 1))[0]?.subject, inbox);
  });

  test('the client measures a round trip and sees the server it asked for', async () => {
    assert.ok((await nc().rtt()) >= 0);
    assert.equal(nc().info?.headers, true);
    assert.equal(nc().info?.jetstream, true);
  });
});
