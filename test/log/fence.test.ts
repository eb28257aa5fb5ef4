import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Fence } from '../../src/log/fence.ts';
import {
  Log,
  MemoryFiles,
  RealFiles,
  type DamageReport,
  type File,
  type Files,
} from '../../src/log/index.ts';
import { SeededRandom, SystemClock, SystemRandom, VirtualClock } from '../../src/util/index.ts';
import { FaultyFiles } from '../support/faulty-files.ts';
import { TestHost, append, openLog, readAll, smallLimits, until, values } from './kit.ts';

/**
 * The same files by another path. `called` hears of each call from then on that a journal file has its name.
 */
function onceJournalIsMade(files: MemoryFiles, called: () => void): Files {
  const before = new Set(files.paths());
  let isMade = false;
  return new Proxy(byPath(files, '/b'), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        const result: unknown = await value.apply(target, args);
        const path = String(args[1]);
        isMade ||= name === 'rename' && !before.has(path) && path.endsWith('.journal');
        if (isMade) called();
        return result;
      };
    },
  });
}

/** The damage that is reported by a start, on these files, after one that died when it had a journal file. */
async function damageAfterTwoDeaths(files: MemoryFiles): Promise<DamageReport[]> {
  let left: MemoryFiles | undefined;
  const third = await open(
    onceJournalIsMade(files, () => (left ??= files.copy())),
    new VirtualClock(),
    3,
    new TestHost(),
  );
  await third.close();
  if (left === undefined) return [];
  const host = new TestHost();
  const fourth = await open(byPath(left, '/b'), new VirtualClock(), 4, host);
  await fourth.close();
  return host.damage;
}

/** The same files by another path: the lock of one is not seen by the other. */
function byPath(files: Files, path: string): Files {
  return new Proxy(files, {
    get(target, name) {
      if (name === 'lock')
        return () =>
          Promise.resolve({ scope: path, holder: `a broker at ${path}`, release: () => Promise.resolve() });
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function open(
  files: Files,
  clock: VirtualClock,
  seed: number,
  host: TestHost = new TestHost(),
  heartbeatMs: number = 1000,
): Promise<Log> {
  const random = new SeededRandom(seed);
  return Log.open(host, { dir: 'data', clock, random, files, heartbeatMs, ...smallLimits });
}

/** Lets time pass, and everything that it sets off get done. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    clock.advance(100);
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('two brokers on one directory by two paths', () => {
  test('the second is refused while the first lives', async () => {
    const files = new MemoryFiles();
    const clock = new VirtualClock();
    const first = await open(byPath(files, '/a'), clock, 1);
    const second = assert.rejects(open(byPath(files, '/b'), clock, 2), (error: Error & { code: string }) => {
      assert.equal(error.code, 'data-dir-locked');
      assert.match(error.message, /in use by a broker at \/a/);
      return true;
    });
    await pass(clock, 6000);
    await second;
    await first.close();
    await (await open(byPath(files, '/b'), clock, 3)).close(); // it was given back: no waiting
  });

  test('the second waits for as long as the slower of the two hearts needs', async () => {
    const files = new MemoryFiles();
    const clock = new VirtualClock();
    const first = await open(byPath(files, '/a'), clock, 1, new TestHost(), 10_000);
    await pass(clock, 1000);
    const second = assert.rejects(open(byPath(files, '/b'), clock, 2), { code: 'data-dir-locked' });
    await pass(clock, 60_000);
    await second;
    await first.close();
  });

  test('the second starts when the heart of the first has stopped, and has all that the first acked', async () => {
    const files = new MemoryFiles();
    const clock = new VirtualClock();
    const dead = new VirtualClock();
    const host = new TestHost();
    const first = await open(byPath(files, '/a'), dead, 1, host);
    append(host.create(1), 'acked');
    await first.flush();
    const opening = open(byPath(files, '/b'), clock, 2);
    await pass(clock, 4000);
    const early = await Promise.race([
      opening,
      new Promise((resolve) => setImmediate(() => resolve('waits'))),
    ]);
    assert.equal(early, 'waits');
    await pass(clock, 4000);
    const second = await opening;
    assert.deepEqual(values(await readAll(second.partition(1)!)), ['acked']);
    await second.close();
  });

  test('after a reboot a start waits five heartbeats, and one to see whether another start does so, too: 6 s', async () => {
    const files = new MemoryFiles();
    const host = new TestHost();
    const first = await open(byPath(files, 'boot-1:5:77'), new VirtualClock(), 1, host);
    append(host.create(1), 'acked');
    await first.flush(); // the machine loses its power: nothing is given back
    const clock = new VirtualClock();
    let openedMs: number | undefined = undefined;
    const opening = open(byPath(files.copy(), 'boot-2:5:77'), clock, 2).then((log) => {
      openedMs = clock.monotonic();
      return log;
    });
    const startMs = clock.monotonic();
    await pass(clock, 4900);
    assert.equal(openedMs, undefined);
    await pass(clock, 2000);
    assert.notEqual(openedMs, undefined, 'it has not started after 7 s');
    assert.ok(openedMs! - startMs <= 6200, `it started after ${openedMs! - startMs} ms`);
    const second = await opening;
    assert.deepEqual(values(await readAll(second.partition(1)!)), ['acked']);
    await second.close();
    await first.close();
  });

  test('one that was asleep meanwhile acks nothing when it wakes up, and says why it ends', async () => {
    const files = new MemoryFiles();
    const [sleeper, clock] = [new VirtualClock(), new VirtualClock()];
    const host = new TestHost();
    const first = await open(byPath(files, '/a'), sleeper, 1, host);
    append(host.create(1), 'acked');
    await first.flush();
    const opening = open(byPath(files, '/b'), clock, 2);
    await pass(clock, 8000);
    const second = await opening;
    append(second.partition(1)!, 'by the second');
    await second.flush();
    sleeper.advance(8000); // its timers fire late
    append(first.partition(1)!, 'by the first');
    await assert.rejects(first.flush(), { code: 'io-failed' });
    assert.match(host.failure!.message, /belongs to another broker now \(a broker at \/b\)/);
    append(second.partition(1)!, 'and more');
    await second.flush();
    const left = files.copy();
    await first.close();
    await second.close();
    for (const found of [left, files]) {
      const next = new VirtualClock();
      const third = open(byPath(found, '/c'), next, 3);
      await pass(next, 8000);
      const log = await third;
      assert.deepEqual(values(await readAll(log.partition(1)!)), ['acked', 'by the second', 'and more']);
      await log.close();
    }
  });

  test('the second goes on behind the file that the first had made ready: no later start takes that for damage', async () => {
    const files = new MemoryFiles();
    const host = new TestHost();
    const first = await open(byPath(files, '/a'), new VirtualClock(), 1, host);
    append(host.create(1), 'acked');
    await first.flush();
    await until(() => files.paths().filter((path) => path.endsWith('.journal')).length === 2);
    const clock = new VirtualClock();
    const opening = open(byPath(files, '/b'), clock, 2);
    await pass(clock, 8000);
    const second = await opening;
    append(second.partition(1)!, 'by the second');
    await second.flush();
    const left = files.copy(); // the second dies before a checkpoint
    await first.close();
    await second.close();
    const again = new TestHost();
    const third = await open(byPath(left, '/b'), new VirtualClock(), 3, again);
    assert.deepEqual(again.damage, []);
    assert.deepEqual(values(await readAll(third.partition(1)!)), ['acked', 'by the second']);
    await third.close();
  });

  test('the second dies before its first commit: what is acked after that stays', async () => {
    const files = new MemoryFiles();
    const host = new TestHost();
    const first = await open(byPath(files, '/a'), new VirtualClock(), 1, host);
    const partition = host.create(1);
    for (let i = 0; i < 100; i++) {
      append(partition, '.'.repeat(500));
      await first.flush();
      if (i % 20 === 19) await first.checkpoint(); // frees files for later use
    }
    for (let i = 0; i < 2; i++) {
      append(partition, 'more');
      await first.flush();
      await first.checkpoint();
    }
    append(partition, 'acked');
    await first.flush();
    const before = new Set(files.paths());
    let left: MemoryFiles | undefined; // the second dies when it has its journal file
    const watched = onceJournalIsMade(files, () => (left ??= files.copy()));
    const clock = new VirtualClock();
    const opening = open(watched, clock, 2);
    await pass(clock, 8000);
    const second = await opening;
    assert.ok(left !== undefined);
    await first.close();
    await second.close();
    const made = left.paths().find((path) => !before.has(path) && path.endsWith('.journal'))!;
    const ofSecond = Uint8Array.from(left.bytes(made)!);
    const hostOfThird = new TestHost();
    const third = await open(byPath(left, '/b'), new VirtualClock(), 3, hostOfThird);
    append(third.partition(1)!, 'by the third');
    await third.flush();
    const again = left.copy(); // so does the third, and the power fails: a file that it removed is there again
    if (!again.paths().includes(made)) {
      const file = await again.open(made, { create: true });
      await file.write(ofSecond, 0);
    }
    await third.close();
    const last = new TestHost();
    const fourth = await open(byPath(again, '/b'), new VirtualClock(), 4, last);
    assert.deepEqual([...hostOfThird.damage, ...last.damage], []);
    assert.deepEqual(values(await readAll(fourth.partition(1)!)).slice(-2), ['acked', 'by the third']);
    await fourth.close();
  });

  test('the second dies before its first checkpoint, and so does the third: no later start misses its file', async () => {
    const files = new MemoryFiles();
    const host = new TestHost();
    const first = await open(byPath(files, '/a'), new VirtualClock(), 1, host);
    append(host.create(1), 'acked');
    await first.flush();
    const left = files.copy();
    await first.close();
    const [, ...madeReady] = left.paths().filter((path) => path.includes('/journal/'));
    for (const path of madeReady) await left.remove(path); // the power failed before its name was on disk
    const states: MemoryFiles[] = [];
    const clock = new VirtualClock();
    const opening = open(
      onceJournalIsMade(left, () => states.push(left.copy())),
      clock,
      2,
    );
    await pass(clock, 8000);
    await (await opening).close();
    assert.ok(states.length > 0);
    for (const state of states) assert.deepEqual(await damageAfterTwoDeaths(state), []);
  });

  test('a lock that reaches both needs no waiting after a kill', async () => {
    const { log, host } = await openLog(new MemoryFiles(), smallLimits);
    host.create(1);
    await log.flush();
    const files = new MemoryFiles();
    const first = await openLog(files, smallLimits);
    append(first.host.create(1), 'acked');
    await first.log.flush();
    const again = await openLog(files.copy(), smallLimits); // its heartbeat never comes
    assert.deepEqual(values(await readAll(again.log.partition(1)!)), ['acked']);
    for (const each of [log, first.log, again.log]) await each.close();
  });
});

/** Why no directory can be mounted a second time here; undefined: it can. */
function whyNoMount(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  const dir = mkdtempSync(join(tmpdir(), 'pillarbox-mount-'));
  try {
    execFileSync('mount', ['--bind', dir, dir], { stdio: 'ignore' });
    execFileSync('umount', [dir], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'this machine lets nobody mount';
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test(
  'by a real second mount of the same directory the lock reaches: refused at once',
  { skip: whyNoMount() ?? false },
  async () => {
    const base = mkdtempSync(join(tmpdir(), 'pillarbox-paths-'));
    const [one, two] = [join(base, 'one'), join(base, 'two')];
    mkdirSync(one);
    mkdirSync(two);
    execFileSync('mount', ['--bind', one, two]);
    const real = (dir: string): Promise<Log> =>
      Log.open(new TestHost(), {
        ...smallLimits,
        dir,
        files: new RealFiles(),
        clock: new SystemClock(),
        random: new SystemRandom(),
      });
    try {
      const first = await real(one);
      await assert.rejects(real(two), { code: 'data-dir-locked' });
      await first.close();
      await (await real(two)).close();
      assert.equal(statSync(one).mode & 0o777, 0o700);
      assert.equal(statSync(join(one, 'identity')).mode & 0o777, 0o600);
    } finally {
      execFileSync('umount', [two]);
      rmSync(base, { recursive: true, force: true });
    }
  },
);

/** Why the directory cannot be shown by a file system of its own; undefined: it can. */
function whyNoBindfs(): string | undefined {
  if (!existsSync('/dev/fuse')) return 'needs /dev/fuse';
  const found = spawnSync('bindfs', ['--version'], { stdio: 'ignore' });
  return found.status === 0 ? undefined : 'needs bindfs';
}

describe(
  'by a file system that shows the directory under another path (bindfs), which no lock reaches',
  { skip: whyNoBindfs() ?? false },
  () => {
    for (const [order, firstBy, secondBy] of [
      ['there', 'one', 'two'],
      ['back', 'two', 'one'],
    ] as const)
      test(`the second is refused while the first lives: ${order}`, async () => {
        const base = mkdtempSync(join(tmpdir(), 'pillarbox-paths-'));
        mkdirSync(join(base, 'one'));
        mkdirSync(join(base, 'two'));
        execFileSync('bindfs', [join(base, 'one'), join(base, 'two')]);
        const real = (name: string, host: TestHost = new TestHost()): Promise<Log> =>
          Log.open(host, {
            ...smallLimits,
            dir: join(base, name),
            files: new RealFiles(),
            clock: new SystemClock(),
            random: new SystemRandom(),
            heartbeatMs: 100,
          });
        try {
          const host = new TestHost();
          const first = await real(firstBy, host);
          const partition = host.create(1);
          append(partition, 'acked');
          await first.flush();
          await assert.rejects(real(secondBy), { code: 'data-dir-locked' });
          append(partition, 'acked too');
          await first.flush();
          await first.close();
          const second = await real(secondBy);
          assert.deepEqual(values(await readAll(second.partition(1)!)), ['acked', 'acked too']);
          await second.close();
        } finally {
          execFileSync('umount', [join(base, 'two')]);
          rmSync(base, { recursive: true, force: true });
        }
      });
  },
);

describe('an owner file that is damaged or a stranger', () => {
  test('on a full disk one record stays intact, however many heartbeats fail', async () => {
    const files = new FaultyFiles();
    const { log, host, clock } = await openLog(files, smallLimits);
    append(host.create(1), 'acked');
    await log.flush();
    let failed = 0;
    files.before = (call) =>
      call.kind === 'write' && call.path === 'data/owner'
        ? { code: 'ENOSPC', written: 100 + failed++ }
        : undefined;
    await pass(clock, 5000);
    assert.ok(failed > 2);
    const again = await openLog(files.crash('process', new SeededRandom(1)), smallLimits);
    assert.deepEqual(again.host.damage, []);
    assert.deepEqual(values(await readAll(again.log.partition(1)!)), ['acked']);
    await again.log.close();
    files.before = undefined;
    await pass(clock, 2000);
    assert.equal(host.failure, undefined);
    await log.close();
  });

  test('an owner file of another data directory is replaced, with a report', async () => {
    const [files, other] = [new MemoryFiles(), new MemoryFiles()];
    const { log, host } = await openLog(files, smallLimits);
    append(host.create(1), 'acked');
    await log.close();
    for (let start = 0; start < 5; start++) {
      const random = new SeededRandom(99 + start);
      await (await openLog(other, { ...smallLimits, random })).log.close();
    }
    const file = await files.open('data/owner');
    await file.write(other.bytes('data/owner')!, 0);
    const again = await openLog(files, smallLimits);
    assert.deepEqual(
      again.host.damage.map(({ kind }) => kind),
      ['owner'],
    );
    await pass(again.clock, 3000);
    assert.equal(again.host.failure, undefined);
    await again.log.close();
    const third = await openLog(files, smallLimits);
    assert.deepEqual(third.host.damage, []);
    await third.log.close();
  });
});

/**
 * Files whose calls run in rounds, while there is one to wait for: a round ends all calls that were in
 * progress when it began.
 */
class Rounds {
  #waiting: (() => void)[] | undefined = undefined;

  wrap<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          await new Promise<void>((resolve) => (this.#waiting ? this.#waiting.push(resolve) : resolve()));
          const result: unknown = await value.apply(target, args);
          return name === 'open' ? this.wrap(result as File) : result;
        };
      },
    });
  }

  /** How many rounds it takes until nothing is under way. */
  async count(begin: () => void): Promise<number> {
    this.#waiting = [];
    begin();
    for (let rounds = 0; ; rounds++) {
      for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (this.#waiting.length === 0) {
        this.#waiting = undefined;
        return rounds;
      }
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }
}

test('a look takes few turns of the event loop: commits wait for it before each journal file', async () => {
  const rounds = new Rounds();
  const clock = new VirtualClock();
  const log = await open(rounds.wrap(new MemoryFiles()), clock, 1);
  await log.inspected;
  await rounds.count(() => {}); // the second journal file is made ready
  // Where things stand; the owner file opened, read, written, synced, closed.
  assert.equal(await rounds.count(() => clock.advance(1000)), 6);
  await log.close();
});

test('while no descriptor is left the heart beats on, and commits are acknowledged', async () => {
  let isOutOfDescriptors = false;
  const clock = new VirtualClock();
  const files = new Proxy(new MemoryFiles(), {
    get(target, name) {
      if (name === 'open' && isOutOfDescriptors)
        return () => Promise.reject(Object.assign(new Error('too many open files'), { code: 'EMFILE' }));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const host = new TestHost();
  const log = await open(files, clock, 1, host);
  const partition = host.create(1);
  isOutOfDescriptors = true;
  await pass(clock, 10_000);
  append(partition, 'acknowledged');
  log.requestCommit();
  await pass(clock, 200);
  assert.equal(partition.durableEnd, 1);
  isOutOfDescriptors = false;
  await log.close();
});

describe('files that go under a running broker', () => {
  for (const [what, harm] of [
    ['the journal', async (files: MemoryFiles) => removeAll(files, 'data/journal/')],
    ['everything', async (files: MemoryFiles) => removeAll(files, 'data/')],
    ['the owner', async (files: MemoryFiles) => files.remove('data/owner')],
    [
      'a journal file, for a copy of it',
      async (files: MemoryFiles) => {
        const path = files.paths().find((name) => name.endsWith('.journal'))!;
        const bytes = files.bytes(path)!;
        await files.remove(path);
        await (await files.open(path, { create: true })).write(bytes, 0);
      },
    ],
  ] as const) {
    test(`${what}: it stops within a heartbeat, and acks nothing after it noticed`, async () => {
      const files = new MemoryFiles();
      const { log, host, clock } = await openLog(files, smallLimits);
      append(host.create(1), 'acked');
      await log.flush();
      await harm(files);
      await pass(clock, 1100);
      assert.match(host.failure!.message, /was removed or replaced while the broker was running/);
      assert.throws(() => append(log.partition(1)!, 'more'), { code: 'io-failed' });
      await log.close();
    });
  }

  test('a segment: no checkpoint relies on it', async () => {
    const files = new MemoryFiles();
    const { log, host } = await openLog(files, smallLimits);
    const partition = host.create(1);
    append(partition, 'first');
    await log.checkpoint();
    await files.remove('data/topics/1/00000000000000000000.log');
    append(partition, 'second');
    await assert.rejects(log.checkpoint());
    assert.match(host.failure!.message, /was removed or replaced while the broker was running/);
    await log.close();
  });
});

async function removeAll(files: MemoryFiles, prefix: string): Promise<void> {
  for (const path of files.paths()) if (path.startsWith(prefix)) await files.remove(path);
}

describe('data of a later version', () => {
  for (const name of ['identity', 'owner', 'checkpoint-a', 'journal/0000000000000000.journal']) {
    for (const length of [200, 13]) {
      test(`${name}, of ${length} bytes: refused, and nothing is changed`, async () => {
        const files = new MemoryFiles();
        const { log, host } = await openLog(files, smallLimits);
        append(host.create(1), 'old');
        await log.close();
        const path = `data/${name}`;
        const later = Buffer.concat([
          files.bytes(path)!.subarray(0, 11),
          Buffer.from([9]),
          Buffer.alloc(length, 7),
        ]);
        const file = await files.open(path, { truncate: true });
        await file.write(later, 0);
        const before = files.paths().map((each) => [each, Buffer.from(files.bytes(each)!)] as const);
        await assert.rejects(openLog(files, smallLimits), { code: 'format-newer' });
        assert.deepEqual(
          files.paths().map((each) => [each, Buffer.from(files.bytes(each)!)] as const),
          before,
        );
      });
    }
  }

  test('a flipped bit in the version is damage, and not the future', async () => {
    const files = new MemoryFiles();
    const { log, host } = await openLog(files, smallLimits);
    append(host.create(1), 'old');
    await log.close();
    files.bytes('data/identity')![11]! ^= 4;
    const again = await openLog(files, smallLimits);
    assert.deepEqual(values(await readAll(again.log.partition(1)!)), ['old']);
    await again.log.close();
  });
});

test('a commit is never confirmed once the heart has stopped, and does not wait for ever', async () => {
  const files = new MemoryFiles();
  const clock = new VirtualClock();
  await files.makeDir('data');
  const lock = await files.lock('data');
  const [uuid, token] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)];
  const fence = await Fence.claim({ files, dir: 'data', uuid, lock, clock, token, heartbeatMs: 1000 });
  assert.equal(fence.confirm(), undefined);
  await fence.end(false);
  clock.advance(10_000);
  await assert.rejects(fence.confirm()!, { code: 'closed' });
  await lock.release();
});
