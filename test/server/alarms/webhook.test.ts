import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Alarm, AlarmChange } from '../../../src/server/alarms/alarm.ts';
import { AlarmTopic } from '../../../src/server/alarms/alarm-topic.ts';
import { Webhook } from '../../../src/server/alarms/webhook.ts';
import { webhookOptions, type WebhookSettings } from '../../../src/server/alarms/webhook-settings.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { TestBroker } from '../../broker/kit.ts';
import { eventually } from '../../support/index.ts';

interface Post {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let receiver: Server;
let port: number;
const posts: Post[] = [];
/** The statuses of the next answers, by path; then 204. */
const answers = new Map<string, number[]>();

before(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const path = request.url ?? '';
      posts.push({ path, headers: request.headers, body });
      const status = answers.get(path)?.shift() ?? 204;
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  ({ port } = receiver.address() as AddressInfo);
});
after(() => {
  receiver.closeAllConnections();
  receiver.close();
});

const alarm: Alarm = {
  rule: 'oldest-age',
  topic: 'orders',
  group: 'billing',
  state: 'firing',
  level: 'warning',
  sinceMs: Date.UTC(2026, 0, 1),
  value: 60_000,
  threshold: 30_000,
  unit: 'ms',
  reason: 'It is old.',
  remedy: 'Be quick.',
};

function changeOf(change: AlarmChange['change'], changes: Partial<Alarm> = {}): AlarmChange {
  return { change, alarm: { ...alarm, ...changes }, atMs: Date.UTC(2026, 0, 2) };
}

class Kit {
  readonly clock = new VirtualClock();
  readonly troubles: string[] = [];
  readonly hook: Webhook;
  readonly path: string;

  constructor(path: string, settings: Partial<WebhookSettings> = {}) {
    this.path = path;
    const [options] = webhookOptions([{ url: `http://127.0.0.1:${port}${path}`, ...settings }]);
    this.hook = new Webhook(options!, {
      clock: this.clock,
      broker: 'b1',
      onTrouble: (reason) => void this.troubles.push(reason),
    });
  }

  get posts(): Post[] {
    return posts.filter(({ path }) => path === this.path);
  }

  /** Lets time pass until the condition holds: retries wait on the virtual clock. */
  async until(holds: () => boolean): Promise<void> {
    await eventually(() => {
      this.clock.advance(1000);
      return holds();
    });
  }
}

describe('a webhook', () => {
  test('is told of a change, with a signature of time and body', async () => {
    const kit = new Kit('/signed', { secret: 's3cret' });
    kit.hook.tell(changeOf('fired'));
    await eventually(() => kit.hook.counts.delivered === 1);
    const [{ headers, body }] = kit.posts as [Post];
    const { id, ...told } = JSON.parse(body) as { [name: string]: unknown };
    const { sinceMs: _, ...rest } = alarm;
    assert.deepEqual(told, {
      broker: 'b1',
      change: 'fired',
      at: '2026-01-02T00:00:00.000Z',
      alarm: { ...rest, since: '2026-01-01T00:00:00.000Z' },
    });
    assert.equal(headers['pillarbox-id'], id);
    assert.equal(headers['content-type'], 'application/json');
    const timestamp = String(headers['pillarbox-timestamp']);
    assert.equal(timestamp, String(Math.floor(kit.clock.now() / 1000)));
    const expected = createHmac('sha256', 's3cret').update(`${timestamp}.${body}`).digest('hex');
    assert.equal(headers['pillarbox-signature'], `v1=${expected}`);
  });

  test('is tried again until it takes the notice, in order, each with one id', async () => {
    answers.set('/flaky', [500, 429, 503, 200]);
    const kit = new Kit('/flaky');
    kit.hook.tell(changeOf('fired'));
    kit.hook.tell(changeOf('resolved'));
    await kit.until(() => kit.hook.counts.delivered === 2);
    const told = kit.posts.map(({ body }) => JSON.parse(body) as { id: string; change: string });
    assert.deepEqual(
      told.map(({ change }) => change),
      ['fired', 'fired', 'fired', 'fired', 'resolved'],
    );
    assert.equal(new Set(told.map(({ id }) => id)).size, 2);
    assert.deepEqual(kit.troubles, []);
  });

  test('is not tried again after a refusal, and redirects are not followed', async () => {
    answers.set('/refuses', [400, 302]);
    const kit = new Kit('/refuses');
    kit.hook.tell(changeOf('fired'));
    kit.hook.tell(changeOf('resolved'));
    await eventually(() => kit.hook.counts.failed === 2);
    assert.equal(kit.posts.length, 2);
    assert.deepEqual(kit.troubles, ['the answer was 400'], 'told once');
    assert.ok(!posts.some(({ path }) => path === '/elsewhere'));
  });

  test('is given up after a while, and drops the oldest notices beyond its queue', async () => {
    answers.set(
      '/down',
      Array.from({ length: 100 }, () => 500),
    );
    const kit = new Kit('/down', { 'give-up': '10s', queue: 2 });
    for (const topic of ['a', 'b', 'c', 'd']) kit.hook.tell(changeOf('fired', { topic }));
    assert.equal(kit.hook.counts.dropped, 1);
    await kit.until(() => kit.hook.counts.failed === 3);
    const topics = kit.posts.map(({ body }) => (JSON.parse(body) as { alarm: Alarm }).alarm.topic);
    assert.deepEqual([...new Set(topics)], ['a', 'c', 'd']);
    assert.deepEqual(kit.troubles, ['more than 2 notices wait']);
    kit.hook.stop();
  });

  test('hears only of its level and its topics', async () => {
    const kit = new Kit('/some', { level: 'critical', topic: 'ord*' });
    kit.hook.tell(changeOf('fired'));
    kit.hook.tell(changeOf('fired', { level: 'critical', topic: 'mail' }));
    kit.hook.tell(changeOf('worsened', { level: 'critical' }));
    await eventually(() => kit.hook.counts.delivered === 1);
    assert.deepEqual(
      kit.posts.map(({ body }) => (JSON.parse(body) as AlarmChange).change),
      ['worsened'],
    );
  });

  test('has settings that are checked', () => {
    const problems: readonly [object, RegExp][] = [
      [{}, /^The "url" of the entry 1 of "alarm-webhooks" must be a URL that begins with http/],
      [{ url: 'file:///etc/passwd' }, /must be a URL that begins with http/],
      [{ url: 'http://user:secret@host/' }, /must have no user or password/],
      [{ url: 'http://host/', queue: 0 }, /must be a whole number from 1/],
      [{ url: 'http://host/', 'give-up': '1y' }, /must be a time such as/],
      [{ url: 'http://host/', retries: 3 }, /has an unknown key "retries"/],
    ];
    for (const [settings, message] of problems) assert.throws(() => webhookOptions([settings]), { message });
  });
});

describe('the alarm topic', () => {
  test('gets a message for each change, and is made with the first', async () => {
    const t = await TestBroker.open();
    const topic = new AlarmTopic('alarms', t.broker, (error) => assert.fail(String(error)));
    topic.tell(changeOf('fired'));
    topic.tell(changeOf('resolved'));
    await eventually(() => topic.counts.delivered === 2);
    const message = await t.broker.topic('alarms')!.partitions.at(0)!.get(1);
    assert.equal(Buffer.from(message!.key!).toString(), 'oldest-age');
    const told = JSON.parse(Buffer.from(message!.value!).toString()) as AlarmChange;
    assert.deepEqual([told.change, told.alarm.reason], ['resolved', 'It is old.']);
    await t.broker.close();
  });
});
