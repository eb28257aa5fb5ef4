import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { type TemporaryDirectory, makeTemporaryDirectory, uniqueName } from '../../support/index.ts';
import { askAdmin } from './ask.ts';
import { protocolsOff } from '../../support/ports.ts';

let directory: TemporaryDirectory;
let server: PillarboxServer;

const users = [
  { name: 'reader', password: 'r', permissions: { consume: ['mine'] } },
  { name: 'manager', password: 'm', permissions: { manage: ['mine'] } },
  { name: 'owner', password: 'o', permissions: { manage: ['mine'], publish: ['mine'] } },
];

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({
    data: join(directory.path, 'data'),
    ...protocolsOff,
    adminPort: 0,
    adminToken: 'root',
    users,
  });
  await ask('POST', '/api/v1/topics', { name: 'mine' });
  await ask('POST', '/api/v1/topics', { name: 'theirs' });
});
after(async () => {
  await server.close({ graceMs: 100 });
  await directory[Symbol.asyncDispose]();
});

const ask = (method: string, path: string, body?: unknown, user?: string) =>
  askAdmin(server.ports.admin, method, path, body, {
    authorization: user === undefined ? 'Bearer root' : `Basic ${btoa(`${user}:${user[0]}`)}`,
  });

test('a schedule is defined, changed, shown, paused, resumed, run and deleted', async () => {
  const name = uniqueName('schedule');
  const body = {
    name,
    topic: 'mine',
    key: 'k',
    value: { id: 1 },
    headers: [{ name: 'A', value: 'b' }],
    everyMs: 60_000,
  };
  const made = await ask('POST', '/api/v1/schedules', body);
  assert.equal(made.status, 201);
  assert.deepEqual(
    [made.json['value'], made.json['encoding'], made.json['status'], made.json['runs'], made.json['cron']],
    ['{"id":1}', 'utf8', 'active', 0, null],
  );
  const again = await ask('POST', '/api/v1/schedules', {
    ...body,
    cron: '0 7 * * *',
    timeZone: 'Asia/Tokyo',
    everyMs: undefined,
  });
  assert.deepEqual([again.status, again.json['everyMs']], [200, null]);
  assert.match(again.json['nextTime'] as string, /T22:00:00.000Z$/);
  const path = `/api/v1/schedules/${encodeURIComponent(name)}`;
  assert.equal((await ask('POST', `${path}/pause`)).json['status'], 'paused');
  const run = await ask('POST', `${path}/run`);
  assert.deepEqual(run.json, { topic: 'mine', partition: 0, offset: run.json['offset'] });
  assert.equal((await ask('POST', `${path}/resume`)).json['status'], 'active');
  assert.equal((await ask('GET', path)).json['runs'], 1);
  const list = async (query: string): Promise<string[]> =>
    ((await ask('GET', `/api/v1/schedules${query}`)).json['schedules'] as { name: string }[]).map(
      (one) => one.name,
    );
  assert.ok((await list('')).includes(name) && (await list('?topic=mine')).includes(name));
  assert.deepEqual(await list('?topic=theirs'), []);
  assert.deepEqual((await ask('DELETE', path)).json, { deleted: name });
  assert.equal((await ask('GET', path)).status, 404);
});

test('a schedule that does not fit is refused in words', async () => {
  const refusals = [
    [{ name: 's', topic: 'mine' }, 400, 'schedule-config-invalid'],
    [{ name: 's', topic: 'mine', cron: 'x' }, 400, 'schedule-config-invalid'],
    [{ name: 's', topic: 'none', everyMs: 1000 }, 404, 'topic-not-found'],
    [{ name: 's', everyMs: 1000 }, 400, 'invalid-request'],
    [{ name: 's', topic: 'mine', every: 1000 }, 400, 'invalid-request'],
  ] as const;
  for (const [body, status, code] of refusals) {
    const reply = await ask('POST', '/api/v1/schedules', body);
    assert.deepEqual([reply.status, (reply.json['error'] as { code: string }).code], [status, code]);
  }
});

test('users need the permissions of the topic', async () => {
  const body = { name: 'guarded', topic: 'mine', value: 'x', everyMs: 60_000 };
  const defining = (user: string, topic = 'mine') =>
    ask('POST', '/api/v1/schedules', { ...body, topic }, user);
  assert.equal((await defining('reader')).status, 403);
  assert.equal((await defining('manager')).status, 403);
  assert.equal((await defining('owner', 'theirs')).status, 403);
  assert.equal((await defining('owner')).status, 201);
  await ask('POST', '/api/v1/schedules', { name: 'hidden', topic: 'theirs', value: 'x', everyMs: 60_000 });
  const { json } = await ask('GET', '/api/v1/schedules', undefined, 'reader');
  assert.deepEqual(
    (json['schedules'] as { name: string }[]).map(({ name }) => name),
    ['guarded'],
  );
  assert.equal((await ask('GET', '/api/v1/schedules/hidden', undefined, 'owner')).status, 404);
  assert.equal((await ask('POST', '/api/v1/schedules/guarded/run', undefined, 'manager')).status, 403);
  assert.equal((await ask('POST', '/api/v1/schedules/guarded/pause', undefined, 'reader')).status, 403);
  assert.equal((await ask('POST', '/api/v1/schedules/guarded/pause', undefined, 'manager')).status, 200);
  // It cannot be moved to a topic of one's own.
  assert.equal((await ask('POST', '/api/v1/schedules', { ...body, name: 'hidden' }, 'owner')).status, 403);
});

describe('schedules of the configuration', () => {
  const schedules = [
    { name: 'a', topic: 'reports', value: 'x', every: '15m', jitter: '30s', missed: 'skip' },
    {
      name: 'b',
      topic: 'reports',
      cron: '0 7 * * *',
      'time-zone': 'Europe/Berlin',
      start: '2026-01-31T12:00:00Z',
    },
  ] as const;

  test('are defined when their topic is there, and stay as they are at the next start', async () => {
    const data = join(directory.path, 'configured');
    const options = {
      data,
      ...protocolsOff,
      adminPort: 0,
      schedules,
    } as const;
    {
      await using one = await startServer(options);
      assert.equal(one.broker.schedules.size, 0);
      await one.broker.createTopic({ name: 'reports' });
      const { config } = await until(() => one.broker.schedules.get('a'));
      await until(() => one.broker.schedules.get('b'));
      assert.deepEqual(
        [config.everyMs, config.jitterMs, config.missed, config.message.value],
        [900_000, 30_000, 'skip', 'x'],
      );
      await one.broker.schedules.run('a');
      await one.broker.schedules.pause('a');
    }
    await using two = await startServer(options);
    const a = two.broker.schedules.get('a')!;
    assert.deepEqual([a.state.runs, a.status], [1, 'paused']);
    assert.equal(two.broker.schedules.get('b')!.config.startMs, Date.parse('2026-01-31T12:00:00Z'));
  });

  test('that do not fit end the start', async () => {
    const data = join(directory.path, 'wrong');
    const start = (schedule: object): Promise<unknown> =>
      startServer({
        data,
        ...protocolsOff,
        adminPort: 0,
        schedules: [schedule as never],
      });
    const invalid = { code: 'configuration-invalid' };
    await assert.rejects(start({ name: 'a', topic: 'b' }), invalid);
    await assert.rejects(start({ name: 'a', topic: 'b', evry: '1m' }), /unknown key "evry"/);
    await assert.rejects(start({ name: 'a', topic: 'b', every: 5 }), /"every" of the entry 1/);
    await assert.rejects(start({ name: 'a', topic: 'b', cron: 'x' }), invalid);
  });
});

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
