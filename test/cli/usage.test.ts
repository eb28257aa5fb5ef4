import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { exitCode } from '../../src/cli/index.ts';
import { commands } from '../../src/cli/program.ts';
import { fitsKeys, parseUsers } from '../../src/protocols/users/index.ts';
import { settingTable } from '../../src/server/index.ts';
import { runCli, spawnCli } from './run-cli.ts';

const docs = new URL('../../../docs/', import.meta.url);

describe('the command line', { concurrency: 2 }, () => {
  const cases: readonly {
    readonly args: readonly string[];
    readonly code: number;
    readonly says: RegExp;
    readonly env?: { readonly [name: string]: string };
  }[] = [
    { args: [], code: exitCode.usage, says: /Usage: pillarbox/ },
    { args: ['nonsense'], code: exitCode.usage, says: /unknown command 'nonsense'/ },
    {
      args: ['serve', '--nats-prot', '1'],
      code: exitCode.usage,
      says: /unknown option '--nats-prot'\n.*--nats-port/,
    },
    {
      args: ['top', '--interval', 'soon'],
      code: exitCode.usage,
      says: /--interval must be a time such as 2s, not "soon"/,
    },
    { args: ['topics', 'show'], code: exitCode.usage, says: /missing required argument 'topic'/ },
    {
      args: ['connections', 'shut', '7'],
      code: exitCode.usage,
      says: /connections has no command "shut"; there are list, close\nSee pillarbox connections --help/,
    },
    {
      args: ['topics', 'update', '--max-byte', '7'],
      code: exitCode.usage,
      says: /unknown option '--max-byte'\n.*--max-bytes.*\nSee pillarbox topics update --help/,
    },
    { args: ['groups', 'reset', 'a', 'b', '--yes'], code: exitCode.usage, says: /Say where to/ },
    {
      args: ['topics', '--url', 'http://127.0.0.1:1'],
      code: exitCode.unavailable,
      says: /no broker at http:\/\/127\.0\.0\.1:1 /,
    },
    {
      args: ['topics'],
      env: { PILLARBOX_URL: 'http://127.0.0.1:1' },
      code: exitCode.unavailable,
      says: /no broker at http:\/\/127\.0\.0\.1:1 .*--url or PILLARBOX_URL/,
    },
  ];
  for (const { args, code, says, env } of cases)
    test(`pillarbox ${args.join(' ')} ends with ${code}${env ? ' (environment)' : ''}`, async () => {
      const result = await runCli(args, env ? { env } : {});
      assert.equal(result.code, code, result.err);
      assert.equal(result.out, '');
      assert.match(result.err, says);
      assert.doesNotMatch(result.err, / at .*\.js:\d+/, 'no stack for a mistake that was foreseen');
    });

  test('--version and --help are no mistakes, and go to stdout', async () => {
    const version = await runCli(['--version']);
    assert.deepEqual([version.code, version.err], [0, '']);
    assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
    const help = await runCli(['help', 'serve']);
    assert.equal(help.code, 0);
    for (const { name } of Object.values(settingTable)) assert.match(help.out, new RegExp(`--${name}\\b`));
  });
});

describe('a reader of the output that goes away', { concurrency: 2 }, () => {
  for (const args of [['serve', '--help'], ['nonsense']])
    test(`ends pillarbox ${args.join(' ')} without a word`, async () => {
      const child = spawnCli(args);
      let err = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
      // It has said nothing yet.
      child.stdout?.destroy();
      if (args[0] === 'nonsense') child.stderr?.destroy();
      const [code] = (await once(child, 'close')) as [number | null];
      assert.deepEqual([code, err], [exitCode.readerGone, '']);
    });
});

describe('pillarbox user hash', { concurrency: 2 }, () => {
  test('prints the verifier of the password on stdin', async () => {
    const { code, out, err } = await runCli(['user', 'hash', '--iterations', '5000'], { input: 'pencil\n' });
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^SCRAM-SHA-256\$5000:\S+,SCRAM-SHA-512\$5000:\S+\n$/);
    const [user] = parseUsers([{ name: 'ann', password: out.trim() }]);
    const password = user?.credentials.password;
    assert.ok(password?.kind === 'verifier');
    assert.equal(await fitsKeys('sha512', password.verifier.sha512!, 'pencil'), true);
  });

  test('takes no empty password and no weak iterations', async () => {
    const empty = await runCli(['user', 'hash'], { input: '\n' });
    assert.deepEqual([empty.code, empty.out], [exitCode.usage, '']);
    const weak = await runCli(['user', 'hash', '--iterations', '100'], { input: 'pencil' });
    assert.equal(weak.code, exitCode.usage);
    assert.match(weak.err, /from 4096 to 16384/);
  });
});

describe('the documents', () => {
  test('docs/cli.md names every command and every exit code', async () => {
    const text = await readFile(new URL('cli.md', docs), 'utf8');
    for (const { name } of commands) assert.match(text, new RegExp(`\\| \`${name}\\b`), name);
    const documented = [...text.matchAll(/^\| (\d[\d, ]*) \|/gm)].flatMap(([, codes = '']) =>
      codes.split(', ').map(Number),
    );
    assert.deepEqual(
      documented.sort((a, b) => a - b),
      Object.values<number>(exitCode).sort((a, b) => a - b),
    );
  });

  test('docs/configuration.md names every setting, and no other', async () => {
    const text = await readFile(new URL('configuration.md', docs), 'utf8');
    const rows = [...text.matchAll(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|/gm)];
    const documented = rows.flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));
    assert.deepEqual(
      documented.sort(),
      Object.values(settingTable)
        .map(({ name }) => name)
        .sort(),
    );
  });
});
