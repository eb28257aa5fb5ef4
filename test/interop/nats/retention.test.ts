import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DiscardPolicy, RetentionPolicy } from '@nats-io/jetstream';
import { eventually, parallel } from '../../support/index.ts';
import { SECOND_NS, header, rejectsWithCode, useNats } from './clients.ts';

describe('JetStream limits and retention', parallel, () => {
  const { jsm, js, addStream, readState } = useNats();

  describe('limits', parallel, () => {
    const publishMany = async (name: string, count: number, payload = 'x', subject = 'a'): Promise<void> => {
      for (let i = 0; i < count; i += 1) await js().publish(`${name}.${subject}`, payload);
    };

    test('max_msgs drops the oldest', async () => {
      const { name } = await addStream({ max_msgs: 3 });
      await publishMany(name, 10);
      const state = await readState(name);
      assert.equal(state.messages, 3);
      assert.equal(state.first_seq, 8);
      assert.equal(state.last_seq, 10);
    });

    test('max_msgs with discard new refuses', async () => {
      const { name } = await addStream({ max_msgs: 2, discard: DiscardPolicy.New });
      await publishMany(name, 2);
      assert.equal(await rejectsWithCode(js().publish(`${name}.a`), 10077), 'maximum messages exceeded');
      await jsm().streams.deleteMessage(name, 1);
      assert.equal((await js().publish(`${name}.a`)).seq, 3);
    });

    test('max_bytes drops the oldest', async () => {
      const { name } = await addStream({ max_bytes: 2000 });
      await publishMany(name, 20, 'x'.repeat(400));
      const state = await readState(name);
      assert.ok(state.bytes <= 2000 && state.bytes >= 1200, `${state.bytes} bytes`);
      assert.ok(state.messages >= 3 && state.messages <= 4, `${state.messages} messages`);
      assert.equal(state.last_seq, 20);
    });

    test('max_bytes with discard new refuses', async () => {
      const { name } = await addStream({ max_bytes: 1000, discard: DiscardPolicy.New });
      await publishMany(name, 1, 'x'.repeat(600));
      assert.equal(
        await rejectsWithCode(js().publish(`${name}.a`, 'x'.repeat(600)), 10077),
        'maximum bytes exceeded',
      );
      assert.equal((await readState(name)).messages, 1);
    });

    test('max_age', async () => {
      const { name } = await addStream({ max_age: 3 * SECOND_NS });
      await publishMany(name, 5);
      assert.equal((await readState(name)).messages, 5);
      await eventually(async () => (await readState(name)).messages === 0);
      const state = await readState(name);
      assert.equal(state.last_seq, 5);
      assert.equal((await js().publish(`${name}.a`)).seq, 6);
    });

    test('max_msgs_per_subject keeps the last of each', async () => {
      const { name } = await addStream({ max_msgs_per_subject: 2 });
      await publishMany(name, 5);
      await publishMany(name, 1, 'x', 'b');
      await publishMany(name, 5);
      const state = await readState(name);
      assert.deepEqual(state.subjects, { [`${name}.a`]: 2, [`${name}.b`]: 1 });
      assert.equal(state.first_seq, 6);
    });

    test('max_msgs_per_subject with discard new per subject refuses', async () => {
      const { name } = await addStream({
        max_msgs_per_subject: 1,
        discard: DiscardPolicy.New,
        discard_new_per_subject: true,
      });
      await publishMany(name, 1);
      assert.equal(
        await rejectsWithCode(js().publish(`${name}.a`), 10077),
        'maximum messages per subject exceeded',
      );
      await publishMany(name, 1, 'x', 'b');
    });

    test('max_msg_size counts headers', async () => {
      const { name } = await addStream({ max_msg_size: 100 });
      await js().publish(`${name}.a`, 'x'.repeat(100));
      assert.equal(
        await rejectsWithCode(js().publish(`${name}.a`, 'x'.repeat(101)), 10054),
        'message size exceeds maximum allowed',
      );
      await rejectsWithCode(js().publish(`${name}.a`, 'x'.repeat(90), { headers: header('A', 'b') }), 10054);
    });

    test('headers of more than 64 KiB', async () => {
      const { name } = await addStream();
      const text = await rejectsWithCode(
        js().publish(`${name}.a`, '', { headers: header('Big', 'x'.repeat(70_000)) }),
        10097,
      );
      assert.equal(text, 'header size exceeds maximum allowed of 64k');
    });

    test('uses that the retention does not allow', async () => {
      const { name } = await addStream();
      const publish = (key: string, value: string): Promise<unknown> =>
        js().publish(`${name}.a`, '', { headers: header(key, value) });
      assert.equal(await rejectsWithCode(publish('Nats-TTL', '5s'), 10166), 'per-message TTL is disabled');
      assert.equal(await rejectsWithCode(publish('Nats-Incr', '+1'), 10168), 'message counters is disabled');
      assert.equal((await readState(name)).messages, 0);
    });
  });

  describe('retention', parallel, () => {
    test('interest: without a consumer nothing is kept, the sequence counts on', async () => {
      const { name } = await addStream({ retention: RetentionPolicy.Interest });
      assert.equal((await js().publish(`${name}.a`)).seq, 1);
      assert.equal((await js().publish(`${name}.a`)).seq, 2);
      assert.equal((await readState(name)).messages, 0);
    });

    test('interest: kept until every consumer has acked', async () => {
      const { name } = await addStream({ retention: RetentionPolicy.Interest });
      for (const durable of ['one', 'two'])
        await jsm().consumers.add(name, { durable_name: durable, ack_policy: 'explicit' });
      for (let i = 0; i < 3; i += 1) await js().publish(`${name}.a`, `${i}`);
      const ackAll = async (durable: string): Promise<void> => {
        const consumer = await js().consumers.get(name, durable);
        for await (const message of await consumer.fetch({ max_messages: 3 }))
          assert.equal(await message.ackAck(), true);
      };
      await ackAll('one');
      assert.equal((await readState(name)).messages, 3);
      await ackAll('two');
      await eventually(async () => (await readState(name)).messages === 0);
      assert.equal((await readState(name)).first_seq, 4);
    });

    test('interest: a deleted consumer waits for nothing', async () => {
      const { name } = await addStream({ retention: RetentionPolicy.Interest });
      await jsm().consumers.add(name, { durable_name: 'only', ack_policy: 'explicit' });
      await js().publish(`${name}.a`);
      assert.equal((await readState(name)).messages, 1);
      await jsm().consumers.delete(name, 'only');
      await eventually(async () => (await readState(name)).messages === 0);
    });

    test('interest: a filtered consumer is interested in its subjects only', async () => {
      const { name } = await addStream({ retention: RetentionPolicy.Interest });
      await jsm().consumers.add(name, {
        durable_name: 'a',
        ack_policy: 'explicit',
        filter_subject: `${name}.a`,
      });
      await js().publish(`${name}.a`);
      await js().publish(`${name}.b`);
      assert.deepEqual((await readState(name)).subjects, { [`${name}.a`]: 1 });
    });

    test('work queue: kept until acked, gone then', async () => {
      const { name } = await addStream({ retention: RetentionPolicy.Workqueue });
      for (let i = 0; i < 5; i += 1) await js().publish(`${name}.a`, `${i}`);
      assert.equal((await readState(name)).messages, 5);
      await jsm().consumers.add(name, { durable_name: 'worker', ack_policy: 'explicit' });
      const consumer = await js().consumers.get(name, 'worker');
      for await (const message of await consumer.fetch({ max_messages: 5 })) {
        // Out of order: the messages in front stay.
        if (message.seq % 2 === 0) assert.equal(await message.ackAck(), true);
      }
      await eventually(async () => (await readState(name)).messages === 3);
      assert.equal(await jsm().streams.getMessage(name, { seq: 2 }), null);
      assert.equal((await jsm().streams.getMessage(name, { seq: 3 }))?.string(), '2');
    });

    test('work queue: a terminated message is gone too', async () => {
      const { name } = await addStream({ retention: RetentionPolicy.Workqueue });
      await js().publish(`${name}.a`);
      await jsm().consumers.add(name, { durable_name: 'worker', ack_policy: 'explicit' });
      const message = await (await js().consumers.get(name, 'worker')).next();
      message?.term('no good');
      await eventually(async () => (await readState(name)).messages === 0);
    });

    test('limits: an ack deletes nothing', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.a`);
      await jsm().consumers.add(name, { durable_name: 'reader', ack_policy: 'explicit' });
      const message = await (await js().consumers.get(name, 'reader')).next();
      assert.equal(await message?.ackAck(), true);
      assert.equal((await readState(name)).messages, 1);
    });
  });
});
