import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { open } from '../../../src/index.ts';
import { routes } from '../../../src/server/admin/index.ts';
import { startServer } from '../../../src/server/index.ts';
import { Client } from '../../protocols/http/http-server.ts';
import { WireClient, eventually, makeTemporaryDirectory, uniqueName } from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';
import { AdminKit, takeOne, type Json } from './admin-kit.ts';
import { checkReply } from './reply-check.ts';

const docs = new URL('../../../../docs/', import.meta.url);
const admin = AdminKit.use();
const { call, ok, refused, makeTopic, publish, values } = admin;

function sorted(values: readonly unknown[]): unknown[] {
  return values.map(String).sort((a, b) => a.localeCompare(b));
}

describe('health', () => {
  test('is fine on a fresh server', async () => {
    assert.deepEqual(await ok('GET', '/healthz'), { status: 'ok' });
    assert.deepEqual(await ok('GET', '/readyz'), { status: 'ready', diskFull: false, memoryFull: false });
    const info = await ok('GET', '/api/v1/server');
    assert.deepEqual(info['ports'], admin.server.ports);
    assert.equal(info['dataDirectory'], admin.server.dataDirectory);
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
    using client = await WireClient.open(admin.server.ports.nats!);
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
    const { connections: own, ...rest } = (protocols as Json[]).at(-1) ?? {};
    assert.deepEqual([Number(own) >= 1, rest], [true, { name: 'admin', authenticates: false }]);
    const connection = (connections as Json[]).find(({ name }) => name === 'tester');
    assert.deepEqual(
      [connection?.['protocol'], connection?.['name'], connection?.['subscriptions']],
      ['nats', 'tester', 1],
    );
    assert.match((await call('GET', '/metrics')).text, /^pillarbox_connections\{protocol="nats"\} 1$/m);
  });

  test('are closed by their ids', async () => {
    using client = await WireClient.open(admin.server.ports.nats!);
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
    using client = new Client(admin.server.ports.admin);
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

describe('groups', () => {
  test('are listed, shown, paused, resumed, reset and deleted', async () => {
    const topic = await makeTopic();
    await publish(topic, { value: '0' }, { value: '1' }, { value: '2' });
    const group = await admin.server.broker
      .topic(topic)!
      .createGroup({ name: 'billing', start: { kind: 'new' } });
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

describe('metrics', () => {
  test('are those of docs/admin-api.md, in the format of Prometheus', async () => {
    const topic = await makeTopic({ messagesMax: 100 });
    const group = await admin.server.broker
      .topic(topic)!
      .createGroup({ name: 'g', maxDeliver: 1, deadLetter: `${topic}-dlq` });
    await publish(topic, { value: 'x' });
    group.nack(0, await takeOne(group));
    await eventually(() => admin.server.broker.topic(`${topic}-dlq`)?.durableCount === 1);
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
          admin.server.broker.createTopic({ name: `many-${at + n}`, durability: 'memory' }),
        ),
      );
    const { text } = await call('GET', '/metrics');
    assert.equal([...text.matchAll(/^pillarbox_topic_messages\{/gm)].length, 1000);
    const [, omitted] = /^pillarbox_metrics_omitted\{kind="topic"\} (\d+)$/m.exec(text) ?? [];
    assert.equal(Number(omitted), admin.server.broker.topics.size - 1000);
    for (let n = 0; n < 1100; n++) await admin.server.broker.topic(`many-${n}`)?.delete();
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
