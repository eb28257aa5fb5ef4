import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy } from '@nats-io/jetstream';
import { eventually, parallel, uniqueName } from '../../support/index.ts';
import { SECOND_NS, collect, isAtLeast, take, useNats } from './clients.ts';

describe('JetStream consumers under control', parallel, () => {
  const { nc, jsm, js, addStream } = useNats();

  test('pause and resume', async () => {
    const { name } = await addStream();
    await js().publish(`${name}.a`);
    await jsm().consumers.add(name, { durable_name: 'c', ack_policy: AckPolicy.Explicit });
    const until = new Date(Date.now() + 3_600_000);
    const paused = await jsm().consumers.pause(name, 'c', until);
    assert.equal(paused.paused, true);
    assert.equal(Date.parse(paused.pause_until ?? ''), until.getTime());
    const info = await jsm().consumers.info(name, 'c');
    assert.equal(info.paused, true);
    assert.ok(info.pause_remaining > 3000 * SECOND_NS);
    assert.equal(Date.parse(info.config.pause_until ?? ''), until.getTime());
    const consumer = await js().consumers.get(name, 'c');
    assert.deepEqual(await collect(await consumer.fetch({ max_messages: 1, expires: 1000 })), []);
    // A consumer that waits gets its messages as soon as it is resumed.
    const waiting = consumer.next({ expires: 30_000 });
    const resumed = await jsm().consumers.resume(name, 'c');
    assert.equal(resumed.paused, false);
    assert.equal((await waiting)?.seq, 1);
    assert.notEqual((await jsm().consumers.info(name, 'c')).paused, true);
  });

  test('a pause ends by itself', async () => {
    const { name } = await addStream();
    await js().publish(`${name}.a`);
    await jsm().consumers.add(name, {
      durable_name: 'c',
      ack_policy: AckPolicy.Explicit,
      pause_until: new Date(Date.now() + 500).toISOString(),
    });
    const message = await (await js().consumers.get(name, 'c')).next({ expires: 30_000 });
    assert.equal(message?.seq, 1);
  });

  test('reset to a sequence', async (t) => {
    if (!isAtLeast(nc(), 2, 14))
      return t.skip(`the client resets from 2.14 on; the server says ${nc().info?.version}`);
    const { name } = await addStream();
    for (let i = 1; i <= 5; i += 1) await js().publish(`${name}.a`, `${i}`);
    await jsm().consumers.add(name, { durable_name: 'c', ack_policy: AckPolicy.Explicit });
    const consumer = await js().consumers.get(name, 'c');
    for await (const message of await consumer.fetch({ max_messages: 5 }))
      assert.equal(await message.ackAck(), true);
    const answer = await jsm().consumers.reset(name, 'c', 4);
    assert.equal(answer.reset_seq, 4);
    assert.equal(answer.num_pending, 2);
    const again = await take(await consumer.fetch({ max_messages: 2 }), 2);
    assert.deepEqual(
      again.map((message) => message.string()),
      ['4', '5'],
    );
  });

  test('streams and consumers are announced', async () => {
    const name = uniqueName('stream');
    const seen: string[] = [];
    for (const kind of [`STREAM.*.${name}`, `CONSUMER.*.${name}.c`]) {
      nc().subscribe(`$JS.EVENT.ADVISORY.${kind}`, {
        callback: (_, message) => {
          const { type, stream, consumer, action } = message.json<Record<string, string>>();
          seen.push([type, stream === name, consumer, action].join(' '));
        },
      });
    }
    await addStream({ name });
    await jsm().streams.update(name, { max_msgs: 5 });
    await jsm().consumers.add(name, { durable_name: 'c', ack_policy: AckPolicy.Explicit });
    await jsm().consumers.delete(name, 'c');
    // A stream takes its consumers along.
    await jsm().consumers.add(name, { durable_name: 'c', ack_policy: AckPolicy.Explicit });
    await jsm().streams.delete(name);
    const stream = 'io.nats.jetstream.advisory.v1.stream_action true ';
    const consumer = 'io.nats.jetstream.advisory.v1.consumer_action true c';
    await eventually(() => seen.length >= 7);
    assert.deepEqual(
      seen.sort(),
      [
        `${consumer} create`,
        `${consumer} create`,
        `${consumer} delete`,
        `${consumer} delete`,
        `${stream} create`,
        `${stream} delete`,
        `${stream} modify`,
      ].sort(),
    );
  });
});
