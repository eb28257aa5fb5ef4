import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { uniqueName } from '../../support/index.ts';
import { AdminKit, type Json } from './admin-kit.ts';

const admin = AdminKit.use();
const { ok, refused, makeTopic, publish, values } = admin;

function sorted(values: readonly unknown[]): unknown[] {
  return values.map(String).sort((a, b) => a.localeCompare(b));
}

describe('publish', () => {
  test('with a unique key tells what became of the message', async () => {
    const topic = await makeTopic();
    const unique = { key: 'k', mode: 'ignore' };
    const { results } = await publish(
      topic,
      { value: 'a', unique, delayMs: 60_000 },
      { value: 'b', unique },
      { value: 'c', unique: { ...unique, mode: 'replace' } },
      { value: 'd' },
    );
    assert.deepEqual(
      (results as Json[]).map(({ outcome, offset }) => [outcome, offset]),
      [
        ['stored', null],
        ['ignored', null],
        ['replaced', null],
        [undefined, 0],
      ],
    );
    const shown = await ok('GET', `/api/v1/topics/${topic}`);
    assert.deepEqual(shown['unique'], { keys: 1, ignored: 1, replaced: 1 });
    await refused(
      'POST',
      `/api/v1/topics/${topic}/messages`,
      { messages: [{ value: 'x', unique: { key: 'k', mode: 'throttle' } }] },
      400,
      'message-invalid',
    );
  });

  test('beyond the rate of the topic is refused, with the time to wait', async () => {
    const topic = await makeTopic({ publishRate: { perSecond: 0.1, burst: 1 } });
    await publish(topic, { value: 'a' });
    const response = await fetch(
      `http://127.0.0.1:${admin.server.ports.admin}/api/v1/topics/${topic}/messages`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ value: 'b' }] }),
      },
    );
    assert.equal(response.status, 429);
    assert.match(response.headers.get('retry-after') ?? '', /^(?:9|10)$/);
    const { error } = (await response.json()) as { error: { code: string } };
    assert.equal(error.code, 'rate-exceeded');
    const shown = await ok('GET', `/api/v1/topics/${topic}`);
    assert.deepEqual(shown['overRate'], { refused: 1, waited: 0 });
    await refused(
      'POST',
      '/api/v1/topics',
      { name: 'x', publishRate: { perSecond: 1 } },
      400,
      'invalid-request',
    );
  });

  test('stores values in every encoding, with key and headers', async () => {
    const topic = await makeTopic();
    const { results } = await publish(
      topic,
      {
        value: 'text',
        key: 'k',
        headers: [
          { name: 'h', value: 'v' },
          { name: 'h', value: 'w' },
        ],
      },
      { value: '/wA=', encoding: 'base64' },
      { value: { id: 1 } },
      { value: null },
    );
    assert.deepEqual(
      (results as Json[]).map((result) => result['offset']),
      [0, 1, 2, 3],
    );
    // Deeper than JavaScript can write: shown as text, and the answer comes.
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    await ok('POST', `/api/v1/topics/${topic}/messages`, { messages: [{ value: deep }] });
    const { messages: last } = await ok(
      'GET',
      `/api/v1/topics/${topic}/messages?as=json&last=1&valueBytes=200000`,
    );
    assert.deepEqual([(last as Json[])[0]?.['encoding'], (last as Json[])[0]?.['value']], ['utf8', deep]);
    const { messages } = await ok('GET', `/api/v1/topics/${topic}/messages?as=json`);
    const [text, bytes, object, nothing] = messages as Json[];
    assert.deepEqual(
      [text?.['key'], text?.['headers'], text?.['value']],
      [
        'k',
        [
          { name: 'h', value: 'v' },
          { name: 'h', value: 'w' },
        ],
        'text',
      ],
    );
    assert.deepEqual([bytes?.['value'], bytes?.['encoding']], ['/wA=', 'base64']);
    assert.deepEqual([object?.['value'], object?.['encoding']], [{ id: 1 }, 'json']);
    assert.deepEqual([nothing?.['value'], nothing?.['encoding']], [null, null]);
  });

  test('is done once with a dedupe id', async () => {
    const topic = await makeTopic();
    const message = { value: 'once', dedupeId: 'id-1' };
    await publish(topic, message);
    const { results } = await publish(topic, message);
    assert.equal((results as Json[])[0]?.['duplicate'], true);
    assert.deepEqual(await values(topic, ''), ['once']);
  });

  test('to a subject goes to the topic that captures it, with the subject as key', async () => {
    const subject = uniqueName('orders');
    const topic = await makeTopic({ subjects: [`${subject}.>`] });
    const { results } = await ok('POST', `/api/v1/subjects/${subject}.new/messages`, {
      messages: [{ value: 'x' }],
    });
    assert.deepEqual(results, [{ topic, partition: 0, offset: 0, duplicate: false, receivers: 0 }]);
    const { messages } = await ok('GET', `/api/v1/topics/${topic}/messages`);
    assert.equal((messages as Json[])[0]?.['key'], `${subject}.new`);
  });

  test('to a subject reaches live subscribers, and says so when there are none', async () => {
    const subject = uniqueName('live');
    const send = (): Promise<Json> =>
      ok('POST', `/api/v1/subjects/${subject}/messages`, { messages: [{ value: 'hi' }] });
    assert.deepEqual((await send())['results'], [
      { topic: null, partition: null, offset: null, duplicate: false, receivers: 0 },
    ]);
    const heard: string[] = [];
    const subscription = admin.server.broker.router.subscribe(subject, undefined, {
      receive: (message) => heard.push(`${message.subject}: ${Buffer.from(message.value).toString()}`) > 0,
      congested: false,
      whenDrained: () => {},
    });
    assert.equal(((await send())['results'] as Json[])[0]?.['receivers'], 1);
    admin.server.broker.router.unsubscribe(subscription);
    assert.deepEqual(heard, [`${subject}: hi`]);
  });

  test('is refused with a reason', async () => {
    const topic = await makeTopic({ messagesMax: 1, overflow: 'reject' });
    const path = `/api/v1/topics/${topic}/messages`;
    await refused('POST', path, { messages: [{ value: 'x', encoding: 'rot13' }] }, 400, 'invalid-request');
    await refused('POST', path, { messages: [{ value: 'x'.repeat(2 ** 20 + 1) }] }, 413, 'message-too-large');
    const two = { messages: [{ value: '1' }, { value: '2' }] };
    assert.match(await refused('POST', path, two, 409, 'topic-full'), /1 of 2 messages were published/);
    await refused('POST', '/api/v1/subjects/a.*/messages', { messages: [] }, 400, 'invalid-request');
    await refused('POST', '/api/v1/topics/nowhere/messages', { messages: [] }, 404, 'topic-not-found');
  });
});

describe('browse', () => {
  test('begins where it is told, and goes on at the cursor', async () => {
    const topic = await makeTopic();
    await publish(topic, ...Array.from({ length: 10 }, (_, at) => ({ value: String(at) })));
    assert.deepEqual(await values(topic, 'offset=7'), ['7', '8', '9']);
    assert.deepEqual(await values(topic, 'last=2'), ['8', '9']);
    assert.deepEqual(await values(topic, 'last=100'), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    assert.deepEqual(await values(topic, 'time=1970-01-01T00:00:00Z&limit=1'), ['0']);
    assert.deepEqual(await values(topic, 'time=2100-01-01T00:00:00Z'), []);
    const page = await ok('GET', `/api/v1/topics/${topic}/messages?limit=4`);
    assert.equal(page['atEnd'], false);
    assert.deepEqual(await values(topic, `cursor=${String(page['cursor'])}`), ['4', '5', '6', '7', '8', '9']);
    const message = await ok('GET', `/api/v1/topics/${topic}/messages/3`);
    assert.equal(message['value'], '3');
    await refused('GET', `/api/v1/topics/${topic}/messages/10`, undefined, 404, 'offset-not-found');
    await refused(
      'GET',
      `/api/v1/topics/${topic}/messages?offset=1&last=1`,
      undefined,
      400,
      'invalid-request',
    );
    await refused('GET', `/api/v1/topics/${topic}/messages?form=1`, undefined, 400, 'invalid-request');
  });

  test('filters by key, forwards and from the end', async () => {
    const topic = await makeTopic();
    const keys = ['eu.new', 'us.new', 'eu.old'];
    await publish(topic, ...Array.from({ length: 9 }, (_, at) => ({ key: keys[at % 3], value: String(at) })));
    assert.deepEqual(await values(topic, 'key=eu.*'), ['0', '2', '3', '5', '6', '8']);
    assert.deepEqual(await values(topic, 'key=us.>&last=2'), ['4', '7']);
    assert.deepEqual(await values(topic, 'key=*.new&last=3&limit=2'), ['4', '6']);
  });

  test('merges partitions by time, each in its order', async () => {
    const topic = await makeTopic({ partitions: 3 });
    for (let at = 0; at < 6; at++) await publish(topic, { value: String(at), partition: at % 3 });
    const all = await values(topic, '');
    assert.deepEqual(sorted(all), ['0', '1', '2', '3', '4', '5']);
    const page = await ok('GET', `/api/v1/topics/${topic}/messages?limit=4`);
    const rest = await values(topic, `cursor=${String(page['cursor'])}`);
    assert.deepEqual(
      sorted([...(page['messages'] as Json[]).map((message) => message['value']), ...rest]),
      sorted(all),
    );
    assert.deepEqual(await values(topic, 'partition=1'), ['1', '4']);
  });

  test('waits for a message when asked to', async () => {
    const topic = await makeTopic();
    const waiting = values(topic, 'waitMs=20000');
    await publish(topic, { value: 'at last' });
    assert.deepEqual(await waiting, ['at last']);
  });

  test('takes nothing from any group', async () => {
    const topic = await makeTopic({ retention: 'queue' });
    await admin.server.broker.topic(topic)?.createGroup({ name: 'workers' });
    await publish(topic, { value: 'job' });
    assert.deepEqual(await values(topic, ''), ['job']);
    const group = await ok('GET', `/api/v1/topics/${topic}/groups/workers`);
    assert.deepEqual([group['lag'], group['inFlight'], group['delivered']], [1, 0, 0]);
  });
});

test('a delayed message has no offset yet', async () => {
  const topic = await makeTopic();
  const path = `/api/v1/topics/${topic}/messages`;
  const { results } = await ok('POST', path, { messages: [{ value: 'later', delayMs: 60_000 }] });
  assert.deepEqual(
    (results as Json[]).map(({ partition, offset }) => [partition, offset]),
    [[0, null]],
  );
});

test('messages say when they expire, and topics how many have a time to live', async () => {
  const topic = await makeTopic({ ageMsMax: 3_600_000 });
  const path = `/api/v1/topics/${topic}/messages`;
  await ok('POST', path, {
    messages: [{ value: 'a', ttlMs: 60_000 }, { value: 'b' }, { value: 'c', ttlMs: 86_400_000 }],
  });
  const left = (message: Json): number =>
    Math.round(((message['expiresMs'] as number) - (message['timestampMs'] as number)) / 60_000);
  const { messages } = await ok('GET', path);
  assert.deepEqual((messages as Json[]).map(left), [1, 60, 60]);
  assert.equal(left(await ok('GET', `${path}/0`)), 1);
  assert.equal((await ok('GET', `/api/v1/topics/${topic}`))['expiring'], 2);
  const plain = await makeTopic();
  await ok('POST', `/api/v1/topics/${plain}/messages`, { messages: [{ value: 'a' }] });
  assert.equal('expiresMs' in (await ok('GET', `/api/v1/topics/${plain}/messages/0`)), false);
  await refused('POST', path, { messages: [{ value: 'x', ttlMs: 0 }] }, 400, 'invalid-request');
});
