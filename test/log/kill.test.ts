import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Log, RealFiles } from '../../src/log/index.ts';
import { SystemClock, SystemRandom } from '../../src/util/index.ts';
import { TestHost, readAll, smallLimits } from './kit.ts';

const kitModule = new URL('./kit.js', import.meta.url).href;
const logModule = new URL('../../src/log/index.js', import.meta.url).href;
const utilModule = new URL('../../src/util/index.js', import.meta.url).href;

/**
 * A process that appends record after record to partition 1 and says, a line each, up to where they are
 * durable.
 */
const script = `
  const { Log, RealFiles } = await import(${JSON.stringify(logModule)});
  const { SystemClock, SystemRandom } = await import(${JSON.stringify(utilModule)});
  const { TestHost, append, smallLimits } = await import(${JSON.stringify(kitModule)});
  const host = new TestHost();
  const log = await Log.open(host, { ...smallLimits, dir: process.argv[1], files: new RealFiles(), clock: new SystemClock(), random: new SystemRandom() });
  const partition = log.partition(1) ?? host.create(1);
  host.onDurable = () => process.stdout.write(partition.durableEnd + '\\n');
  for (;;) {
    for (let i = 0; i < 20; i++) append(partition, 'value ' + partition.endOffset);
    await log.flush();
    if (partition.endOffset % 1000 === 0) host.trim(1, partition.endOffset - 500);
  }
`;

test('a process that is killed while it writes has everything it had told of', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'pillarbox-kill-'));
  try {
    for (let round = 1; round <= 3; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let told = '';
      let lines = 0;
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        told += text;
        lines += text.split('\n').length - 1;
        if (lines > 150 * round) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const acked = Number(told.slice(0, told.lastIndexOf('\n')).split('\n').pop());
      const host = new TestHost();
      const log = await Log.open(host, {
        ...smallLimits,
        dir,
        files: new RealFiles(),
        clock: new SystemClock(),
        random: new SystemRandom(),
      });
      const partition = log.partition(1)!;
      assert.deepEqual(host.damage, []);
      assert.ok(partition.endOffset >= acked, `${partition.endOffset} of ${acked} acknowledged`);
      const read = (await readAll(partition)).filter(({ offset }) => offset >= partition.startOffset);
      assert.equal(read.length, partition.endOffset - partition.startOffset);
      for (const { offset, value } of read) assert.equal(value, `value ${offset}`);
      await log.close();
    }
  } finally {
    await rm(dir, { recursive: true });
  }
});
