import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JetStreamApiError } from '@nats-io/jetstream';
import { eventually, parallel } from '../../support/index.ts';
import { MILLISECOND_NS, header, patient, rejectsWithCode, useNats } from './clients.ts';

describe('JetStream publish', parallel, () => {
  const { nc, jsm, js, addStream, readState } = useNats();

  describe('acknowledgement', parallel, () => {
    test('names the stream and counts up', async () => {
      const { name } = await addStream();
      assert.deepEqual(await js().publish(`${name}.a`, 'x'), { stream: name, seq: 1, duplicate: false });
      assert.equal((await js().publish(`${name}.b`)).seq, 2);
      const raw = (await nc().request(`${name}.c`, '', patient)).json();
      assert.deepEqual(raw, { stream: name, seq: 3 });
    });

    test('many at once are all acknowledged, in order', async () => {
      const { name } = await addStream();
      const acks = await Promise.all(
        Array.from({ length: 1000 }, (_, i) => js().publish(`${name}.a`, `${i}`)),
      );
      assert.deepEqual(
        acks.map((ack) => ack.seq),
        Array.from({ length: 1000 }, (_, i) => i + 1),
      );
      assert.equal((await jsm().streams.getMessage(name, { seq: 777 }))?.string(), '776');
    });

    test('a publish without a reply is stored too', async () => {
      const { name } = await addStream();
      nc().publish(`${name}.a`, 'plain');
      await eventually(async () => (await readState(name)).messages === 1);
    });

    test('subscribers of the subject see the message as well', async () => {
      const { name } = await addStream();
      const subscription = nc().subscribe(`${name}.*`, { max: 1 });
      await js().publish(`${name}.a`, 'both');
      for await (const message of subscription) assert.equal(message.string(), 'both');
    });

    test('no stream means no responders', async () => {
      await assert.rejects(nc().request('nobody.captures.this', '', patient), /no responders/);
      await assert.rejects(js().publish('nobody.captures.this', '', { retries: 0 }), (error) =>
        String((error as Error).cause).includes('no responders'),
      );
    });

    test('a stream with no_ack does not answer', async () => {
      const { name } = await addStream({ no_ack: true });
      await assert.rejects(nc().request(`${name}.a`, '', { timeout: 300 }), /timeout/);
      await eventually(async () => (await readState(name)).messages === 1);
    });
  });

  describe('deduplication', parallel, () => {
    test('a message id is stored once', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.a`, 'first');
      assert.deepEqual(await js().publish(`${name}.a`, 'once', { msgID: 'id' }), {
        stream: name,
        seq: 2,
        duplicate: false,
      });
      assert.deepEqual(await js().publish(`${name}.b`, 'twice', { msgID: 'id' }), {
        stream: name,
        seq: 2,
        duplicate: true,
      });
      assert.equal((await readState(name)).messages, 2);
      assert.equal((await jsm().streams.getMessage(name, { seq: 2 }))?.header.get('Nats-Msg-Id'), 'id');
    });

    test('ids sent at once are stored once', async () => {
      const { name } = await addStream();
      const acks = await Promise.allSettled(
        Array.from({ length: 50 }, () => js().publish(`${name}.a`, '', { msgID: 'id' })),
      );
      assert.equal((await readState(name)).messages, 1);
      for (const ack of acks) {
        // Either the first one's answer, or 10158: the first is still being stored.
        if (ack.status === 'fulfilled') assert.equal(ack.value.seq, 1);
        else assert.equal((ack.reason as JetStreamApiError).code, 10158);
      }
    });

    test('an id is forgotten after the window', async () => {
      const { name } = await addStream({ duplicate_window: 100 * MILLISECOND_NS });
      await js().publish(`${name}.a`, '', { msgID: 'id' });
      await eventually(async () => !(await js().publish(`${name}.a`, '', { msgID: 'id' })).duplicate);
      assert.equal((await readState(name)).messages, 2);
    });

    test('an id is forgotten neither by a delete nor by a purge', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.a`, '', { msgID: 'one' });
      await js().publish(`${name}.a`, '', { msgID: 'two' });
      await jsm().streams.deleteMessage(name, 1);
      assert.equal((await js().publish(`${name}.a`, '', { msgID: 'one' })).duplicate, true);
      await jsm().streams.purge(name);
      assert.equal((await js().publish(`${name}.a`, '', { msgID: 'two' })).duplicate, true);
    });
  });

  describe('expectations', parallel, () => {
    test('stream', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.a`, '', { expect: { streamName: name } });
      assert.equal(
        await rejectsWithCode(js().publish(`${name}.a`, '', { expect: { streamName: 'other' } }), 10060),
        'expected stream does not match',
      );
    });

    test('last sequence', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.a`, '', { expect: { lastSequence: 0 } });
      await js().publish(`${name}.a`, '', { expect: { lastSequence: 1 } });
      assert.equal(
        await rejectsWithCode(js().publish(`${name}.a`, '', { expect: { lastSequence: 1 } }), 10071),
        'wrong last sequence: 2',
      );
      assert.equal((await readState(name)).messages, 2);
    });

    test('last sequence of the subject', async () => {
      const { name } = await addStream();
      const publish = (
        subject: string,
        lastSubjectSequence: number,
      ): ReturnType<ReturnType<typeof js>['publish']> =>
        js().publish(`${name}.${subject}`, '', { expect: { lastSubjectSequence } });
      assert.equal((await publish('a', 0)).seq, 1);
      assert.equal((await publish('b', 0)).seq, 2);
      assert.equal((await publish('a', 1)).seq, 3);
      assert.equal(await rejectsWithCode(publish('a', 1), 10071), 'wrong last sequence: 3');
      assert.equal(await rejectsWithCode(publish('a', 0), 10071), 'wrong last sequence: 3');
      assert.equal(await rejectsWithCode(publish('c', 5), 10071), 'wrong last sequence: 0');
    });

    test('last sequence of another subject', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.a`);
      await js().publish(`${name}.b`);
      const expectB = (value: number): Promise<unknown> =>
        js().publish(`${name}.a`, '', {
          expect: {
            lastSubjectSequenceValue: value,
            lastSubjectSequenceSubject: `${name}.b`,
            lastSubjectSequence: value,
          },
        });
      await expectB(2);
      await rejectsWithCode(expectB(3), 10071);
    });

    test('last message id', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.a`, '', { msgID: 'one' });
      await js().publish(`${name}.a`, '', { msgID: 'two', expect: { lastMsgID: 'one' } });
      assert.equal(
        await rejectsWithCode(js().publish(`${name}.a`, '', { expect: { lastMsgID: 'one' } }), 10070),
        'wrong last msg ID: two',
      );
      // It is the id of the very last message, which need not have one.
      await js().publish(`${name}.a`);
      assert.equal(
        await rejectsWithCode(js().publish(`${name}.a`, '', { expect: { lastMsgID: 'two' } }), 10070),
        'wrong last msg ID: ',
      );
    });

    test('of publishers that all expect the same, one wins', async () => {
      const { name } = await addStream();
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          js().publish(`${name}.a`, `${i}`, { expect: { lastSubjectSequence: 0 } }),
        ),
      );
      assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
      assert.equal((await readState(name)).messages, 1);
    });
  });

  describe('rollup', parallel, () => {
    test('of a subject', async () => {
      const { name } = await addStream({ allow_rollup_hdrs: true });
      for (const subject of ['a', 'b', 'a']) await js().publish(`${name}.${subject}`);
      assert.equal(
        (await js().publish(`${name}.a`, 'sum', { headers: header('Nats-Rollup', 'sub') })).seq,
        4,
      );
      const state = await readState(name);
      assert.deepEqual(state.subjects, { [`${name}.a`]: 1, [`${name}.b`]: 1 });
      assert.equal(state.first_seq, 2);
    });

    test('of everything', async () => {
      const { name } = await addStream({ allow_rollup_hdrs: true });
      for (const subject of ['a', 'b', 'a']) await js().publish(`${name}.${subject}`);
      assert.equal(
        (await js().publish(`${name}.a`, 'sum', { headers: header('Nats-Rollup', 'all') })).seq,
        4,
      );
      const state = await readState(name);
      assert.equal(state.messages, 1);
      assert.equal(state.first_seq, 4);
    });

    test('refused where it is not allowed, or is no rollup', async () => {
      const plain = await addStream();
      const open = await addStream({ allow_rollup_hdrs: true });
      const publish = (name: string, value: string): Promise<unknown> =>
        js().publish(`${name}.a`, '', { headers: header('Nats-Rollup', value) });
      assert.equal(await rejectsWithCode(publish(plain.name, 'sub'), 10111), 'rollup not permitted');
      assert.equal(
        await rejectsWithCode(publish(open.name, 'bogus'), 10111),
        'rollup value invalid: "bogus"',
      );
    });
  });
});
