import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../src/log/index.ts';
import { MemoryFiles, type File, type Files, type OpenOptions } from '../../src/log/index.ts';
import type { TestHost } from './kit.ts';
import { VirtualClock } from '../../src/util/index.ts';
import { append, openLog, readAll, readBatches, until, values } from './kit.ts';

/** Files whose durable writes wait until the test releases them. */
class HeldFiles extends MemoryFiles {
  readonly held: (() => void)[] = [];
  holding = false;
  writes = 0;

  override async open(path: string, options: OpenOptions = {}): Promise<File> {
    const file = await super.open(path, options);
    if (!options.syncWrites) return file;
    const write = file.write.bind(file);
    file.write = async (bytes, position) => {
      this.writes++;
      if (this.holding) await new Promise<void>((resolve) => this.held.push(resolve));
      await write(bytes, position);
    };
    return file;
  }

  letGo(): void {
    this.held.shift()!();
  }
}

async function held(clock = new VirtualClock()): Promise<{ files: HeldFiles; log: Log; host: TestHost }> {
  const files = new HeldFiles();
  const { log, host } = await openLog(files, { clock });
  host.create(1);
  await log.flush();
  files.holding = true;
  files.writes = 0;
  return { files, log, host };
}

async function finish({ files, log }: { files: HeldFiles; log: Log }): Promise<void> {
  files.holding = false;
  while (files.held.length > 0) files.letGo();
  await log.close();
}

test('nothing is durable, readable or told before its write has returned', async () => {
  const kit = await held();
  const { files, log, host } = kit;
  const partition = log.partition(1)!;
  const before = host.durableCalls;
  append(partition, 'a');
  let flushed = false;
  const flush = log.flush().then(() => (flushed = true));
  await until(() => files.held.length === 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    [partition.endOffset, partition.durableEnd, flushed, host.durableCalls],
    [1, 0, false, before],
  );
  assert.equal(partition.cached(0), undefined);
  assert.equal(await partition.load(0), undefined);
  assert.deepEqual(await readBatches(partition), []);
  files.letGo();
  await flush;
  assert.equal(partition.durableEnd, 1);
  assert.deepEqual(values(await readAll(partition)), ['a']);
  assert.equal(host.durableCalls, before + 1);
  await finish(kit);
});

test('all that comes while a commit is being written goes into the next, and one write is under way at a time', async () => {
  const kit = await held();
  const { files, log } = kit;
  const partition = log.partition(1)!;
  append(partition, 'first');
  await until(() => files.held.length === 1);
  for (let i = 0; i < 50; i++) {
    append(partition, `later ${i}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(files.writes, 1);
  files.letGo();
  await until(() => files.held.length === 1);
  files.letGo();
  await log.flush();
  assert.equal(files.writes, 2);
  assert.equal(partition.durableEnd, 51);
  await finish(kit);
});

for (const [what, bytes, turnMs, writes] of [
  [
    'a commit of some size that is open when another became durable waits a little for those who were told of that one',
    10_000,
    0,
    2,
  ],
  ['a small one is sealed at once', 10, 0, 3],
  ['one of some size waits for no second turn of an event loop whose turns are long', 10_000, 10, 3],
] as const) {
  test(what, async () => {
    const clock = new VirtualClock();
    const kit = await held(clock);
    const { files, log, host } = kit;
    const partition = log.partition(1)!;
    append(partition, 'told of first');
    await until(() => files.held.length === 1);
    append(partition, 'x'.repeat(bytes));
    const told = host.durableCalls;
    files.letGo();
    await until(() => host.durableCalls > told);
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(turnMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
    append(partition, 'sent again');
    files.holding = false;
    while (files.held.length > 0) files.letGo();
    await log.flush();
    assert.equal(files.writes, writes);
    assert.equal(partition.durableEnd, 3);
    await finish(kit);
  });
}

test('the host adds to a commit in beforeSeal, and its additions in sealed belong to the next', async () => {
  const { log, host } = await openLog(new MemoryFiles());
  const partition = host.create(1);
  await log.flush();
  const sealedWith: number[] = [];
  let once = true;
  host.onBeforeSeal = () => {
    if (once) append(partition, 'in beforeSeal');
  };
  host.onSealed = () => {
    sealedWith.push(partition.endOffset);
    if (once) append(partition, 'in sealed');
    once = false;
  };
  const number = log.openCommit;
  append(partition, 'before');
  await log.flush();
  assert.equal(partition.durableEnd, 2);
  await log.flush();
  assert.equal(partition.durableEnd, 3);
  assert.deepEqual(sealedWith, [2, 3]);
  assert.equal(log.openCommit, number + 2);
  await log.close();
});

test('an empty commit that was asked for is told without a write', async () => {
  const kit = await held();
  const { files, log, host } = kit;
  const before = host.durableCalls;
  const number = log.openCommit;
  log.requestCommit();
  await log.flush();
  assert.equal(host.durableCalls, before + 1);
  assert.equal(log.openCommit, number + 1);
  assert.equal(files.writes, 0);
  await finish(kit);
});

test('the log is congested while too much waits, and says when it is over', async () => {
  const files = new HeldFiles();
  const { log, host } = await openLog(files, { commitBytesMax: 5000 });
  const partition = host.create(1);
  await log.flush();
  files.holding = true;
  append(partition, 'first');
  await until(() => files.held.length === 1);
  assert.equal(log.congested, false);
  while (!log.congested) append(partition, 'x'.repeat(100));
  assert.ok(partition.endOffset > 30);
  const told: boolean[] = [];
  host.onDurable = () => void told.push(log.congested);
  files.letGo();
  await until(() => files.held.length === 1);
  files.letGo();
  await log.flush();
  assert.deepEqual(told, [true, false]);
  await finish({ files, log });
});

test('a write that fails is final: all waiters are told, nothing is added or written again', async () => {
  let failing = false;
  let attempts = 0;
  class FailingFiles extends MemoryFiles {
    override async open(path: string, options: OpenOptions = {}): Promise<File> {
      const file = await super.open(path, options);
      const write = file.write.bind(file);
      file.write = async (bytes, position) => {
        if (failing) {
          attempts++;
          throw Object.assign(new Error('EIO: write'), { code: 'EIO' });
        }
        await write(bytes, position);
      };
      return file;
    }
  }
  const files: Files = new FailingFiles();
  const { log, host } = await openLog(files);
  const partition = host.create(1);
  await log.flush();
  const told = host.durableCalls;
  failing = true;
  append(partition, 'lost');
  await assert.rejects(log.flush(), { code: 'io-failed' });
  assert.equal(host.failure?.code, 'io-failed');
  assert.match(host.failure.message, /EIO/);
  failing = false;
  assert.throws(() => append(partition, 'more'), { code: 'io-failed' });
  assert.throws(() => log.record(1, 1, Buffer.from('x')), { code: 'io-failed' });
  await assert.rejects(log.flush(), { code: 'io-failed' });
  await assert.rejects(log.checkpoint(), { code: 'closed' });
  assert.equal(host.durableCalls, told);
  assert.equal(partition.durableEnd, 0);
  assert.equal(attempts, 1);
  await log.close();
  const again = await openLog(files);
  assert.equal(again.log.partition(1)!.endOffset, 0);
  await again.log.close();
});

test('many partitions and entries are one write, whole or not at all', async () => {
  const kit = await held();
  const { files, log, host } = kit;
  for (let id = 2; id <= 40; id++) host.create(id);
  for (let id = 1; id <= 40; id++) append(log.partition(id)!, `to ${id}`);
  await until(() => files.held.length === 1);
  const before = files.copy();
  files.letGo();
  await log.flush();
  assert.equal(files.writes, 1);
  const without = await openLog(before);
  assert.deepEqual(Object.keys(without.host.state.partitions), ['1']);
  assert.equal(without.log.partition(1)!.endOffset, 0);
  await without.log.close();
  const withAll = await openLog(files.copy());
  assert.equal(Object.keys(withAll.host.state.partitions).length, 40);
  for (let id = 1; id <= 40; id++)
    assert.deepEqual(values(await readAll(withAll.log.partition(id)!)), [`to ${id}`]);
  await withAll.log.close();
  await finish(kit);
});
