import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { timeText } from '../../../../src/protocols/nats/jetstream/time.ts';
import { TestJetStream, type Seen } from './kit.ts';

/** a 1, b 2, a 3, c 4, b 5: subject and sequence are the payload; a millisecond apart. */
async function filled(): Promise<{ js: TestJetStream; startMs: number }> {
  const js = await TestJetStream.open();
  await js.addStream('S', { subjects: ['s.>'], allow_direct: true });
  const startMs = js.kit.clock.now();
  for (const [i, subject] of ['a', 'b', 'a', 'c', 'b'].entries()) {
    await js.publish(`s.${subject}`, `${subject} ${i + 1}`);
    await js.advance(1);
  }
  return { js, startMs };
}

async function get(js: TestJetStream, body: object | string, subject = ''): Promise<Seen[]> {
  const { subject: reply, listener } = js.inbox();
  const value = typeof body === 'string' ? body : JSON.stringify(body);
  assert.ok(js.jetStream.request(js.session, js.message(`$JS.API.DIRECT.GET.S${subject}`, { value, reply })));
  for (let round = 0; round < 10; round++) await js.settle();
  return listener.seen;
}

const texts = (seen: readonly Seen[]): string[] => seen.map(({ status, value }) => status ?? value);

describe('direct get', () => {
  test('one message: by sequence, last, next, by time, by the subject of the request', async () => {
    const { js, startMs } = await filled();
    await using _ = js;
    assert.deepEqual(texts(await get(js, { seq: 3 })), ['a 3']);
    assert.deepEqual(texts(await get(js, { last_by_subj: 's.b' })), ['b 5']);
    assert.deepEqual(texts(await get(js, { last_by_subj: 's.*' })), ['b 5']);
    assert.deepEqual(texts(await get(js, { seq: 3, next_by_subj: 's.b' })), ['b 5']);
    assert.deepEqual(texts(await get(js, { next_by_subj: 's.c' })), ['c 4']);
    assert.deepEqual(texts(await get(js, { start_time: new Date(startMs + 2).toISOString() })), ['a 3']);
    assert.deepEqual(texts(await get(js, '', '.s.a')), ['a 3']);
  });

  test('where it stands is in the headers, after its own', async () => {
    const { js } = await filled();
    await using _ = js;
    await js.publish('s.h', 'body', { Mine: 'kept' });
    const [message] = await get(js, { seq: 6 });
    assert.deepEqual(message?.headers, {
      Mine: 'kept',
      'Nats-Stream': 'S',
      'Nats-Subject': 's.h',
      'Nats-Sequence': '6',
      'Nats-Time-Stamp': timeText(js.kit.clock.now()),
    });
    assert.match(message.subject, /^_INBOX/);
  });

  test('errors are statuses', async () => {
    const { js } = await filled();
    await using _ = js;
    assert.deepEqual(texts(await get(js, { seq: 99 })), ['404 Message Not Found']);
    assert.deepEqual(texts(await get(js, '', '.s.none')), ['404 Message Not Found']);
    assert.deepEqual(texts(await get(js, '')), ['408 Empty Request']);
    assert.deepEqual(texts(await get(js, {})), ['408 Empty Request']);
    assert.deepEqual(texts(await get(js, '{')), ['408 Malformed Request']);
    assert.deepEqual(texts(await get(js, { seq: 1 }, '.s.a')), ['408 Bad Request']);
    assert.deepEqual(texts(await get(js, { seq: 1, last_by_subj: 's.a' })), ['408 Bad Request']);
    assert.deepEqual(texts(await get(js, { last_by_subj: 's.a', batch: 2 })), ['408 Bad Request']);
    assert.deepEqual(texts(await get(js, { multi_last: ['s.x'] })), ['404 No Results']);
  });

  test('a stream that does not allow it does not answer', async () => {
    const { js } = await filled();
    await using _ = js;
    await js.addStream('T');
    assert.equal(
      js.jetStream.request(
        js.session,
        js.message('$JS.API.DIRECT.GET.T', { value: '{"seq":1}', reply: 'r' }),
      ),
      false,
    );
  });

  test('a batch reports the rest and ends with 204', async () => {
    const { js, startMs } = await filled();
    await using _ = js;
    const batch = await get(js, { seq: 2, batch: 2 });
    assert.deepEqual(texts(batch), ['b 2', 'a 3', '204 EOB']);
    assert.deepEqual(
      batch.map(({ headers }) => [headers['Nats-Num-Pending'], headers['Nats-Last-Sequence']]),
      [
        ['3', '0'],
        ['2', '2'],
        ['2', '3'],
      ],
    );
    assert.deepEqual(texts(await get(js, { seq: 1, batch: 9, next_by_subj: 's.b' })), [
      'b 2',
      'b 5',
      '204 EOB',
    ]);
    assert.deepEqual(texts(await get(js, { batch: 2, start_time: new Date(startMs + 3).toISOString() })), [
      'c 4',
      'b 5',
      '204 EOB',
    ]);
    assert.deepEqual(texts(await get(js, { seq: 1, batch: 9, max_bytes: 10 })), ['a 1', 'b 2', '204 EOB']);
    assert.deepEqual(texts(await get(js, { seq: 9, batch: 2 })), ['404 Message Not Found']);
  });

  test('the last of several subjects, in the order of the stream, as of a sequence or a time', async () => {
    const { js, startMs } = await filled();
    await using _ = js;
    const all = await get(js, { multi_last: ['s.>'] });
    assert.deepEqual(texts(all), ['a 3', 'c 4', 'b 5', '204 EOB']);
    assert.deepEqual(all[3]?.headers, {
      'Nats-Num-Pending': '0',
      'Nats-Last-Sequence': '5',
      'Nats-UpTo-Sequence': '5',
    });
    assert.deepEqual(texts(await get(js, { multi_last: ['s.a', 's.b'], up_to_seq: 3 })), [
      'b 2',
      'a 3',
      '204 EOB',
    ]);
    assert.deepEqual(
      texts(await get(js, { multi_last: ['s.b'], up_to_time: new Date(startMs + 2).toISOString() })),
      ['b 2', '204 EOB'],
    );
    assert.deepEqual(texts(await get(js, { multi_last: ['s.>'], batch: 1 })), ['a 3', '204 EOB']);
  });

  test('the last of a subject whose last message was deleted is the one before', async () => {
    const { js } = await filled();
    await using _ = js;
    await js.api('STREAM.MSG.DELETE.S', { seq: 5 });
    assert.deepEqual(texts(await get(js, { multi_last: ['s.b'] })), ['b 2', '204 EOB']);
    assert.deepEqual(texts(await get(js, '', '.s.b')), ['b 2']);
  });

  test('a reader that is behind gets the rest when it caught up, one that left nothing more', async () => {
    const { js } = await filled();
    await using _ = js;
    for (const stays of [true, false]) {
      const { subject: reply, listener } = js.inbox();
      listener.congested = true;
      js.jetStream.request(
        js.session,
        js.message('$JS.API.DIRECT.GET.S', { value: '{"seq":1,"batch":9}', reply }),
      );
      for (let round = 0; round < 5; round++) await js.settle();
      assert.deepEqual(listener.texts, ['a 1']);
      if (!stays) js.unlisten(listener);
      listener.drain();
      for (let round = 0; round < 5; round++) await js.settle();
      assert.deepEqual(listener.texts.slice(1), stays ? ['b 2', 'a 3', 'c 4', 'b 5', '204 EOB'] : []);
    }
  });

  test('a topic without key state is read instead', async () => {
    await using js = await TestJetStream.open();
    const topic = await js.kit.broker.createTopic({ name: 'S', subjects: ['s.>'], keyState: false });
    for (const key of ['s.a', 's.b', 's.a']) await topic.send({ key, value: key });
    assert.deepEqual(texts(await get(js, { multi_last: ['s.*'] })), ['s.b', 's.a', '204 EOB']);
    assert.deepEqual(texts(await get(js, { last_by_subj: 's.b' })), ['s.b']);
  });

  test('too many subjects at once', async () => {
    await using js = await TestJetStream.open();
    await js.addStream('S', { subjects: ['s.>'], allow_direct: true });
    const topic = js.kit.broker.topic('S')!;
    await Promise.all(Array.from({ length: 1025 }, (_, i) => topic.send({ key: `s.${i}`, value: 'x' })));
    assert.deepEqual(texts(await get(js, { multi_last: ['s.>'] })), ['413 Too Many Results']);
    const patterns = Array.from({ length: 1025 }, (_, i) => `s.${i}`);
    assert.deepEqual(texts(await get(js, { multi_last: patterns })), ['408 Bad Request']);
  });
});
