import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Group } from '../../../src/broker/index.ts';
import { open } from '../../../src/index.ts';
import { routes } from '../../../src/server/admin/index.ts';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { Client } from '../../protocols/http/http-server.ts';
import {
  type TemporaryDirectory,
  WireClient,
  eventually,
  makeTemporaryDirectory,
  uniqueName,
} from '../../support/index.ts';
import { freePorts, protocolsOff } from '../../support/ports.ts';

import { checkReply } from './reply-check.ts';

type Json = { readonly [name: string]: unknown };

const docs = new URL('../../../../docs/', import.meta.url);

let directory: TemporaryDirectory;
let server: PillarboxServer;

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({
    data: join(directory.path, 'data'),
    ...freePorts,
  });
});
after(async () => {
  await server.close({ graceMs: 100 });
  await directory[Symbol.asyncDispose]();
});

async function call(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: Json; text: string }> {
  const response = await fetch(`http://127.0.0.1:${server.ports.admin}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  const json = isJson ? (JSON.parse(text) as Json) : {};
  if (isJson) checkReply(method, path, response.status, json);
  return { status: response.status, json, text };
}

async function ok(method: string, path: string, body?: unknown): Promise<Json> {
  const { status, json, text } = await call(method, path, body);
  assert.ok(status < 300, `${method} ${path}: ${status} ${text}`);
  return json;
}

async function refused(
  method: string,
  path: string,
  body: unknown,
  status: number,
  code: string,
): Promise<string> {
  const reply = await call(method, path, body);
  assert.equal(reply.status, status, reply.text);
  const { error } = reply.json as { error: { code: string; message: string } };
  assert.equal(error.code, code);
  return error.message;
}

async function makeTopic(options: Json = {}): Promise<string> {
  const name = uniqueName('topic');
  await ok('POST', '/api/v1/topics', { name, ...options });
  return name;
}

const publish = (topic: string, ...messages: readonly Json[]): Promise<Json> =>
  ok('POST', `/api/v1/topics/${topic}/messages`, { messages });

async function values(topic: string, query: string): Promise<unknown[]> {
  const { messages } = await ok('GET', `/api/v1/topics/${topic}/messages?${query}`);
  return (messages as Json[]).map((message) => message['value']);
}

function sorted(values: readonly unknown[]): unknown[] {
  return values.map(String).sort((a, b) => a.localeCompare(b));
}

/** Hands out one delivery after the other; the caller answers them. */
function takeOne(group: Group): Promise<number> {
  return new Promise((resolve) => {
    let credit = 1;
    const consumer = {
      get credit() {
        return credit;
      },
      creditBytes: Infinity,
      receive: ({ record }: { record: { offset: number } }) => {
        credit = 0;
        const { offset } = record;
        setImmediate(() => {
          group.detach(consumer);
          resolve(offset);
        });
      },
      ended: () => {},
    };
    group.attach(consumer);
  });
}

describe('health', () => {
  test('is fine on a fresh server', async () => {
    assert.deepEqual(await ok('GET', '/healthz'), { status: 'ok' });
    assert.deepEqual(await ok('GET', '/readyz'), { status: 'ready', diskFull: false, memoryFull: false });
    const info = await ok('GET', '/api/v1/server');
    assert.deepEqual(info['ports'], server.ports);
    assert.equal(info['dataDirectory'], server.dataDirectory);
  });

  test('is degraded where a stored file is damaged, and says what to do', async () => {
    await using other = await makeTemporaryDirectory();
    {
      await using box = await open({ dir: other.path });
      await (await box.topic('orders')).publish('precious');
    }
    const files = await readdir(other.path, { recursive: true });
    const segment = join(
      other.path,
      files.find((file) => /^topics.*\.log$/.test(file))!,
    );
    const bytes = await readFile(segment);
    bytes[bytes.indexOf('precious')]! ^= 1;
    await writeFile(segment, bytes);
    await using damaged = await startServer({ data: other.path, ...protocolsOff, adminPort: 0 });
    // It is noticed when somebody reads it.
    await damaged.broker
      .topic('orders')!
      .partitions.at(0)!
      .get(0)
      .catch(() => {});
    const reply = await eventually(async () => {
      const response = await fetch(`http://127.0.0.1:${damaged.ports.admin}/readyz`);
      assert.equal(response.status, 200);
      const json = (await response.json()) as Json;
      return json['status'] !== 'ready' && json;
    });
    checkReply('GET', '/readyz', 200, reply);
    assert.equal(reply['status'], 'degraded');
    assert.match(String(reply['advice']), /doctor/);
    await damaged.close({ graceMs: 0 });
  });
});

describe('connections', () => {
  test("are listed by protocol, with the protocol's figures", async () => {
    using client = await WireClient.open(server.ports.nats!);
    await client.line();
    client.send('CONNECT {"verbose":false,"name":"tester","lang":"test"}\r\nSUB a 1\r\nPING\r\n');
    await client.line();
    const { protocols, connections } = await ok('GET', '/api/v1/connections');
    assert.deepEqual((protocols as Json[]).slice(0, -1), [
      { name: 'nats', connections: 1, authenticates: false },
      { name: 'kafka', connections: 0, authenticates: false },
      { name: 'amqp', connections: 0, authenticates: false },
      { name: 'amqpAdmin', connections: 0, authenticates: false },
      { name: 'sqs', connections: 0, authenticates: false },
    ]);
    const { connections: own, ...admin } = (protocols as Json[]).at(-1) ?? {};
    assert.deepEqual([Number(own) >= 1, admin], [true, { name: 'admin', authenticates: false }]);
    const connection = (connections as Json[]).find(({ name }) => name === 'tester');
    assert.deepEqual(
      [connection?.['protocol'], connection?.['name'], connection?.['subscriptions']],
      ['nats', 'tester', 1],
    );
    assert.match((await call('GET', '/metrics')).text, /^pillarbox_connections\{protocol="nats"\} 1$/m);
  });

  test('are closed by their ids', async () => {
    using client = await WireClient.open(server.ports.nats!);
    await client.line();
    client.send('CONNECT {"verbose":false,"name":"kicked"}\r\nPING\r\n');
    await client.line();
    const { connections } = await ok('GET', '/api/v1/connections');
    const { id } = (connections as Json[]).find(({ name }) => name === 'kicked') ?? {};
    assert.equal((await ok('DELETE', `/api/v1/connections/${String(id)}`))['closed'], id);
    assert.equal(await client.closed(), '');
    await eventually(async () => (await call('DELETE', `/api/v1/connections/${String(id)}`)).status === 404);
    assert.equal((await call('DELETE', '/api/v1/connections/x')).status, 400);
  });

  test('that ask to be closed themselves are answered first', async () => {
    using client = new Client(server.ports.admin);
    client.ask('GET /healthz', ['User-Agent: it-itself']);
    await eventually(() => client.text.includes('200 OK'));
    const { connections } = await ok('GET', '/api/v1/connections');
    const { id } = (connections as Json[]).find(({ software }) => software === 'it-itself') ?? {};
    client.ask(`DELETE /api/v1/connections/${String(id)}`);
    assert.match(await client.closed, new RegExp(`"closed":${String(id)}`));
  });
});

describe('topics', () => {
  test('are created, shown, listed and deleted', async () => {
    const name = await makeTopic({ partitions: 2, retention: 'queue', messagesMax: 10, overflow: 'reject' });
    const topic = await ok('GET', `/api/v1/topics/${name}`);
    assert.equal(topic['retention'], 'queue');
    assert.equal((topic['config'] as Json)['messagesMax'], 10);
    assert.equal((topic['partitionList'] as Json[]).length, 2);
    const { topics } = await ok('GET', '/api/v1/topics');
    assert.ok((topics as Json[]).some((other) => other['name'] === name));
    assert.deepEqual(await ok('DELETE', `/api/v1/topics/${name}`), { deleted: name, messages: 0 });
    await refused('GET', `/api/v1/topics/${name}`, undefined, 404, 'topic-not-found');
  });

  test('are refused with a reason', async () => {
    const name = await makeTopic({ subjects: [`${uniqueName('s')}.>`] });
    await refused('POST', '/api/v1/topics', { name }, 409, 'topic-exists');
    await refused(
      'POST',
      '/api/v1/topics',
      { name: uniqueName('t'), retention: 'for ever' },
      400,
      'invalid-request',
    );
    await refused(
      'POST',
      '/api/v1/topics',
      { name: uniqueName('t'), attributes: {} },
      400,
      'invalid-request',
    );
    await refused('POST', '/api/v1/topics', undefined, 400, 'invalid-request');
    await refused(
      'POST',
      '/api/v1/topics',
      { name: uniqueName('t'), subjects: ['a..b'] },
      400,
      'topic-config-invalid',
    );
  });

  test('of any name can be reached', async () => {
    const name = `odd/näme ${uniqueName('x')}`;
    await ok('POST', '/api/v1/topics', { name });
    const path = `/api/v1/topics/${encodeURIComponent(name)}`;
    assert.equal((await ok('GET', path))['name'], name);
    await ok('DELETE', path);
  });

  test('lose the messages that a purge names', async () => {
    const name = await makeTopic({ keyState: true });
    await publish(name, ...['a', 'b', 'a', 'b', 'a'].map((key, at) => ({ key, value: String(at) })));
    assert.deepEqual(await ok('POST', `/api/v1/topics/${name}/purge`, { key: 'b' }), { purged: 2 });
    assert.deepEqual(await values(name, ''), ['0', '2', '4']);
    assert.deepEqual(await ok('POST', `/api/v1/topics/${name}/purge`, { keep: 1 }), { purged: 2 });
    assert.deepEqual(await values(name, ''), ['4']);
    assert.deepEqual(await ok('POST', `/api/v1/topics/${name}/purge`), { purged: 1 });
  });
});

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
    const response = await fetch(`http://127.0.0.1:${server.ports.admin}/api/v1/topics/${topic}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ value: 'b' }] }),
    });
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
    const subscription = server.broker.router.subscribe(subject, undefined, {
      receive: (message) => heard.push(`${message.subject}: ${Buffer.from(message.value).toString()}`) > 0,
      congested: false,
      whenDrained: () => {},
    });
    assert.equal(((await send())['results'] as Json[])[0]?.['receivers'], 1);
    server.broker.router.unsubscribe(subscription);
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
    await server.broker.topic(topic)?.createGroup({ name: 'workers' });
    await publish(topic, { value: 'job' });
    assert.deepEqual(await values(topic, ''), ['job']);
    const group = await ok('GET', `/api/v1/topics/${topic}/groups/workers`);
    assert.deepEqual([group['lag'], group['inFlight'], group['delivered']], [1, 0, 0]);
  });
});

describe('groups', () => {
  test('are listed, shown, paused, resumed, reset and deleted', async () => {
    const topic = await makeTopic();
    await publish(topic, { value: '0' }, { value: '1' }, { value: '2' });
    const group = await server.broker.topic(topic)!.createGroup({ name: 'billing', start: { kind: 'new' } });
    const path = `/api/v1/topics/${topic}/groups/billing`;
    assert.equal((await ok('GET', path))['lag'], 0);
    const { groups } = await ok('GET', `/api/v1/topics/${topic}/groups`);
    assert.deepEqual(
      (groups as Json[]).map((other) => other['name']),
      ['billing'],
    );
    assert.equal((await ok('POST', `${path}/pause`, { forMs: 3_600_000 }))['paused'], true);
    assert.ok(group.isPaused);
    assert.equal((await ok('POST', `${path}/resume`))['paused'], false);
    assert.equal((await ok('POST', `${path}/reset`, { start: { kind: 'offset', offset: 1 } }))['lag'], 2);
    assert.equal((await ok('POST', `${path}/reset`, { start: { kind: 'all' } }))['lag'], 3);
    assert.ok(Number((await ok('GET', path))['oldestAgeMs']) >= 0);
    await refused('POST', `${path}/reset`, { start: { kind: 'offset' } }, 400, 'invalid-request');
    await refused('POST', `${path}/reset`, {}, 400, 'invalid-request');
    assert.deepEqual(await ok('DELETE', path), { deleted: 'billing', topic });
    await refused('GET', path, undefined, 404, 'group-not-found');
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

describe('dead letters', () => {
  test('are listed with cause and origin, redriven and purged', async () => {
    const topic = await makeTopic();
    const letters = `${topic}-dlq`;
    const group = await server.broker
      .topic(topic)!
      .createGroup({ name: 'workers', maxDeliver: 1, deadLetter: letters });
    const noLetters = async (): Promise<Json[]> =>
      (await ok('GET', '/api/v1/dead-letters'))['topics'] as Json[];
    assert.ok(
      !(await noLetters()).some((other) => other['topic'] === letters),
      'not before its first message',
    );

    await publish(topic, { key: 'k1', value: 'poison' }, { key: 'k2', value: 'rotten' });
    group.nack(0, await takeOne(group));
    group.reject(0, await takeOne(group), 'not my taste');
    await eventually(() => server.broker.topic(letters)?.partitions.at(0)?.durableEnd === 2, {
      message: 'two dead letters',
    });

    const listed = (await noLetters()).find((other) => other['topic'] === letters);
    assert.deepEqual([listed?.['messages'], listed?.['groups']], [2, [{ topic, group: 'workers' }]]);
    const { messages } = await ok('GET', `/api/v1/dead-letters/${letters}`);
    const [poison, rotten] = messages as Json[];
    assert.deepEqual(poison?.['origin'], { topic, group: 'workers', partition: 0, offset: 0 });
    assert.deepEqual(
      [poison?.['cause'], poison?.['deliveries'], poison?.['value']],
      ['max-deliveries', 1, 'poison'],
    );
    assert.equal(rotten?.['cause'], 'rejected: not my taste');
    assert.equal((await ok('GET', `/api/v1/dead-letters/${letters}/1`))['value'], 'rotten');

    assert.deepEqual(await ok('POST', `/api/v1/dead-letters/${letters}/redrive`, { offsets: [1] }), {
      redriven: 1,
      left: 1,
      stayed: [],
    });
    const { messages: back } = await ok('GET', `/api/v1/topics/${topic}/messages?offset=2`);
    assert.deepEqual(
      (back as Json[]).map((message) => [message['key'], message['value'], message['headers']]),
      [['k2', 'rotten', []]],
    );
    await refused(
      'POST',
      `/api/v1/dead-letters/${letters}/redrive`,
      { to: 'nowhere' },
      404,
      'topic-not-found',
    );
    const full = await makeTopic({ messageBytesMax: 1 });
    assert.deepEqual(await ok('POST', `/api/v1/dead-letters/${letters}/redrive`, { to: full }), {
      redriven: 0,
      left: 1,
      stayed: [
        {
          topic: full,
          code: 'message-too-large',
          message: `Topic "${full}" takes messages of up to 1 bytes, not 8.`,
          count: 1,
        },
      ],
    });
    assert.deepEqual(await ok('POST', `/api/v1/dead-letters/${letters}/purge`), { purged: 1 });
  });

  test('show why the last delivery failed', async () => {
    const topic = await makeTopic();
    const letters = `${topic}-dlq`;
    const group = await server.broker
      .topic(topic)!
      .createGroup({ name: 'workers', maxDeliver: 1, deadLetter: letters });
    await publish(topic, { value: 'x' });
    group.nack(0, await takeOne(group), undefined, 'the printer is on fire');
    await eventually(() => server.broker.topic(letters)?.partitions.at(0)?.durableEnd === 1);
    const letter = await ok('GET', `/api/v1/dead-letters/${letters}/0`);
    assert.equal(letter['cause'], 'max-deliveries: the printer is on fire');
  });
});

describe('metrics', () => {
  test('are those of docs/admin-api.md, in the format of Prometheus', async () => {
    const topic = await makeTopic({ messagesMax: 100 });
    const group = await server.broker
      .topic(topic)!
      .createGroup({ name: 'g', maxDeliver: 1, deadLetter: `${topic}-dlq` });
    await publish(topic, { value: 'x' });
    group.nack(0, await takeOne(group));
    await eventually(() => server.broker.topic(`${topic}-dlq`)?.durableCount === 1);
    const { text } = await call('GET', '/metrics');
    assert.match(text, new RegExp(`^pillarbox_topic_messages\\{topic="${topic}"\\} 1$`, 'm'));
    assert.match(
      text,
      new RegExp(`^pillarbox_group_delivered_total\\{topic="${topic}",group="g"\\} 1$`, 'm'),
    );
    assert.match(text, new RegExp(`^pillarbox_dead_letters\\{topic="${topic}-dlq"\\} 1$`, 'm'));
    const died = `^pillarbox_topic_dead_lettered_total\\{topic="${topic}",cause="max-deliveries"\\} 1$`;
    assert.match(text, new RegExp(died, 'm'));
    assert.match(text, /^pillarbox_sync_seconds_bucket\{le="\+Inf"\} [1-9]\d*$/m);
    assert.match(text, /^# TYPE pillarbox_commits_total counter$/m);

    const offered = [...text.matchAll(/^# TYPE pillarbox_(\S+) /gm)].map(([, name]) => name);
    const api = await readFile(new URL('admin-api.md', docs), 'utf8');
    const [, section = ''] = api.split('## Metrics');
    const table = section
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(1);
    const documented = table.flatMap((line) => [...line.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name));
    assert.deepEqual(sorted([...new Set(offered)]), sorted(documented));
  });

  test('stay few where topics are many', async () => {
    for (let at = 0; at < 1100; at += 100)
      await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          server.broker.createTopic({ name: `many-${at + n}`, durability: 'memory' }),
        ),
      );
    const { text } = await call('GET', '/metrics');
    assert.equal([...text.matchAll(/^pillarbox_topic_messages\{/gm)].length, 1000);
    const [, omitted] = /^pillarbox_metrics_omitted\{kind="topic"\} (\d+)$/m.exec(text) ?? [];
    assert.equal(Number(omitted), server.broker.topics.size - 1000);
    for (let n = 0; n < 1100; n++) await server.broker.topic(`many-${n}`)?.delete();
  });
});

describe('the table of routes', () => {
  test('is the one of docs/admin-api.md', async () => {
    const text = await readFile(new URL('admin-api.md', docs), 'utf8');
    const documented = [...text.matchAll(/^\| `((?:GET|POST|PATCH|DELETE) \S+)` \|/gm)].map(
      ([, route]) => route,
    );
    assert.deepEqual(sorted(documented), sorted(routes.map(({ method, path }) => `${method} ${path}`)));
  });
});
