import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tally } from '../../examples/flights/check.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporaryDirectory } from '../support/index.ts';

const mainPath = fileURLToPath(new URL('../../examples/flights/main.js', import.meta.url));

function flights(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, [mainPath, ...args], {
    timeout: 120_000,
    killSignal: 'SIGTERM',
  });
}

describe('flights', () => {
  test('every record is handled although a worker and the broker are killed', async () => {
    const { stdout, stderr } = await flights('--records', '2000', '--workers', '3', '--json');
    const result = JSON.parse(stdout) as { [name: string]: number };
    const { records, stored, handled, missing, invented } = result;
    assert.deepEqual(
      { records, stored, handled, missing, invented },
      { records: 2000, stored: 2000, handled: 2000, missing: 0, invented: 0 },
    );
    assert.ok(result['workerKilledAt']! >= 600 && result['workerKilledAt']! < 2000, stdout);
    assert.ok(result['brokerKilledAt']! >= 1200 && result['brokerKilledAt']! < 2000, stdout);
    assert.match(stderr, /killed worker-1 .*\n(.*\n)*killed the broker/);
  });

  test('the count sees records missing, invented, and handled more than once', async () => {
    await using directory = await makeTemporaryDirectory();
    const logs = ['a.log', 'b.log'].map((name) => join(directory.path, name));
    await writeFile(logs[0]!, '0\tzero\n1\tone\n1\tone\n2\ttwo\n9\tnine\nx\ty\n');
    await writeFile(logs[1]!, '2\ttwo\n2\ttwo\n0\tother\n3\tthr');
    const records = ['zero', 'one', 'two', 'three', 'four'];
    assert.deepEqual(await tally(records, logs), { handled: 3, missing: 2, invented: 3, twice: 1, more: 1 });
  });

  test('a flag that makes no sense is explained', async () => {
    await assert.rejects(flights('--records', 'many'), {
      code: 2,
      stderr: /--records takes a whole number from 1 to 200000, not "many"/,
    });
    await assert.rejects(flights('--bogus'), { code: 2 });
    const { stdout } = await flights('--help');
    assert.match(stdout, /--workers N/);
  });
});
