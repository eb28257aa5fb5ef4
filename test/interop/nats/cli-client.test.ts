/**
 * The `nats` command line tool, against our server. Needs `nats` on the path, or NATS_CLI with the path of
 * it.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { makeTemporaryDirectory, useServer, type TemporaryDirectory } from '../../support/index.ts';

const run = promisify(execFile);
const cli = process.env['NATS_CLI'] || 'nats';
const skip =
  spawnSync(cli, ['--version']).status === 0 ? false : 'there is no nats CLI: set NATS_CLI to its path';

describe('the nats CLI', { skip, timeout: 300_000 }, () => {
  const server = useServer();
  let home: TemporaryDirectory | undefined;

  before(async () => {
    home = await makeTemporaryDirectory();
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
  });

  /** The output of a command; throws if the command fails. */
  const nats = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, HOME: home!.path, XDG_CONFIG_HOME: home!.path };
    const running = run(cli, ['-s', server().natsAddress, '--timeout', '20s', ...args], {
      env,
      timeout: 90_000,
    });
    running.child.stdin?.end();
    const { stdout, stderr } = await running;
    return stdout + stderr;
  };

  test('benchmarks make their streams and publish into them', async () => {
    for (const mode of ['sync', 'async']) {
      const stream = `bench-${mode}`;
      const out = await nats(
        'bench',
        'js',
        'pub',
        mode,
        '--create',
        '--stream',
        stream,
        '--msgs',
        '200',
        '--no-progress',
        `bench.${mode}`,
      );
      assert.match(out, /msgs\/sec/);
      const info = JSON.parse(await nats('stream', 'info', stream, '--json')) as {
        state: { messages: number };
      };
      assert.equal(info.state.messages, 200);
      assert.match(
        await nats('bench', 'js', 'fetch', '--stream', stream, '--msgs', '200', '--no-progress'),
        /msgs\/sec/,
      );
      assert.match(
        await nats('bench', 'js', 'ordered', '--stream', stream, '--msgs', '200', '--no-progress'),
        /msgs\/sec/,
      );
    }
  });

  test('a stream and a consumer, from making them to removing them', async () => {
    await nats('stream', 'add', 'orders', '--subjects', 'orders.>', '--defaults');
    await nats('pub', 'orders.new', 'hello', '--count', '3');
    await nats('consumer', 'add', 'orders', 'work', '--pull', '--defaults');
    assert.match(await nats('consumer', 'next', 'orders', 'work', '--count', '2', '--ack'), /hello/);
    const info = JSON.parse(await nats('consumer', 'info', 'orders', 'work', '--json')) as {
      num_pending: number;
    };
    assert.equal(info.num_pending, 1);
    await nats('stream', 'get', 'orders', '1');
    await nats('stream', 'rmm', 'orders', '1', '-f');
    await nats('stream', 'edit', 'orders', '--max-msgs', '50', '-f');
    await nats('consumer', 'pause', 'orders', 'work', '1h', '-f');
    await nats('consumer', 'resume', 'orders', 'work', '-f');
    await nats('stream', 'report');
    await nats('consumer', 'report', 'orders');
    await nats('server', 'check', 'jetstream');
    await nats('account', 'info');
    await nats('stream', 'purge', 'orders', '-f');
    await nats('stream', 'rm', 'orders', '-f');
  });

  test('values and objects', async () => {
    await nats('kv', 'add', 'cfg', '--history', '3');
    await nats('kv', 'put', 'cfg', 'a', '1');
    await nats('kv', 'put', 'cfg', 'a', '2');
    assert.equal((await nats('kv', 'get', 'cfg', 'a', '--raw')).trim(), '2');
    await nats('kv', 'history', 'cfg', 'a');
    const file = join(home!.path, 'object');
    await writeFile(file, 'x'.repeat(200_000));
    await nats('object', 'add', 'files');
    await nats('object', 'put', 'files', file, '--name', 'big', '--no-progress', '-f');
    assert.match(await nats('object', 'ls', 'files'), /big/);
  });

  test('a message is traced to its stream and to its subscribers', async () => {
    await nats('stream', 'add', 'traced', '--subjects', 'traced.>', '--defaults');
    assert.match(await nats('trace', 'traced.a'), /JetStream/i);
  });
});
