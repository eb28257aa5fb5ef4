/** The alarms of a running server, as the admin HTTP, the metrics, the log and the command line tell them. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { AlarmsJson } from '../../../src/admin-api/index.ts';
import { type Log, type PillarboxServer, silentLog, startServer } from '../../../src/server/index.ts';
import { runCli } from '../../cli/run-cli.ts';
import { type TemporaryDirectory, eventually, makeTemporaryDirectory } from '../../support/index.ts';
import { protocolsOff } from '../../support/ports.ts';
import { askAdmin } from './ask.ts';

let directory: TemporaryDirectory;
let server: PillarboxServer;
const lines: string[] = [];
let receiver: Server;
const posted: string[] = [];
const log: Log = {
  ...silentLog,
  warn: (message) => void lines.push(`warn ${message}`),
  info: (message) => void lines.push(`info ${message}`),
};

before(async () => {
  directory = await makeTemporaryDirectory();
  receiver = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => posted.push(text));
    request.on('end', () => response.writeHead(204).end());
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  server = await startServer({
    data: join(directory.path, 'data'),
    ...protocolsOff,
    adminPort: 0,
    adminToken: 'admin',
    users: [
      { name: 'billing', token: 'mine', permissions: { consume: ['orders'] } },
      { name: 'other', token: 'theirs', permissions: { consume: ['else'] } },
    ],
    alarmIntervalMs: 100,
    alarmTopic: 'alarms',
    alarmWebhooks: [
      { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, topic: 'orders' },
    ],
    alarms: [
      { rule: '*', off: true },
      { rule: 'no-consumers', topic: 'orders', off: false, warning: '0s', critical: '1h' },
      { rule: 'memory', off: false, warning: '0%', for: '0s', critical: 'off' },
    ],
    log,
  });
  const topic = await server.broker.createTopic({ name: 'orders', retention: 'queue' });
  await topic.createGroup({ name: 'billing' });
  await topic.send({ value: 'x' });
  await eventually(() => lines.length >= 2);
});
after(async () => {
  await server.close({ graceMs: 0 });
  receiver.closeAllConnections();
  receiver.close();
  await directory[Symbol.asyncDispose]();
});

async function alarmsOf(token: string, query = ''): Promise<AlarmsJson> {
  const authorization = `Bearer ${token}`;
  const { status, json } = await askAdmin(server.ports.admin, 'GET', `/api/v1/alarms${query}`, undefined, {
    authorization,
  });
  assert.equal(status, 200);
  return json as unknown as AlarmsJson;
}

describe('alarms', () => {
  test('are listed with reason and remedy', async () => {
    const { alarms, omitted, evaluated } = await alarmsOf('admin', '?topic=orders&state=firing');
    assert.equal(omitted, 0);
    assert.ok(Date.parse(evaluated ?? '') > 0);
    const [alarm, ...rest] = alarms;
    assert.equal(rest.length, 0);
    const { rule, topic, group, state, level, since, reason, remedy } = alarm!;
    assert.deepEqual(
      [rule, topic, group, state, level],
      ['no-consumers', 'orders', 'billing', 'firing', 'warning'],
    );
    assert.ok(Math.abs(Date.parse(since) - Date.now()) < 600_000);
    assert.match(reason, /^Group "billing" of topic "orders" has no consumer, and 1 message wait/);
    assert.match(remedy, /pillarbox groups delete orders billing\.$/);
  });

  test('are those of what a user may see', async () => {
    assert.deepEqual((await alarmsOf('admin')).alarms.map(({ rule }) => rule).sort(), [
      'memory',
      'no-consumers',
    ]);
    assert.deepEqual(
      (await alarmsOf('mine')).alarms.map(({ rule }) => rule),
      ['no-consumers'],
    );
    assert.deepEqual((await alarmsOf('theirs')).alarms, []);
  });

  test('show in the metrics, the health check and the log', async () => {
    const metrics = await fetch(`http://127.0.0.1:${server.ports.admin}/metrics`, {
      headers: { authorization: 'Bearer admin' },
    });
    assert.match(
      await metrics.text(),
      /^pillarbox_alarm\{rule="no-consumers",topic="orders",group="billing",level="warning"\} 1$/m,
    );
    const { status, json } = await askAdmin(server.ports.admin, 'GET', '/readyz');
    assert.equal(status, 200);
    assert.equal(json['status'], 'ready');
    const { rules, ...counts } = json['alarms'] as { rules: string[] };
    assert.deepEqual([counts, rules.sort()], [{ critical: 0, warning: 2 }, ['memory', 'no-consumers']]);
    assert.equal(lines.filter((line) => line.includes('has no consumer')).length, 1);
    assert.ok(lines.some((line) => line.startsWith('warn alarm (warning): Group "billing"')));
  });

  test('are printed by the command line', async () => {
    const flags = ['--url', `http://127.0.0.1:${server.ports.admin}`, '--token', 'admin'];
    const shown = await runCli(['alarms', '--topic', 'orders', '--check', ...flags]);
    assert.equal(shown.code, 0, shown.err);
    assert.match(
      shown.out,
      /^warning {2}no-consumers {2}orders \/ billing {2}for \S+.*\n {2}Group "billing".*\n {2}→ Start its consumers/,
    );
    const none = await runCli(['alarms', '--level', 'critical', ...flags]);
    assert.equal(none.out, 'Nothing is wrong.\n');
  });

  test('end with what they are about', async () => {
    await server.broker.topic('orders')!.delete();
    await eventually(async () => (await alarmsOf('admin', '?topic=orders')).alarms.length === 0);
    assert.ok(lines.some((line) => line.startsWith('info alarm is over: Group "billing"')));
  });

  test('are told to a webhook and to a topic, once per change', async () => {
    await eventually(() => posted.length === 2 && server.broker.topic('alarms')?.durableCount === 3);
    const changes = posted.map((text) => (JSON.parse(text) as { change: string }).change);
    assert.deepEqual(changes, ['fired', 'resolved']);
  });
});
