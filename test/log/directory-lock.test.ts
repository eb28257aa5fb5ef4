import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { RealFiles } from '../../src/log/index.ts';

const logModule = new URL('../../src/log/index.js', import.meta.url).href;

/** A process that takes the lock of a directory, says how that went, and keeps it until it dies. */
async function contender(dir: string): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    const { RealFiles } = await import(${JSON.stringify(logModule)});
    try {
      await new RealFiles().lock(process.argv[1]);
      console.log('locked');
    } catch (error) {
      console.log(error.code + ': ' + error.message);
    }
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function withDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'pillarbox-lock-'));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

test('a second process is refused and told the owner of the directory; a killed one leaves it free at once', async () => {
  await withDir(async (dir) => {
    const first = await contender(dir);
    assert.equal(first.said, 'locked');
    const second = await contender(dir);
    assert.match(second.said, new RegExp(`^data-dir-locked: .* in use by process ${first.child.pid}\\.`));
    await assert.rejects(new RealFiles().lock(dir), { code: 'data-dir-locked' });
    await end(second.child, 'SIGKILL');
    await end(first.child, 'SIGKILL');
    const lock = await new RealFiles().lock(dir);
    await lock.release();
    assert.deepEqual(await readdir(dir), [], 'what the dead left behind is cleared away');
  });
});

test('a stopped process still has its directory', async () => {
  await withDir(async (dir) => {
    const { child, said } = await contender(dir);
    assert.equal(said, 'locked');
    child.kill('SIGSTOP');
    await assert.rejects(new RealFiles().lock(dir), { code: 'data-dir-locked' });
    await end(child, 'SIGKILL');
  });
});

test('of many that start at once exactly one gets the directory', async () => {
  await withDir(async (dir) => {
    for (let round = 0; round < 5; round++) {
      const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => new RealFiles().lock(dir)));
      const won = attempts.filter((attempt) => attempt.status === 'fulfilled');
      assert.equal(won.length, 1);
      for (const attempt of attempts)
        if (attempt.status === 'rejected')
          assert.equal((attempt.reason as { code: string }).code, 'data-dir-locked');
      await won[0]!.value.release();
    }
    const contenders = await Promise.all(Array.from({ length: 4 }, () => contender(dir)));
    assert.equal(contenders.filter(({ said }) => said === 'locked').length, 1);
    for (const { child } of contenders) await end(child, 'SIGKILL');
  });
});

test('a stale or foreign file of the lock’s name locks no process out', async () => {
  await withDir(async (dir) => {
    await writeFile(join(dir, 'lock.0123456789ab'), 'left over');
    const lock = await new RealFiles().lock(dir);
    await lock.release();
  });
});

test('a path too long for a socket is no obstacle', async () => {
  await withDir(async (dir) => {
    const deep = join(dir, 'd'.repeat(100), 'e'.repeat(100));
    await mkdir(deep, { recursive: true });
    const lock = await new RealFiles().lock(deep);
    await assert.rejects(new RealFiles().lock(deep), { code: 'data-dir-locked' });
    await lock.release();
    await (await new RealFiles().lock(deep)).release();
  });
});
