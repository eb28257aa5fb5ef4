import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hashPassword } from '../../src/server/index.ts';
import { WireClient, eventually, makeTemporaryDirectory, uniqueName, useServer } from '../support/index.ts';
import { type CliResult, runCli, spawnCli } from './run-cli.ts';

/* oxlint-disable no-control-regex -- what drives terminals is looked for */
const escape = /\u001B/;
const greenHealthy = /\u001B\[32mhealthy/;
/* oxlint-enable no-control-regex */

type Json = { readonly [name: string]: unknown };

describe('commands against a running broker', () => {
  const server = useServer();
  const url = (): string => `http://127.0.0.1:${server().adminPort}`;
  const run = (...args: readonly string[]): Promise<CliResult> => runCli([...args, '--url', url()]);

  async function lines(...args: readonly string[]): Promise<Json[]> {
    const result = await run(...args, '--json');
    assert.equal(result.code, 0, result.err);
    return result.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Json);
  }

  test('a topic is created, published to, read, purged and deleted', async () => {
    const name = uniqueName('orders');
    const created = await run('topics', 'create', name, '--subjects', `${name}.>`, '--max-age', '7d');
    assert.deepEqual([created.code, created.out], [0, `Created topic ${name}.\n`]);
    const published = await run('pub', `${name}.new`, 'hello');
    assert.deepEqual(
      [published.code, published.out],
      [0, `Stored on disk: topic ${name}, partition 0, offset 0.\n`],
    );
    assert.equal(
      (await run('pub', name, '{"id":2}', '--key', 'k', '--header', 'a=b', '--count', '3')).code,
      0,
    );

    const read = await lines('tail', name, '--no-follow');
    assert.deepEqual(
      read.map((message) => [message['offset'], message['key'], message['value']]),
      [
        [0, `${name}.new`, 'hello'],
        [1, 'k', '{"id":2}'],
        [2, 'k', '{"id":2}'],
        [3, 'k', '{"id":2}'],
      ],
    );
    const shown = await run('tail', name, '--no-follow', '--last', '1');
    assert.match(shown.out, /^0\/3 {2}\S+Z {2}k {2}\[a=b\] {2}\{"id":2\}\n$/);

    const [topic] = await lines('topics', 'show', name);
    assert.deepEqual(
      [topic?.['messages'], (topic?.['config'] as Json | undefined)?.['ageMsMax']],
      [4, 604_800_000],
    );
    assert.match((await run('topics')).out, new RegExp(`^TOPIC +MESSAGES .*\\n(.*\\n)*${name} +4 `));
    assert.deepEqual(await lines('topics', 'purge', name, '--keep', '1', '--yes'), [{ purged: 3 }]);
    const kept = await run('topics', 'delete', name);
    assert.equal(kept.code, 1);
    assert.match(kept.err, /Nothing was done: say --yes/);
    assert.deepEqual(await lines('topics', 'delete', name, '--yes'), [{ deleted: name, messages: 1 }]);
    assert.equal((await run('topics', 'show', name)).code, 3);
  });

  test('a message is published with a time to live, a topic with an age from timestamps', async () => {
    const name = uniqueName('expiring');
    await run('topics', 'create', name, '--max-age', '1d', '--age-from', 'timestamp');
    await run('pub', name, 'x', '--ttl', '1h');
    const [topic] = await lines('topics', 'show', name);
    assert.equal(topic!['expiring'], 1);
    assert.equal((topic!['config'] as { ageFrom?: string }).ageFrom, 'timestamp');
    assert.match((await run('topics', 'show', name)).out, /with a time to live +1/);
    assert.equal((await run('pub', name, 'x', '--ttl', 'soon')).code, 2);
  });

  test('a topic leaves markers of keys that have expired', async () => {
    const name = uniqueName('marking');
    const marked = async (): Promise<unknown> => {
      const [topic] = await lines('topics', 'show', name);
      return (topic!['config'] as { expiryMarker?: unknown }).expiryMarker;
    };
    const marker = ['--expiry-marker', '1h', '--marker-header', 'Gone=yes', 'Why=age'];
    assert.equal((await run('topics', 'create', name, ...marker.slice(0, 2))).code, 2);
    await lines('topics', 'create', name, ...marker);
    const headers = [
      ['Gone', 'yes'],
      ['Why', 'age'],
    ];
    assert.deepEqual(await marked(), { ttlMs: 3_600_000, headers });
    await lines('topics', 'update', name, '--expiry-marker', 'none');
    assert.equal(await marked(), undefined);
  });

  test('a group has one active consumer, and priorities that it ignores', async () => {
    const name = uniqueName('group');
    await lines('topics', 'create', name);
    const single = ['--active-consumers', 'single', '--active-silence', '1m'];
    await lines('groups', 'create', name, 'g', ...single, '--priority', 'ignore');
    const configOf = async (): Promise<{ readonly [setting: string]: unknown }> => {
      const [group] = await lines('groups', 'show', name, 'g');
      return group!['config'] as { readonly [setting: string]: unknown };
    };
    const { activeConsumers, activeSilenceMs, priority } = await configOf();
    assert.deepEqual([activeConsumers, activeSilenceMs, priority], ['single', 60_000, 'ignore']);
    await lines('groups', 'update', name, 'g', '--active-silence', '5m', '--priority', 'honour');
    assert.equal((await configOf())['activeSilenceMs'], 300_000);
    assert.notEqual((await configOf())['priority'], 'ignore');
  });

  test('delayed messages are listed, shown, moved, cancelled and published', async () => {
    const name = uniqueName('delayed');
    await run('topics', 'create', name);
    assert.match((await run('delayed', 'list', name)).out, /has no delayed message/);
    for (const key of ['a', 'b', 'c']) await run('pub', name, `of ${key}`, '--key', key, '--delay', '1h');
    const ids = (await lines('delayed', 'list', name)).map((one) => String(one['id']));
    assert.match((await run('delayed', 'list', name)).out, /^ *ID +DUE .*\n(.*\n)* *\d+ .* 5\dm .*of b/);
    assert.match((await run('delayed', 'show', name, ids[1]!)).out, /value +of b/);
    assert.equal(
      (await run('delayed', 'move', name, ids[1]!, '--delay', '2h')).out,
      `Moved 1 message of topic ${name}.\n`,
    );
    const kept = await run('delayed', 'cancel', name, '--key', 'a');
    assert.deepEqual([kept.code, kept.err.includes('say --yes')], [1, true]);
    assert.deepEqual(await lines('delayed', 'cancel', name, '--key', 'a', '--yes'), [{ count: 1 }]);
    assert.deepEqual(await lines('delayed', 'publish', name, ids[2]!, '999999'), [{ count: 1 }]);
    assert.equal((await lines('topics', 'show', name))[0]?.['messages'], 1);
    assert.equal((await run('delayed', 'publish', name)).code, 2);
  });

  test('a schedule is defined, listed, shown, paused, resumed, run and deleted', async () => {
    const topic = uniqueName('reports');
    const name = uniqueName('daily');
    await run('topics', 'create', topic);
    const times = ['--cron', '0 7 * * *', '--time-zone', 'Europe/Berlin', '--missed', 'skip', '--count', '5'];
    const defined = await run('schedules', 'define', name, topic, 'go', ...times, '--header', 'a=b');
    assert.match(defined.out, new RegExp(`^Schedule ${name}: next run \\d{4}-.*Z\\.\\n$`));
    assert.match((await run('schedules', 'list', topic)).out, /0 7 \* \* \* \(Europe\/Berlin\) +active/);
    assert.match((await run('schedules', 'show', name)).out, /value +go/);
    assert.equal((await run('schedules', 'pause', name)).out, `Paused schedule ${name}.\n`);
    assert.match(
      (await run('schedules', 'run', name)).out,
      new RegExp(`topic ${topic}, partition 0, offset 0`),
    );
    assert.match((await run('schedules', 'resume', name)).out, /Resumed schedule/);
    const [shown] = await lines('schedules', 'show', name);
    assert.deepEqual([shown?.['runs'], shown?.['missed'], shown?.['count']], [1, 'skip', 5]);
    assert.equal((await run('schedules', 'delete', name)).code, 1);
    assert.deepEqual(await lines('schedules', 'delete', name, '--yes'), [{ deleted: name }]);
    assert.equal((await run('schedules', 'show', name)).code, 3);
    assert.match((await run('schedules', 'list', topic)).out, /There is no schedule/);
    assert.equal((await run('schedules', 'define', name, topic, '--every', 'often')).code, 2);
  });

  test('pub takes a message a line', async () => {
    const name = uniqueName('lines');
    await run('topics', 'create', name);
    const input = Array.from({ length: 2500 }, (_, at) => `line ${at}\n`).join('');
    const result = await runCli(['pub', name, '--url', url()], { input });
    assert.deepEqual([result.code, result.out], [0, `Published 2,500 messages to ${name}.\n`]);
    const [topic] = await lines('topics', 'show', name);
    assert.equal(topic?.['messages'], 2500);
  });

  test('pub says when no subscriber got the message', async () => {
    const result = await run('pub', uniqueName('nobody'), 'x');
    assert.equal(result.code, 3);
    assert.match(result.err, /Nobody got the message: no topic captures .* topics create NAME --subjects/);
  });

  test('tail follows until it is told to stop', async () => {
    const name = uniqueName('tail');
    await run('topics', 'create', name);
    await run('pub', name, 'before');
    const child = spawnCli(['tail', name, '--url', url()]);
    let out = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    try {
      await eventually(() => out.includes('before'));
      await run('pub', name, 'after');
      await eventually(() => out.includes('after'));
      child.kill('SIGINT');
      assert.equal(await ended, 0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('the content of a message cannot drive the terminal', async () => {
    const name = uniqueName('escape');
    await run('topics', 'create', name);
    await run('pub', name, 'a\u001B[2Jb');
    assert.match((await run('tail', name, '--no-follow')).out, /a\\x1b\[2Jb/);
  });

  test('a message that was given up is listed with its cause, shown, and put back', async () => {
    const topic = uniqueName('jobs');
    const group = 'workers';
    await run('topics', 'create', topic, '--subjects', `${topic}.>`);
    await run('pub', `${topic}.a`, 'poison', '--header', 'a=b');
    using client = await WireClient.open(server().natsPort);
    await client.line();
    const request = (subject: string, body: object): string => {
      const text = JSON.stringify(body);
      return `PUB ${subject} in.box ${text.length}\r\n${text}\r\n`;
    };
    const config = { durable_name: group, ack_policy: 'explicit', max_deliver: 1 };
    client.send('CONNECT {"verbose":false}\r\nSUB in.box 1\r\n');
    client.send(request(`$JS.API.CONSUMER.CREATE.${topic}.${group}`, { stream_name: topic, config }));
    await client.readThrough('"stream_name"');
    client.send(request(`$JS.API.CONSUMER.MSG.NEXT.${topic}.${group}`, { batch: 1 }));
    const [, reply = ''] = /(\$JS\.ACK\.\S+)/.exec(await client.readThrough('poison')) ?? [];
    assert.equal((await lines('groups', 'show', topic, group))[0]?.['inFlight'], 1);
    client.send(`PUB ${reply} 4\r\n-NAK\r\n`);

    const letters = `${topic}-${group}-dlq`;
    const listed = await eventually(async () =>
      (await lines('dead-letters')).find((one) => one['topic'] === letters),
    );
    assert.deepEqual([listed['messages'], listed['groups']], [1, [{ topic, group }]]);
    assert.match(
      (await run('dead-letters', 'list', letters)).out,
      new RegExp(` ${topic}/${group}@0 +1 +max-deliveries +`),
    );
    const shown = (await run('dead-letters', 'show', letters, '0')).out;
    assert.match(shown, /^cause +max-deliveries$/m);
    assert.match(shown, /^ +a +b$/m);
    assert.match(shown, /^value +poison$/m);

    assert.deepEqual(
      await lines('groups', 'pause', topic, group, '--for', '1h').then(([one]) => one?.['paused']),
      true,
    );
    assert.deepEqual(await lines('groups', 'resume', topic, group).then(([one]) => one?.['paused']), false);
    const update = (...args: readonly string[]) => run('groups', 'update', topic, group, ...args);
    assert.match(
      (await update('--rate', '100/s', '--burst', '20', '--concurrency', '5')).out,
      /^Changed group/,
    );
    const limitsOf = async () =>
      (await lines('groups', 'show', topic, group))[0]?.['config'] as { [name: string]: unknown };
    const { rate, concurrency } = await limitsOf();
    assert.deepEqual([rate, concurrency], [{ perSecond: 100, burst: 20 }, 5]);
    assert.equal((await update('--rate', 'none')).code, 0);
    assert.equal((await limitsOf())['rate'], undefined);
    assert.match((await update('--key-run-max', '3')).err, /keyRunMax needs ordering: 'key'/);
    assert.equal((await update('--burst', '3')).code, 2);
    assert.equal((await update()).code, 2);
    const once = uniqueName('once');
    await run('topics', 'create', once, '--max-messages', '9');
    assert.match(
      (await run('topics', 'update', once, '--max-messages', 'none', '--max-age', '1h')).out,
      /^Changed topic/,
    );
    const updated = (await lines('topics', 'show', once))[0]?.['config'] as Json;
    assert.deepEqual([updated['messagesMax'], updated['ageMsMax']], [undefined, 3_600_000]);
    const pub = (...args: readonly string[]) => run('pub', once, 'x', '--unique-key', 'k', ...args);
    assert.match((await pub()).out, /^Stored on disk: topic /);
    assert.match(
      (await pub()).out,
      /^Ignored, because an earlier message has its unique key: .* offset 0\.$/m,
    );
    assert.match(
      (await pub('--unique-mode', 'replace')).out,
      /^Stored on disk in the place of an earlier message/,
    );
    assert.equal((await run('pub', once, 'x', '--unique-mode', 'replace')).code, 2);
    const slow = uniqueName('slow');
    await run('topics', 'create', slow, '--publish-rate', '0.01', '--over-rate', 'reject');
    await run('pub', slow, 'first');
    assert.match((await run('pub', slow, 'second')).err, /takes 0.01 messages a second, and 1 at once/);
    assert.match(
      (await run('topics', 'show', slow)).out,
      /^rate +0.01 a second, 1 at once; 1 refused since the start$/m,
    );
    const alerts = uniqueName('alerts');
    await run('topics', 'create', alerts, '--priorities', '10');
    await run('pub', alerts, 'plain', '--count', '2');
    await run('pub', alerts, 'urgent', '--priority', '9');
    assert.match((await run('topics', 'show', alerts)).out, /^by priority +9: 1, 0: 2$/m);
    assert.match(
      (await run('pub', alerts, 'never', '--priority', '10')).err,
      /takes priorities 0 to 9, not 10/,
    );
    const small = uniqueName('small');
    await run('topics', 'create', small, '--max-messages', '1', '--overflow', 'reject');
    await run('pub', small, 'full');
    const stays = await run('dead-letters', 'redrive', letters, '--to', small);
    assert.deepEqual(
      [stays.code, stays.out],
      [
        1,
        `Put back 0 messages of topic ${letters}.\n` +
          `1 message stayed: Topic "${small}" holds 1 messages.\n`,
      ],
    );
    const back = await run('dead-letters', 'redrive', letters);
    assert.deepEqual([back.code, back.out], [0, `Put back 1 message of topic ${letters}.\n`]);
    const [again] = await lines('groups', 'show', topic, group);
    assert.equal(again?.['lag'], 1, 'the group gets it again');
    assert.equal((await lines('groups', 'reset', topic, group, '--to', 'all', '--yes'))[0]?.['lag'], 2);
    assert.deepEqual(await lines('dead-letters', 'purge', letters, '--yes'), [{ purged: 0 }]);
    assert.deepEqual(await lines('groups', 'delete', topic, group, '--yes'), [{ deleted: group, topic }]);
  });

  test('groups and dead letters say when there are none', async () => {
    const empty = uniqueName('empty');
    await run('topics', 'create', empty);
    assert.match((await run('groups', 'list', empty)).out, /no group yet/);
    assert.deepEqual(await lines('groups', 'list', empty), []);
    assert.match((await run('dead-letters', 'list', empty)).out, /holds no dead letter/);
    assert.equal((await run('groups', 'show', 'no', 'no')).code, 3);
    assert.equal((await run('dead-letters', 'redrive', 'no')).code, 3);
  });

  test('top prints one picture', async () => {
    const name = uniqueName('top');
    await run('topics', 'create', name);
    const text = await run('top', '--once');
    assert.match(text.out, new RegExp(`^Pillarbox \\S+ at ${url()} .* healthy`));
    assert.match(text.out, new RegExp(name));
    const [picture] = await lines('top', '--once');
    assert.deepEqual(Object.keys(picture ?? {}), ['server', 'topics', 'groups']);
  });

  test('bench measures and leaves nothing behind', async () => {
    const before = await lines('topics');
    const results = await lines('bench', '--time', '200ms', '--window', '64');
    assert.deepEqual(
      results.map((result) => result['scenario']),
      [
        'live, 1 publisher to 1 subscriber',
        'stored, one at a time',
        'stored, 64 unacknowledged',
        'consume with an ack each',
      ],
    );
    for (const result of results) assert.ok(Number(result['messages']) > 0);
    const [, one, many, consumed] = results.map((result) => Number(result['messages']));
    assert.equal(consumed, Number(one) + Number(many), 'everything stored was consumed');
    assert.equal((await lines('topics')).length, before.length);
  });

  test('colour is for terminals unless forced', async () => {
    assert.doesNotMatch((await run('top', '--once')).out, escape);
    const forced = await runCli(['top', '--once', '--url', url()], { env: { FORCE_COLOR: '1' } });
    assert.match(forced.out, greenHealthy);
    const refused = await runCli(['top', '--once', '--url', url()], {
      env: { FORCE_COLOR: '1', NO_COLOR: '1' },
    });
    assert.doesNotMatch(refused.out, escape);
  });

  test('doctor finds the running broker', async () => {
    const { adminPort, dataDirectory } = server();
    const result = await runCli(['doctor', '--json', '--data', dataDirectory], {
      env: { PILLARBOX_ADMIN_PORT: String(adminPort) },
    });
    const checks = result.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; status: string });
    assert.equal(result.code, 0, result.out);
    assert.equal(checks.find(({ name }) => name === 'broker')?.status, 'ok');
    assert.ok(checks.some(({ name }) => name === 'sync'));
  });
});

describe('doctor', () => {
  test('warns of passwords in a file that all can read', async () => {
    await using directory = await makeTemporaryDirectory();
    const file = join(directory.path, 'pillarbox.config.toml');
    const secretsOf = async (text: string, mode: number): Promise<string | undefined> => {
      await writeFile(file, text);
      await chmod(file, mode);
      const { out } = await runCli(['doctor', '--json', '--data', join(directory.path, 'data')], {
        cwd: directory.path,
      });
      const lines = out.trim().split('\n');
      const checks = lines.map((line) => JSON.parse(line) as { name: string; status: string });
      return checks.find(({ name }) => name === 'secrets')?.status;
    };
    const plain = '[[users]]\nname = "ann"\npassword = "secret"\n';
    const hashed = plain.replace('secret', await hashPassword('secret'));
    assert.equal(await secretsOf(plain, 0o644), 'warning');
    assert.equal(await secretsOf(plain, 0o640), undefined);
    assert.equal(await secretsOf(hashed, 0o644), undefined);
    assert.equal(await secretsOf('nats-token = "sesame"\n', 0o644), 'warning');
  });

  test('ends with 3 where serve would not start', async () => {
    const result = await runCli(['doctor', '--data', '/dev/null/data'], {
      env: { PILLARBOX_NATS_PORT: '0', PILLARBOX_ADMIN_PORT: '0' },
    });
    assert.equal(result.code, 3);
    assert.match(result.out, /problem {2}data directory {2}.*\/dev\/null is not a directory/);
    const bad = await runCli(['doctor', '--json'], { env: { PILLARBOX_NATS_PORT: 'x' } });
    assert.equal(bad.code, 3);
    assert.match(bad.out, /"name":"configuration","status":"problem"/);
  });
});
