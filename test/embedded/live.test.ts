import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytes, text, BoxError, ValueError } from '../../src/index.ts';
import { Gate, collect, openTestBox, settle } from './kit.ts';

describe('live', () => {
  test('a message goes to all current subscribers', async () => {
    await using t = await openTestBox();
    const { live } = t.box;
    assert.equal(live.publish('a.b', 'nobody'), 0);
    const [one, all, other] = [live.subscribe('a.*'), live.subscribe('>'), live.subscribe('a.c')];
    assert.equal(live.publish('a.b', { n: 1 }, { headers: { Trace: 'x' } }), 2);
    for (const subscription of [one, all]) {
      const { value: message } = await subscription.next();
      assert.deepEqual(
        [message?.subject, message?.value, message?.headers.get('Trace')],
        ['a.b', { n: 1 }, 'x'],
      );
    }
    await one.close();
    assert.equal(live.publish('a.b', 2), 1);
    await other.close();
    assert.equal((await other.next()).done, true);
  });

  test('members of a queue share', async () => {
    await using t = await openTestBox();
    const { live } = t.box;
    const members = [live.subscribe('jobs', { queue: 'q' }), live.subscribe('jobs', { queue: 'q' })];
    for (let i = 0; i < 100; i++) assert.equal(live.publish('jobs', i), 1);
    await Promise.all(members.map((member) => settle().then(() => member)));
    const end = new AbortController();
    const counts = members.map(async (member) => {
      let count = 0;
      end.signal.addEventListener('abort', () => void member.close());
      for await (const _ of member) count++;
      return count;
    });
    await settle();
    end.abort();
    const [first, second] = await Promise.all(counts);
    assert.equal(first! + second!, 100);
    assert.ok(first! > 20 && second! > 20, `${first} : ${second}`);
  });

  test('values are read when they are asked for', async () => {
    await using t = await openTestBox();
    const { live } = t.box;
    const feed = live.subscribe('s');
    live.publish('s', 'not { json', { codec: text });
    const { value: message } = await feed.next();
    assert.throws(() => message?.value, ValueError);
    assert.equal(Buffer.from(message!.bytes).toString(), 'not { json');
    const texts = live.subscribe('s', { codec: text });
    live.publish('s', Buffer.from('raw'), { codec: bytes });
    const value: string = (await texts.next()).value!.value;
    assert.equal(value, 'raw');
  });

  test('messages are dropped, and counted, if a loop is too slow', async () => {
    await using t = await openTestBox();
    const feed = t.box.live.subscribe('s', { bufferedMax: 3 });
    const taken = [1, 2, 3, 4, 5].map((value) => t.box.live.publish('s', value));
    assert.deepEqual(taken, [1, 1, 1, 0, 0]);
    assert.equal(feed.dropped, 2);
    assert.equal((await feed.next()).value?.value, 1);
    assert.equal(t.box.live.publish('s', 6), 1);
  });

  test('in a queue, a member that is full is spared', async () => {
    await using t = await openTestBox();
    const full = t.box.live.subscribe('s', { queue: 'q', bufferedMax: 1 });
    const free = t.box.live.subscribe('s', { queue: 'q' });
    for (let i = 0; i < 50; i++) assert.equal(t.box.live.publish('s', i), 1);
    assert.equal(full.dropped, 0);
    await free.close();
  });

  test('a topic keeps messages that it captures, and groups get them', async () => {
    await using t = await openTestBox();
    const topic = await t.box.topic('orders', { subjects: ['orders.>'] });
    const feed = t.box.live.subscribe('orders.*');
    assert.equal(t.box.live.publish('orders.eu', { id: 1 }, { headers: { a: 'b' } }), 1);
    assert.deepEqual((await feed.next()).value?.value, { id: 1 });
    const message = await (await topic.group('g')).next();
    assert.deepEqual(
      [message?.value, message?.key, message?.headers.get('a')],
      [{ id: 1 }, 'orders.eu', 'b'],
    );
  });

  test('a pattern that is none is refused', async () => {
    await using t = await openTestBox();
    assert.throws(() => t.box.live.subscribe('a..b'), { code: 'option-invalid' });
  });

  test('ends with its signal, and with the box', async () => {
    await using t = await openTestBox();
    const end = new AbortController();
    const first = collect(t.box.live.subscribe('s', { signal: end.signal }));
    const second = collect(t.box.live.subscribe('s'));
    end.abort();
    assert.deepEqual(await first, []);
    await t.box.close();
    assert.deepEqual(await second, []);
  });
});

describe('live requests', () => {
  test('are handled as many at once as concurrency says', async () => {
    await using t = await openTestBox();
    const { live } = t.box;
    const gates: Gate[] = [];
    live.respond(
      'slow',
      async (message) => {
        const gate = new Gate();
        gates.push(gate);
        await gate.passed;
        return message.value;
      },
      { concurrency: 2 },
    );
    const answers = [1, 2, 3].map(async (n) => (await live.request('slow', n)).value);
    await settle();
    assert.equal(gates.length, 2);
    gates[1]!.open();
    await settle();
    assert.equal(gates.length, 3);
    for (const gate of gates) gate.open();
    assert.deepEqual(await Promise.all(answers), [1, 2, 3]);
  });

  test('are answered by the result of the handler', async () => {
    await using t = await openTestBox();
    const { live } = t.box;
    await using _ = live.respond('sum.*', async (message) =>
      (message.value as number[]).reduce((a, b) => a + b),
    );
    const answers = await Promise.all([live.request('sum.a', [1, 2]), live.request('sum.b', [3, 4])]);
    assert.deepEqual(
      answers.map(({ value }) => value),
      [3, 7],
    );
  });

  test('can be answered by a loop', async () => {
    await using t = await openTestBox();
    const { live } = t.box;
    const requests = live.subscribe('echo');
    const answer = live.request('echo', 'hello');
    const { value: request } = await requests.next();
    assert.equal(request?.respond(`${String(request.value)}!`), 1);
    assert.equal((await answer).value, 'hello!');
    live.publish('echo', 'no request');
    const { value: message } = await requests.next();
    assert.throws(() => message?.respond('x'), BoxError);
  });

  test('say why they were not answered', async () => {
    await using t = await openTestBox();
    const { live } = t.box;
    await assert.rejects(live.request('nobody', 1), { code: 'no-responders' });
    const silent = live.subscribe('silent');
    const late = assert.rejects(live.request('silent', 1, { timeoutMs: 100 }), { code: 'request-timeout' });
    await settle();
    t.clock.advance(100);
    await late;
    const { value: request } = await silent.next();
    assert.equal(request?.respond('too late'), 0, 'nobody waits any more');
    const end = new AbortController();
    const aborted = assert.rejects(live.request('silent', 1, { signal: end.signal }), { message: 'enough' });
    end.abort(new Error('enough'));
    await aborted;
    const errors: unknown[] = [];
    live.respond(
      'broken',
      () => {
        throw new Error('out of order');
      },
      { onError: (error) => errors.push(error) },
    );
    await assert.rejects(live.request('broken', 1), { code: 'request-failed', message: /out of order/ });
    assert.equal(errors.length, 1);
  });
});
