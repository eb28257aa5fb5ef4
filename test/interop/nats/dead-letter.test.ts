/**
 * Dead-letter topics are ours on top of NATS: nats-server has none. To NATS clients they are plain streams.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, type ConsumerConfig, RetentionPolicy, type StoredMsg } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { eventually, serverKind, uniqueName } from '../../support/index.ts';
import { MILLISECOND_NS, SECOND_NS, collect, rejectsWithCode, useNats } from './clients.ts';

const skip = serverKind === 'pillarbox' ? false : 'nats-server has no dead-letter topics';

describe('dead letters over NATS', { concurrency: 8, timeout: 60_000, skip }, () => {
  const { nc, jsm, js, addStream } = useNats();

  const addPoison = async (
    config: Partial<ConsumerConfig> = {},
    retention: RetentionPolicy = RetentionPolicy.Workqueue,
  ): Promise<string> => {
    const { name } = await addStream({ retention });
    const sent = headers();
    sent.set('Trace-Id', 'abc');
    await js().publish(`${name}.poison`, 'body', { headers: sent, msgID: 'id-1' });
    await jsm().consumers.add(name, {
      durable_name: 'c',
      ack_policy: AckPolicy.Explicit,
      ack_wait: 3600 * SECOND_NS,
      max_deliver: 2,
      ...config,
    });
    return name;
  };
  const refuse = async (name: string, times: number): Promise<void> => {
    const consumer = await js().consumers.get(name, 'c');
    for (let i = 0; i < times; i += 1) {
      const message = await consumer.next({ expires: 20_000 });
      assert.ok(message, 'no message came');
      message.nak();
    }
  };
  const readFirst = (stream: string): Promise<StoredMsg> =>
    eventually(async () => jsm().streams.getMessage(stream, { seq: 1 }), {
      message: `a message in ${stream}`,
    });

  test('the stream comes into being with its first message', async () => {
    const name = await addPoison();
    await refuse(name, 1);
    await rejectsWithCode(jsm().streams.info(`${name}-c-dlq`), 10059);
    await refuse(name, 1);
    const message = await readFirst(`${name}-c-dlq`);
    assert.equal(message.string(), 'body');
    assert.ok((await collect(jsm().streams.names())).includes(`${name}-c-dlq`));
  });

  test('headers say where it comes from, why, how often and when', async () => {
    const name = await addPoison();
    const started = Date.now();
    await refuse(name, 2);
    const { header } = await readFirst(`${name}-c-dlq`);
    const read = (part: string): string => header.get(`Pillarbox-Dead-Letter-${part}`);
    assert.equal(header.get('Trace-Id'), 'abc');
    assert.equal(read('Topic'), name);
    assert.equal(read('Group'), 'c');
    assert.equal(read('Offset'), '0');
    assert.equal(read('Key'), `${name}.poison`);
    assert.equal(read('Cause'), 'max-deliveries');
    assert.equal(read('Deliveries'), '2');
    assert.ok(Math.abs(Date.parse(read('Time')) - started) < 60_000, read('Time'));
  });

  test('moved out of a work queue, copied out of a stream with limits', async () => {
    for (const [retention, left] of [
      [RetentionPolicy.Workqueue, 0],
      [RetentionPolicy.Limits, 1],
    ] as const) {
      const name = await addPoison({}, retention);
      await refuse(name, 2);
      await readFirst(`${name}-c-dlq`);
      await eventually(async () => (await jsm().streams.info(name)).state.messages === left);
      const info = await jsm().consumers.info(name, 'c');
      assert.equal(info.num_ack_pending, 0);
      assert.equal(info.ack_floor.stream_seq, 1);
    }
  });

  test('the advisory is sent as well', async () => {
    const name = await addPoison();
    const subscription = nc().subscribe(`$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${name}.c`, { max: 1 });
    await refuse(name, 2);
    const [advisory] = await collect(subscription);
    const { type, stream_seq, deliveries } = advisory?.json<Record<string, unknown>>() ?? {};
    assert.deepEqual(
      { type, stream_seq, deliveries },
      { type: 'io.nats.jetstream.advisory.v1.max_deliver', stream_seq: 1, deliveries: 2 },
    );
  });

  test('a message that is never acked in time', async () => {
    const name = await addPoison({ ack_wait: 200 * MILLISECOND_NS });
    const consumer = await js().consumers.get(name, 'c');
    for (let i = 0; i < 2; i += 1) assert.ok(await consumer.next({ expires: 20_000 }));
    assert.equal(
      (await readFirst(`${name}-c-dlq`)).header.get('Pillarbox-Dead-Letter-Cause'),
      'max-deliveries',
    );
  });

  test('a terminated message, with its reason', async () => {
    const name = await addPoison();
    (await (await js().consumers.get(name, 'c')).next({ expires: 20_000 }))?.term('not valid');
    assert.equal(
      (await readFirst(`${name}-c-dlq`)).header.get('Pillarbox-Dead-Letter-Cause'),
      'rejected: not valid',
    );
  });

  test('a name of its own in the metadata of the consumer', async () => {
    const letters = uniqueName('letters');
    const name = await addPoison({ metadata: { 'pillarbox.dead-letter': letters } });
    await refuse(name, 2);
    assert.equal((await readFirst(letters)).string(), 'body');
    await rejectsWithCode(jsm().streams.info(`${name}-c-dlq`), 10059);
  });

  test('two consumers may share a dead-letter topic', async () => {
    const letters = uniqueName('letters');
    const names = [
      await addPoison({ metadata: { 'pillarbox.dead-letter': letters } }),
      await addPoison({ metadata: { 'pillarbox.dead-letter': letters } }),
    ];
    for (const name of names) await refuse(name, 2);
    await eventually(async () => (await jsm().streams.info(letters)).state.messages === 2);
  });

  test('none where max_deliver is not limited', async () => {
    const name = await addPoison({ max_deliver: -1 });
    await refuse(name, 5);
    await rejectsWithCode(jsm().streams.info(`${name}-c-dlq`), 10059);
    assert.equal((await jsm().streams.info(name)).state.messages, 1);
  });

  test('a dead letter is consumed like any message', async () => {
    const name = await addPoison();
    await refuse(name, 2);
    await readFirst(`${name}-c-dlq`);
    await jsm().consumers.add(`${name}-c-dlq`, { durable_name: 'repair', ack_policy: AckPolicy.Explicit });
    const message = await (await js().consumers.get(`${name}-c-dlq`, 'repair')).next({ expires: 20_000 });
    assert.equal(message?.string(), 'body');
    assert.equal(await message.ackAck(), true);
  });
});
