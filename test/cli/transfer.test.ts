import assert from 'node:assert/strict';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { linesOf } from '../../src/cli/transfer.ts';
import { startServer } from '../../src/server/index.ts';
import { makeTemporaryDirectory } from '../support/index.ts';
import { protocolsOff } from '../support/ports.ts';
import { type CliResult, runCli } from './run-cli.ts';

test('lines are taken from chunks that end anywhere', async () => {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (const text of ['a', 'b\n\nc', '', 'd\ne']) yield Buffer.from(text);
  }
  const lines: unknown[] = [];
  for await (const { text, isWhole, bytes } of linesOf(chunks())) lines.push([text, isWhole, bytes]);
  assert.deepEqual(lines, [
    ['ab', true, 3],
    ['', true, 1],
    ['cd', true, 3],
    ['e', false, 1],
  ]);
});

describe('export and import', () => {
  test('carry messages over, go on where they stopped, and say how', async () => {
    await using directory = await makeTemporaryDirectory();
    await using server = await startServer({ ...protocolsOff, adminPort: 0, storage: 'memory' });
    const url = `http://127.0.0.1:${server.ports.admin}`;
    const run = (...args: readonly string[]): Promise<CliResult> => runCli([...args, '--url', url]);
    const file = join(directory.path, 'orders.jsonl');
    const orders = await server.broker.createTopic({ name: 'orders', partitions: 2 });
    const publish = (n: number): Promise<unknown> =>
      orders.send({
        key: `k${n % 5}`,
        headers: [{ name: 'n', value: Buffer.from(String(n)) }],
        value: n === 7 ? Buffer.from([0xff, 0]) : n === 8 ? null : Buffer.from(`value ${n}`),
      });
    for (let n = 0; n < 10; n++) await publish(n);

    assert.equal((await run('export', 'orders', '--out', file)).code, 0);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await run('export', 'orders', '--out', file)).code, 73, 'a file is not overwritten');
    // The export was cut within a line.
    await appendFile(file, '{"partition":0,"offs');
    await publish(10);
    assert.match((await run('export', 'orders', '--out', file, '--resume')).err, /Exported 1 message /);
    assert.equal((await readFile(file, 'utf8')).trimEnd().split('\n').length, 11);

    await server.broker.createTopic({ name: 'copy', partitions: 2 });
    const imported = await run('import', file, '--topic', 'copy', '--keep-partitions');
    assert.match(imported.out, /^Imported 11 messages into topic copy\.$/m, imported.err);
    const again = await run('import', file, '--topic', 'copy', '--skip', '9', '--json');
    assert.deepEqual(JSON.parse(again.out), { imported: 2, duplicates: 2, lines: 11 });
    const contents = async (topic: string): Promise<string[]> => {
      const { out } = await run('export', topic);
      const lines = out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { [name: string]: unknown });
      return lines.map((line) => JSON.stringify({ ...line, timestampMs: 0 })).sort();
    };
    assert.deepEqual(await contents('copy'), await contents('orders'));

    const broken = join(directory.path, 'broken.jsonl');
    await writeFile(broken, `${'{"value":"x"}\n'.repeat(2)}{"val`);
    const refused = await run('import', broken, '--topic', 'copy');
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /Line 3 is not JSON: it may have been cut\. 0 lines were imported: go on with --skip 0\./,
    );
  });
});
