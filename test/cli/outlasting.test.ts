import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { share } from '../../src/cli/commands/top.ts';
import { eventually, startServer, uniqueName } from '../support/index.ts';
import { runCli, spawnCli } from './run-cli.ts';

describe('commands that go on outlast a restart of the broker', () => {
  for (const command of ['tail', 'top'] as const)
    test(command, { timeout: 60_000 }, async () => {
      await using server = await startServer();
      const url = `http://127.0.0.1:${server.adminPort}`;
      const topic = uniqueName('orders');
      const cli = async (...args: string[]): Promise<void> => {
        const { code, err } = await runCli([...args, '--url', url]);
        assert.equal(code, 0, err);
      };
      await cli('topics', 'create', topic);
      await cli('pub', topic, 'before');
      const args = command === 'tail' ? ['tail', topic] : ['top', '--json', '--interval', '100ms'];
      const child = spawnCli([...args, '--url', url]);
      let [out, err] = ['', ''];
      child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
      try {
        await eventually(() => out.includes(command === 'tail' ? 'before' : topic));
        await server.kill();
        await eventually(() => err.includes('There is no broker at'), {
          message: 'it to say that the broker is gone',
        });
        await server.restart();
        await eventually(() => err.includes('The broker is back.'), {
          message: 'it to say that the broker is back',
        });
        await cli('pub', topic, 'after');
        if (command === 'tail') await eventually(() => out.includes('after'));
        else await eventually(() => out.trimEnd().split('\n').at(-1)!.includes('"messages":2'));
        assert.equal(out.split('before').length, command === 'tail' ? 2 : 1, 'nothing is shown twice');
      } finally {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      }
    });

  test('but an address without a broker is an error at once', async () => {
    for (const args of [
      ['tail', 'x'],
      ['top', '--json'],
    ]) {
      const { code, err } = await runCli([...args, '--url', 'http://127.0.0.1:1']);
      assert.equal(code, 69);
      assert.match(err, /There is no broker at/);
    }
  });
});

test('top shares its rows, and shows at least one of each', () => {
  assert.deepEqual(share(20, 5, 5), { topics: 5, groups: 5 });
  assert.deepEqual(share(20, 100, 100), { topics: 10, groups: 10 });
  assert.deepEqual(share(20, 100, 3), { topics: 17, groups: 3 });
  assert.deepEqual(share(20, 2, 100), { topics: 2, groups: 18 });
  assert.deepEqual(share(-3, 9, 9), { topics: 1, groups: 1 });
  assert.deepEqual(share(Infinity, 9, 9), { topics: 9, groups: 9 });
});

describe('names from clients never reach a terminal unescaped', () => {
  const evil = 'a\u001B]0;x\u0007\u009B2J\r\u202Eb';
  const shown = 'a\\x1b]0;x\\x07\\x9b2J\\r\\u202eb';

  test('in tables, in tail and in errors', async () => {
    await using server = await startServer();
    const url = `http://127.0.0.1:${server.adminPort}`;
    const cli = async (...args: string[]): Promise<string> => {
      const { out, err } = await runCli([...args, '--url', url]);
      // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
      assert.doesNotMatch(out + err, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E]/, args.join(' '));
      return out + err;
    };
    const post = async (path: string, body: unknown): Promise<void> => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/api/v1/${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      assert.ok(response.ok, await response.text());
    };
    await post('topics', { name: evil });
    const message = { key: evil, value: evil, headers: [{ name: evil, value: evil }] };
    await post(`topics/${encodeURIComponent(evil)}/messages`, { messages: [message] });
    assert.ok((await cli('topics')).includes(shown));
    assert.ok((await cli('topics', 'show', evil)).includes(shown));
    assert.ok((await cli('top', '--once')).includes(shown));
    assert.equal(
      (await cli('tail', evil, '--no-follow')).split(shown).length,
      5,
      'key, value, header and its value',
    );
    assert.ok((await cli('groups', 'show', evil, 'g')).includes(shown));
    assert.ok((await cli('topics', 'show', `no ${evil}`)).includes(shown));
    assert.ok((await cli('topics', 'delete', evil, '--yes')).includes(shown));
    await cli('pub', evil, evil, `--${evil}`);
  });
});

test('an unknown subcommand is named, and the known ones with it', async () => {
  for (const [command, known] of [
    ['groups', 'list, show, pause, resume, release, create, update, reset, delete'],
    ['topics', 'list, show, create, update, delete, purge'],
    ['dead-letters', 'list, show, redrive, purge'],
  ] as const) {
    const { code, err } = await runCli([command, 'make', 'x', 'y']);
    assert.equal(code, 2, err);
    assert.ok(err.includes(`pillarbox: ${command} has no command "make"; there are ${known}`), err);
  }
});
