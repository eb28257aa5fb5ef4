import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { exitCode } from '../../src/cli/index.ts';
import { makeTemporaryDirectory, startServer } from '../support/index.ts';
import { type CliResult, runCli } from './run-cli.ts';
import { freePortFlags } from '../support/ports.ts';

/** One sentence on stderr, nothing on stdout, no stack. */
function assertRefused(result: CliResult, code: number, says: RegExp): void {
  assert.equal(result.code, code, result.err);
  assert.match(result.err, says);
  assert.match(result.err, /^pillarbox: [^\n]+\n$/);
  assert.equal(result.out, '');
}

describe('serve says in one sentence why it does not start', () => {
  test('when the data directory is in use', async () => {
    await using server = await startServer();
    const result = await runCli(['serve', '--data', server.dataDirectory, ...freePortFlags]);
    assertRefused(result, exitCode.inUse, new RegExp(`in use by process ${server.pid}\\b`));
    assert.equal(
      (await fetch(`http://127.0.0.1:${server.adminPort}/readyz`)).status,
      200,
      'the other one goes on',
    );
  });

  for (const [door, flag] of [
    ['NATS', '--nats-port'],
    ['admin HTTP', '--admin-port'],
  ] as const)
    test(`when the port for ${door} is in use`, async () => {
      await using directory = await makeTemporaryDirectory();
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      try {
        const portsFile = join(directory.path, 'ports.json');
        const args = ['serve', '--data', join(directory.path, 'data'), ...freePortFlags, flag, String(port)];
        const result = await runCli([...args, '--ports-file', portsFile]);
        assertRefused(
          result,
          exitCode.unavailable,
          new RegExp(`127\\.0\\.0\\.1:${port} .* is in use .*${flag}`),
        );
      } finally {
        other.close();
      }
    });

  test('when the data directory cannot be made, because a part of its path is a file', async () => {
    await using directory = await makeTemporaryDirectory();
    await writeFile(join(directory.path, 'file'), '');
    for (const data of ['file', 'file/data'])
      assertRefused(
        await runCli(['serve', '--data', join(directory.path, data), ...freePortFlags]),
        exitCode.cannotCreate,
        /\S+file\S* is not a directory|a part of the path is a file/,
      );
  });

  test('when the data directory may not be written', async (context) => {
    // Root may write everywhere except in a file system that takes no writes at all.
    await using directory = await makeTemporaryDirectory();
    const isRoot = process.getuid?.() === 0;
    if (isRoot && process.platform !== 'linux') return context.skip('root may write everywhere here');
    const data = isRoot ? '/sys/pillarbox' : join(directory.path, 'data');
    if (!isRoot) {
      await mkdir(data);
      await chmod(data, 0o500);
    }
    assertRefused(
      await runCli(['serve', '--data', data, ...freePortFlags]),
      exitCode.cannotCreate,
      /\/(data|pillarbox)\b/,
    );
  });

  test('when the directory holds something else', async () => {
    await using directory = await makeTemporaryDirectory();
    await writeFile(join(directory.path, 'holiday.jpg'), 'not ours');
    assertRefused(
      await runCli(['serve', '--data', directory.path, ...freePortFlags]),
      exitCode.cannotCreate,
      /director/,
    );
  });

  test('when the configuration file is corrupt', async () => {
    await using directory = await makeTemporaryDirectory();
    const file = join(directory.path, 'pillarbox.config.toml');
    await writeFile(file, 'nats-port = "4222\n');
    assertRefused(
      await runCli(['serve'], { cwd: directory.path }),
      exitCode.configuration,
      /pillarbox\.config\.toml is not valid TOML \(.*\); correct it there or remove the file\./,
    );
  });

  test('when a value does not fit', async () => {
    await using directory = await makeTemporaryDirectory();
    assertRefused(
      await runCli(['serve'], { cwd: directory.path, env: { PILLARBOX_MAX_PAYLOAD: '1 parsec' } }),
      exitCode.configuration,
      /variable PILLARBOX_MAX_PAYLOAD must be a size/,
    );
  });

  test('when it would be open to the network without authentication', async () => {
    await using directory = await makeTemporaryDirectory();
    const args = ['serve', '--data', join(directory.path, 'data'), ...freePortFlags];
    assertRefused(
      await runCli([...args, '--host', '0.0.0.0']),
      exitCode.configuration,
      /without authentication/,
    );
    assertRefused(
      await runCli([...args, '--admin-host', '0.0.0.0']),
      exitCode.configuration,
      /--admin-token/,
    );
  });

  test('when the ports file cannot be written', async () => {
    await using directory = await makeTemporaryDirectory();
    const portsFile = join(directory.path, 'nowhere', 'ports.json');
    assertRefused(
      await runCli([
        'serve',
        '--data',
        join(directory.path, 'data'),
        ...freePortFlags,
        '--ports-file',
        portsFile,
      ]),
      exitCode.cannotCreate,
      /ports file \S+ cannot be written \(ENOENT\)/,
    );
  });
});
