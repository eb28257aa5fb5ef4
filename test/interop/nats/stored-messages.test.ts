import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StoredMsg } from '@nats-io/jetstream';
import { createInbox, headers } from '@nats-io/transport-node';
import { parallel } from '../../support/index.ts';
import { collect, patient, rejectsWithCode, useNats } from './clients.ts';

describe('JetStream stored messages', parallel, () => {
  const { nc, jsm, js, addStream, api } = useNats();

  /** a 1, b 2, a 3, c 4, b 5: subject and sequence are the payload. */
  const addFilledStream = async (config: Parameters<typeof addStream>[0] = {}): Promise<string> => {
    const { name } = await addStream({ allow_direct: true, ...config });
    for (const [i, subject] of ['a', 'b', 'a', 'c', 'b'].entries())
      await js().publish(`${name}.${subject}`, `${subject} ${i + 1}`);
    return name;
  };
  const texts = (messages: readonly StoredMsg[]): string[] => messages.map((message) => message.string());

  describe('STREAM.MSG.GET', parallel, () => {
    test('by sequence: subject, headers, bytes and time', async () => {
      const { name } = await addStream();
      const sent = headers();
      sent.append('A', '1');
      sent.append('A', '2');
      const started = Date.now();
      await js().publish(`${name}.x`, Uint8Array.of(0, 255, 13, 10), { headers: sent });
      const message = await jsm().streams.getMessage(name, { seq: 1 });
      assert.equal(message?.subject, `${name}.x`);
      assert.equal(message.seq, 1);
      assert.deepEqual(message.header.values('A'), ['1', '2']);
      assert.deepEqual([...message.data], [0, 255, 13, 10]);
      assert.ok(Math.abs(message.time.getTime() - started) < 60_000);
    });

    test('last by subject, next by subject', async () => {
      const name = await addFilledStream();
      const get = async (request: object): Promise<unknown> =>
        ((await api(`STREAM.MSG.GET.${name}`, request))['message'] as { seq: number } | undefined)?.seq;
      assert.equal(await get({ last_by_subj: `${name}.a` }), 3);
      assert.equal(await get({ last_by_subj: `${name}.*` }), 5);
      assert.equal(await get({ next_by_subj: `${name}.b` }), 2);
      assert.equal(await get({ seq: 3, next_by_subj: `${name}.b` }), 5);
      assert.equal(await get({ seq: 2, next_by_subj: `${name}.>` }), 2);
      assert.equal(await get({ seq: 4, next_by_subj: `${name}.a` }), undefined);
    });

    test('missing messages', async () => {
      const name = await addFilledStream();
      assert.equal(await jsm().streams.getMessage(name, { seq: 99 }), null);
      assert.equal(await jsm().streams.getMessage(name, { last_by_subj: `${name}.none` }), null);
      const { error } = await api(`STREAM.MSG.GET.${name}`, { seq: 99 });
      assert.deepEqual(error, { code: 404, err_code: 10037, description: 'no message found' });
      for (const body of [{}, undefined, { seq: 0 }, { seq: 1, last_by_subj: `${name}.a` }]) {
        assert.deepEqual((await api(`STREAM.MSG.GET.${name}`, body)).error, {
          code: 400,
          err_code: 10003,
          description: 'bad request',
        });
      }
      await rejectsWithCode(jsm().streams.getMessage('nowhere', { seq: 1 }), 10059);
    });
  });

  describe('STREAM.MSG.DELETE', parallel, () => {
    test('a deleted message is gone, the others stay', async () => {
      const name = await addFilledStream();
      assert.equal(await jsm().streams.deleteMessage(name, 2), true);
      assert.equal(await jsm().streams.deleteMessage(name, 3, false), true);
      assert.equal(await jsm().streams.getMessage(name, { seq: 2 }), null);
      assert.equal((await jsm().streams.getMessage(name, { last_by_subj: `${name}.a` }))?.seq, 1);
      assert.equal((await jsm().streams.getMessage(name, { seq: 5 }))?.string(), 'b 5');
      const { state } = await jsm().streams.info(name, { deleted_details: true });
      assert.equal(state.messages, 3);
      assert.equal(state.num_deleted, 2);
      assert.deepEqual(state.deleted, [2, 3]);
      assert.equal(state.first_seq, 1);
      assert.equal(state.last_seq, 5);
    });

    test('deleting the first moves the start, deleting the last keeps the sequence', async () => {
      const name = await addFilledStream();
      for (const seq of [1, 2, 5]) await jsm().streams.deleteMessage(name, seq);
      const { state } = await jsm().streams.info(name);
      assert.equal(state.first_seq, 3);
      assert.equal(state.last_seq, 5);
      assert.equal((await js().publish(`${name}.d`)).seq, 6);
    });

    test('messages that cannot be deleted', async () => {
      const name = await addFilledStream();
      await jsm().streams.deleteMessage(name, 2);
      assert.equal(
        await rejectsWithCode(jsm().streams.deleteMessage(name, 2), 10043),
        'sequence 2 not found',
      );
      await rejectsWithCode(jsm().streams.deleteMessage(name, 99), 10057);
      await rejectsWithCode(jsm().streams.deleteMessage('nowhere', 1), 10059);
      assert.equal((await api(`STREAM.MSG.DELETE.${name}`, {})).error?.err_code, 10003);
    });
  });

  describe('STREAM.PURGE', parallel, () => {
    test('everything', async () => {
      const name = await addFilledStream();
      const { success, purged } = await jsm().streams.purge(name);
      assert.deepEqual({ success, purged }, { success: true, purged: 5 });
      const { state } = await jsm().streams.info(name);
      assert.equal(state.messages, 0);
      assert.equal(state.bytes, 0);
      assert.equal(state.first_seq, 6);
      assert.equal(state.last_seq, 5);
      assert.equal((await js().publish(`${name}.a`)).seq, 6);
    });

    test('by subject', async () => {
      const name = await addFilledStream();
      assert.equal((await jsm().streams.purge(name, { filter: `${name}.b` })).purged, 2);
      assert.equal((await jsm().streams.purge(name, { filter: `${name}.none` })).purged, 0);
      const { state } = await jsm().streams.info(name, { subjects_filter: '>', deleted_details: true });
      assert.deepEqual(state.subjects, { [`${name}.a`]: 2, [`${name}.c`]: 1 });
      assert.equal(state.first_seq, 1);
    });

    test('up to a sequence', async () => {
      const name = await addFilledStream();
      assert.equal((await jsm().streams.purge(name, { seq: 4 })).purged, 3);
      assert.equal((await jsm().streams.info(name)).state.first_seq, 4);
    });

    test('all but the last', async () => {
      const name = await addFilledStream();
      assert.equal((await jsm().streams.purge(name, { keep: 2 })).purged, 3);
      const { state } = await jsm().streams.info(name);
      assert.equal(state.messages, 2);
      assert.equal(state.first_seq, 4);
    });

    test('a subject up to a sequence, or all but its last', async () => {
      const name = await addFilledStream();
      assert.equal((await jsm().streams.purge(name, { filter: `${name}.a`, seq: 3 })).purged, 1);
      assert.equal((await jsm().streams.purge(name, { filter: `${name}.b`, keep: 1 })).purged, 1);
      const { state } = await jsm().streams.info(name, { subjects_filter: '>' });
      assert.deepEqual(state.subjects, { [`${name}.a`]: 1, [`${name}.b`]: 1, [`${name}.c`]: 1 });
      assert.equal((await jsm().streams.getMessage(name, { last_by_subj: `${name}.b` }))?.seq, 5);
    });

    test('sequence and keep exclude each other', async () => {
      const name = await addFilledStream();
      assert.equal((await api(`STREAM.PURGE.${name}`, { seq: 2, keep: 1 })).error?.err_code, 10003);
      assert.equal((await jsm().streams.info(name)).state.messages, 5);
    });
  });

  describe('DIRECT.GET', parallel, () => {
    test('by sequence, last by subject, next by subject', async () => {
      const name = await addFilledStream();
      assert.equal((await jsm().direct.getMessage(name, { seq: 3 }))?.string(), 'a 3');
      assert.equal((await jsm().direct.getMessage(name, { last_by_subj: `${name}.b` }))?.string(), 'b 5');
      assert.equal(
        (await jsm().direct.getMessage(name, { seq: 3, next_by_subj: `${name}.b` }))?.string(),
        'b 5',
      );
      assert.equal(
        (await jsm().direct.getMessage(name, { seq: 0, next_by_subj: `${name}.c` }))?.string(),
        'c 4',
      );
      assert.equal(await jsm().direct.getMessage(name, { seq: 99 }), null);
      assert.equal(await jsm().direct.getMessage(name, { last_by_subj: `${name}.none` }), null);
    });

    test('the answer is the message with its place in the headers', async () => {
      const { name } = await addStream({ allow_direct: true });
      const sent = headers();
      sent.set('Mine', 'kept');
      await js().publish(`${name}.x`, 'body', { headers: sent, msgID: 'id-1' });
      const answer = await nc().request(`$JS.API.DIRECT.GET.${name}.${name}.x`, '', patient);
      assert.equal(answer.string(), 'body');
      assert.deepEqual(answer.headers?.keys().sort(), [
        'Mine',
        'Nats-Msg-Id',
        'Nats-Sequence',
        'Nats-Stream',
        'Nats-Subject',
        'Nats-Time-Stamp',
      ]);
      assert.equal(answer.headers?.get('Mine'), 'kept');
      assert.equal(answer.headers?.get('Nats-Stream'), name);
      assert.equal(answer.headers?.get('Nats-Subject'), `${name}.x`);
      assert.equal(answer.headers?.get('Nats-Sequence'), '1');
      assert.match(answer.headers?.get('Nats-Time-Stamp') ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    });

    test('errors are status lines', async () => {
      const name = await addFilledStream();
      const ask = async (subject: string, body: string): Promise<string> => {
        const { headers: found } = await nc().request(`$JS.API.DIRECT.GET.${subject}`, body, patient);
        return `${found?.code} ${found?.description}`;
      };
      assert.equal(await ask(name, '{"seq":99}'), '404 Message Not Found');
      assert.equal(await ask(`${name}.${name}.none`, ''), '404 Message Not Found');
      assert.equal(await ask(name, ''), '408 Empty Request');
      assert.equal(await ask(name, '{}'), '408 Empty Request');
      assert.equal(await ask(`${name}.${name}.a`, '{"seq":1}'), '408 Bad Request');
    });

    test('a stream that does not allow it does not answer', async () => {
      const { name } = await addStream();
      await js().publish(`${name}.x`);
      await assert.rejects(nc().request(`$JS.API.DIRECT.GET.${name}`, '{"seq":1}', patient), /no responders/);
    });

    test('batch from a sequence', async () => {
      const name = await addFilledStream();
      assert.deepEqual(texts(await collect(await jsm().direct.getBatch(name, { seq: 2, batch: 3 }))), [
        'b 2',
        'a 3',
        'c 4',
      ]);
      assert.deepEqual(
        texts(
          await collect(await jsm().direct.getBatch(name, { seq: 1, batch: 100, next_by_subj: `${name}.b` })),
        ),
        ['b 2', 'b 5'],
      );
      const fromStart = await collect(
        await jsm().direct.getBatch(name, { start_time: new Date(0), batch: 2 }),
      );
      assert.deepEqual(texts(fromStart), ['a 1', 'b 2']);
      assert.deepEqual(
        fromStart.map((message) => message.pending),
        [4, 3],
      );
    });

    test('last for several subjects', async () => {
      const name = await addFilledStream();
      const last = await collect(
        await jsm().direct.getLastMessagesFor(name, { multi_last: [`${name}.a`, `${name}.b`] }),
      );
      assert.deepEqual(texts(last), ['a 3', 'b 5']);
      assert.deepEqual(
        texts(await collect(await jsm().direct.getLastMessagesFor(name, { multi_last: [`${name}.>`] }))),
        ['a 3', 'c 4', 'b 5'],
      );
      assert.deepEqual(
        texts(
          await collect(
            await jsm().direct.getLastMessagesFor(name, { multi_last: [`${name}.>`], up_to_seq: 3 }),
          ),
        ),
        ['b 2', 'a 3'],
      );
    });

    test('a batch ends with 204 EOB', async () => {
      const name = await addFilledStream();
      const inbox = createInbox();
      const subscription = nc().subscribe(inbox, { max: 3 });
      nc().publish(`$JS.API.DIRECT.GET.${name}`, JSON.stringify({ seq: 1, batch: 2 }), { reply: inbox });
      const [first, second, end] = await collect(subscription);
      assert.equal(first?.headers?.get('Nats-Num-Pending'), '4');
      assert.equal(first?.headers?.get('Nats-Last-Sequence'), '0');
      assert.equal(second?.headers?.get('Nats-Num-Pending'), '3');
      assert.equal(second?.headers?.get('Nats-Last-Sequence'), '1');
      assert.equal(`${end?.headers?.code} ${end?.headers?.description}`, '204 EOB');
      assert.equal(end?.headers?.get('Nats-Num-Pending'), '3');
      assert.equal(end?.headers?.get('Nats-Last-Sequence'), '2');
    });
  });
});
