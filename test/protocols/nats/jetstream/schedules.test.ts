import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestJetStream } from './kit.ts';

type Headers = { readonly [name: string]: string };

interface Stored {
  readonly seq: number;
  readonly subject: string;
  readonly data: string;
  readonly headers: Headers;
}

async function withStream(config: object = {}): Promise<TestJetStream> {
  const js = await TestJetStream.open();
  await js.kit.broker.schedules.loadCron(); // the kit does not wait for the disk
  await js.addStream('S', { subjects: ['s.>'], allow_msg_schedules: true, ...config });
  return js;
}

/** All messages of the stream. */
async function stored(js: TestJetStream): Promise<Stored[]> {
  await js.settle();
  const { state } = await js.api('STREAM.INFO.S');
  const messages: Stored[] = [];
  for (let seq = state.first_seq as number; seq <= state.last_seq; seq++) {
    const { message } = await js.api('STREAM.MSG.GET.S', { seq });
    if (!message) continue;
    const block = Buffer.from((message.hdrs ?? '') as string, 'base64').toString();
    const pairs = block
      .split('\r\n')
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => /^([^:]+): ?(.*)$/.exec(line)!.slice(1) as [string, string]);
    const data = Buffer.from((message.data ?? '') as string, 'base64').toString();
    messages.push({ seq, subject: message.subject, data, headers: Object.fromEntries(pairs) });
  }
  return messages;
}

async function pass(js: TestJetStream, ms: number, stepMs = 500): Promise<void> {
  await js.settle();
  for (let left = ms; left > 0; left -= stepMs) await js.advance(Math.min(left, stepMs));
  await js.settle();
}

const schedule = (pattern: string, more: Headers = {}): { [name: string]: string } => ({
  'Nats-Schedule': pattern,
  'Nats-Schedule-Target': 's.target',
  ...more,
});

const subjects = (messages: readonly Stored[]): string[] => messages.map(({ subject }) => subject);

describe('message schedules', () => {
  test('@at publishes once to its target, and takes the schedule away', async () => {
    await using js = await withStream();
    const at = new Date(js.kit.clock.now() + 5000).toISOString();
    const answer = await js.publish(
      's.schedule',
      'hi',
      schedule(`@at ${at}`, { A: 'b', 'Nats-Msg-Id': 'x' }),
    );
    assert.deepEqual(answer, { stream: 'S', seq: 1 });
    const [first] = await stored(js);
    assert.equal(first!.headers['Nats-Rollup'], 'sub');
    await pass(js, 4900);
    assert.deepEqual(subjects(await stored(js)), ['s.schedule']);
    await pass(js, 200);
    const [message, ...others] = await stored(js);
    assert.deepEqual(others, []);
    assert.deepEqual(message, {
      seq: 2,
      subject: 's.target',
      data: 'hi',
      headers: { A: 'b', 'Nats-Scheduler': 's.schedule', 'Nats-Schedule-Next': 'purge' },
    });
    await pass(js, 20_000);
    assert.equal((await stored(js)).length, 1);
  });

  test('@every publishes again and again, and tells the next time; it goes on after a restart', async () => {
    await using js = await withStream();
    await js.publish('s.schedule', 'tick', schedule('@every 2s'));
    await pass(js, 4500);
    await js.restart();
    await pass(js, 2000);
    const messages = (await stored(js)).slice(1);
    assert.deepEqual(subjects(messages), ['s.target', 's.target', 's.target']);
    const next = messages.map(({ headers }) => Date.parse(headers['Nats-Schedule-Next']!));
    assert.deepEqual([next[1]! - next[0]!, next[2]! - next[1]!], [2000, 2000]);
    assert.match(messages[0]!.headers['Nats-Schedule-Next']!, /T\d\d:\d\d:\d\dZ$/);
  });

  test('a cron pattern has six fields, a time zone, and predefined forms', async () => {
    await using js = await withStream();
    await js.publish('s.a', 'a', schedule('*/10 * * * * *'));
    await js.publish('s.b', 'b', schedule('0 0 8 * * mon-fri', { 'Nats-Schedule-Time-Zone': 'Asia/Tokyo' }));
    await js.publish('s.c', 'c', schedule('@hourly'));
    await js.publish('s.d', 'd', schedule('5/20 * * * * *'));
    const { schedules } = js.kit.broker;
    const next = (subject: string): string =>
      new Date(schedules.get(`nats:S/${subject}`)!.state.nextMs!).toISOString();
    assert.equal(next('s.b'), '2023-11-14T23:00:00.000Z');
    assert.equal(next('s.c'), '2023-11-14T23:00:00.000Z');
    assert.equal(next('s.d'), '2023-11-14T22:13:25.000Z'); // now is 22:13:20
    await pass(js, 30_500);
    const counted = (data: string) => stored(js).then((all) => all.filter((one) => one.data === data).length);
    assert.deepEqual([await counted('a'), await counted('d')], [1 + 3, 1 + 2]);
  });

  test('a source gives value and headers, and the message itself does as long as there is none', async () => {
    await using js = await withStream();
    await js.publish(
      's.schedule',
      'own',
      schedule('@every 1s', { A: 'own', 'Nats-Schedule-Source': 's.source' }),
    );
    await pass(js, 1400);
    await js.publish('s.source', 'sourced', { B: 'source', 'Nats-Msg-Id': 'y' });
    await pass(js, 1000);
    const sent = (await stored(js)).filter(({ subject }) => subject === 's.target');
    assert.deepEqual(
      sent.map(({ data }) => data),
      ['own', 'sourced'],
    );
    const { 'Nats-Schedule-Next': _, ...headers } = sent[1]!.headers;
    assert.deepEqual(headers, { B: 'source', 'Nats-Scheduler': 's.schedule' });
  });

  test('a rollup keeps the last message of the target only', async () => {
    await using js = await withStream();
    await js.publish('s.schedule', 'x', schedule('@every 1s', { 'Nats-Schedule-Rollup': 'sub' }));
    await pass(js, 5400);
    assert.deepEqual(subjects(await stored(js)), ['s.schedule', 's.target']);
    assert.equal((await stored(js))[1]!.headers['Nats-Rollup'], 'sub');
  });

  test('a later message of the subject replaces the schedule, or ends it', async () => {
    await using js = await withStream();
    await js.publish('s.schedule', 'old', schedule('@every 1s'));
    await js.publish('s.schedule', 'new', schedule('@every 2s'));
    await pass(js, 2400);
    assert.deepEqual(
      (await stored(js)).map(({ data }) => data),
      ['new', 'new'],
    );
    await js.publish('s.schedule', 'plain', { 'Nats-Rollup': 'sub' });
    await pass(js, 5000);
    assert.deepEqual(
      (await stored(js)).map(({ data }) => data),
      ['new', 'plain'],
    );
    assert.equal(js.kit.broker.schedules.size, 0);
  });

  test('a purge, a deletion and the purge header end a schedule', async () => {
    await using js = await withStream();
    for (const subject of ['s.a', 's.b', 's.c']) await js.publish(subject, subject, schedule('@every 1s'));
    await js.api('STREAM.PURGE.S', { filter: 's.a' });
    await js.api('STREAM.MSG.DELETE.S', { seq: 2 });
    await js.publish('s.x', 'end', { 'Nats-Schedule-Next': 'purge', 'Nats-Scheduler': 's.c' });
    assert.equal(js.kit.broker.schedules.size, 0);
    await js.restart();
    await pass(js, 3000);
    assert.deepEqual(
      (await stored(js)).map(({ data }) => data),
      ['end'],
    );
    await js.publish('s.plain', 'plain');
    const { error } = await js.publish('s.x', '', {
      'Nats-Schedule-Next': 'purge',
      'Nats-Scheduler': 's.plain',
    });
    assert.equal(error?.err_code, 10_212);
  });

  test("what does not fit is refused with nats-server's errors", async () => {
    await using js = await withStream();
    await js.addStream('PLAIN', { subjects: ['plain.>'] });
    const cases: [{ [name: string]: string }, string][] = [
      [
        schedule('@hourly', { 'Nats-Schedule-Time-Zone': '+02:00' }),
        '10223 message schedules time zone is invalid',
      ],
      [schedule('x'), '10189 message schedules pattern is invalid'],
      [schedule('* * * * *'), '10189 message schedules pattern is invalid'],
      [schedule('0 0 0 * * 7'), '10189 message schedules pattern is invalid'],
      [schedule('0 0 0 L * *'), '10189 message schedules pattern is invalid'],
      [schedule('@every 500ms'), '10189 message schedules pattern is invalid'],
      [schedule('@at tomorrow'), '10189 message schedules pattern is invalid'],
      [
        schedule('@every 1s', { 'Nats-Schedule-Time-Zone': 'UTC' }),
        '10189 message schedules pattern is invalid',
      ],
      [
        schedule('@hourly', { 'Nats-Schedule-Time-Zone': 'Mars' }),
        '10223 message schedules time zone is invalid',
      ],
      [
        schedule('@hourly', { 'Nats-Schedule-Time-Zone': '' }),
        '10223 message schedules time zone is invalid',
      ],
      [
        schedule('@hourly', { 'Nats-Schedule-TTL': 'soon' }),
        '10191 message schedules invalid per-message TTL',
      ],
      [schedule('@hourly', { 'Nats-Schedule-TTL': '5m' }), '10166 per-message TTL is disabled'],
      [schedule('@hourly', { 'Nats-Schedule-Rollup': 'all' }), '10192 message schedules invalid rollup'],
      [schedule('@hourly', { 'Nats-Rollup': 'all' }), '10192 message schedules invalid rollup'],
      [{ 'Nats-Schedule': '@hourly' }, '10190 message schedules target is invalid'],
      [schedule('@hourly', { 'Nats-Schedule-Target': 's.a' }), '10190 message schedules target is invalid'],
      [schedule('@hourly', { 'Nats-Schedule-Target': 'other' }), '10190 message schedules target is invalid'],
      [schedule('@hourly', { 'Nats-Schedule-Target': 's.*' }), '10190 message schedules target is invalid'],
      [schedule('@hourly', { 'Nats-Schedule-Source': 's.a' }), '10203 message schedules source is invalid'],
      [
        schedule('@hourly', { 'Nats-Schedule-Source': 's.target' }),
        '10203 message schedules source is invalid',
      ],
      [schedule('@hourly', { 'Nats-Schedule-Source': 'other' }), '10203 message schedules source is invalid'],
    ];
    for (const [headers, expected] of cases) {
      const { error } = await js.publish('s.a', '', headers);
      assert.equal(`${error?.err_code} ${error?.description}`, expected, JSON.stringify(headers));
    }
    assert.equal((await js.publish('plain.a', '', schedule('@hourly'))).error?.err_code, 10_188);
    assert.equal(js.kit.broker.schedules.size, 0);
    assert.equal((await js.publish('plain.a', '', { 'Nats-Schedule-Time-Zone': 'UTC' })).error, undefined);
    assert.equal(
      (await js.publish('s.a', '', schedule('@hourly', { 'Nats-Rollup': 'SUB' }))).error,
      undefined,
    );
  });

  test('the time to live of a scheduled message is its own', async () => {
    await using js = await withStream({ allow_msg_ttl: true });
    await js.publish('s.schedule', 'x', schedule('@every 10s', { 'Nats-Schedule-TTL': '3s' }));
    await pass(js, 11_000);
    const [, message] = await stored(js);
    assert.equal(message!.headers['Nats-TTL'], '3s');
    await pass(js, 4000);
    assert.deepEqual(subjects(await stored(js)), ['s.schedule']);
  });

  test('an operator cannot take the name of a schedule of a stream, nor change it', async () => {
    await using js = await withStream();
    await js.publish('s.schedule', 'x', schedule('@every 10s'));
    const options = { topic: 'S', message: { value: 'y' }, everyMs: 1000 };
    const { schedules } = js.kit.broker;
    await assert.rejects(schedules.define({ ...options, name: 'nats:S/s.schedule' }), {
      code: 'not-allowed',
    });
    await schedules.define({ ...options, name: 'nats:S/s.other' });
    assert.ok((await js.publish('s.other', 'x', schedule('@every 10s'))).error);
  });
});
