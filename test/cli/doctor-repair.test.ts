import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { open } from '../../src/index.ts';
import { makeTemporaryDirectory } from '../support/index.ts';
import { runCli, type CliResult } from './run-cli.ts';

/** A data directory that was stopped cleanly: topic `orders` with m0 … m9, in segments. */
async function makeData(dir: string): Promise<void> {
  await using box = await open({ dir });
  const orders = await box.topic('orders');
  for (let i = 0; i < 10; i++) await orders.publish(`m${i}`, { key: 'k' });
}

function doctor(dir: string, ...args: string[]): Promise<CliResult> {
  return runCli(['doctor', '--data', dir, ...args]);
}

/** Every file's name and content but the locks', so that any change shows. */
async function contentOf(dir: string): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    content.set(
      path.slice(dir.length),
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return content;
}

async function damage(path: string, change: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(path);
  change(bytes);
  await writeFile(path, bytes);
}

/** Values in all topics, by topic. */
async function valuesIn(dir: string): Promise<{ [topic: string]: unknown[] }> {
  await using box = await open({ dir });
  const values: { [topic: string]: unknown[] } = {};
  for (const name of box.topics) {
    const topic = await box.topic(name);
    values[name] = [];
    for await (const { value } of topic.browse()) values[name].push(value);
  }
  return values;
}

const all = Array.from({ length: 10 }, (_, i) => `m${i}`);

/** The plan of the repair, which must change nothing. Then lets it run, and returns its output. */
async function planThenRepair(dir: string): Promise<string> {
  const before = await contentOf(dir);
  const plan = await doctor(dir, '--repair');
  assert.equal(plan.code, 1);
  assert.match(plan.err, /Nothing was done: say --yes/);
  assert.deepEqual(await contentOf(dir), before, 'the plan changed something');
  const done = await doctor(dir, '--repair', '--yes');
  assert.equal(done.code, 0, done.err);
  assert.ok(done.out.startsWith(plan.out), 'what was done is what was planned');
  for (const [path, hash] of before) {
    const kept = [...(await contentOf(dir)).entries()].some(([other, it]) => other === path || it === hash);
    assert.ok(kept || /journal|clean-stop/.test(path), `${path} is gone`);
  }
  return plan.out;
}

async function segmentOf(dir: string): Promise<string> {
  const paths = await readdir(join(dir, 'topics'), { recursive: true });
  return join(
    dir,
    'topics',
    paths.find((path) => path.endsWith('.log'))!,
  );
}

describe('doctor --repair', () => {
  test('has nothing to do where all is well', async () => {
    await using directory = await makeTemporaryDirectory();
    await makeData(directory.path);
    const { code, out } = await doctor(directory.path, '--repair');
    assert.deepEqual(
      [code, out],
      [0, `Nothing to repair in ${directory.path}: all of 1 topic with 10 messages can be read.\n`],
    );
    const json = await doctor(directory.path, '--repair', '--json');
    assert.deepEqual(JSON.parse(json.out), {
      data: directory.path,
      repaired: false,
      findings: [],
      steps: [],
      topics: 1,
      messages: 10,
    });
  });

  test('says which offsets damage in the middle of a segment costs', async () => {
    await using directory = await makeTemporaryDirectory();
    const dir = directory.path;
    await makeData(dir);
    const segment = await segmentOf(dir);
    const at = (await readFile(segment)).indexOf('m4');
    await damage(segment, (bytes) => (bytes[at]! ^= 1));
    const plan = await planThenRepair(dir);
    assert.match(plan, /offsets 4 to 4 of partition \d+ are lost, all others are served/);
    assert.match(plan, /is topic "orders", partition 0/);
    assert.match(plan, /Afterwards 1 topic with 9 messages can be read\./);
    assert.deepEqual(await valuesIn(dir), { orders: all.filter((value) => value !== 'm4') });
    const { out } = await doctor(dir, '--json');
    const [setAside] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; status: string; advice: string })
      .filter(({ name }) => name === 'set aside');
    assert.equal(setAside!.status, 'warning');
    assert.match(setAside!.advice, /^quarantine\/\S+-at-\d+ \(\d+ B\): bytes that show nothing$/m);
  });

  test('makes topics of partitions whose definition is lost with both checkpoints', async () => {
    await using directory = await makeTemporaryDirectory();
    const dir = directory.path;
    await makeData(dir);
    for (const name of ['checkpoint-a', 'checkpoint-b', 'clean-stop', 'journal'])
      await rm(join(dir, name), { recursive: true, force: true });
    await mkdir(join(dir, 'journal'));
    const plan = await planThenRepair(dir);
    assert.match(plan, /Both checkpoints are missing/);
    const [, name] = /they become topic "(recovered-\d+)"/.exec(plan)!;
    assert.deepEqual(await valuesIn(dir), { [name!]: all });
  });

  test('gives a directory that does not start its identity back', async () => {
    for (const from of ['checkpoint', 'commits']) {
      await using directory = await makeTemporaryDirectory();
      const dir = directory.path;
      await makeData(dir);
      await damage(join(dir, 'identity'), (bytes) => bytes.fill(0, 12, 20));
      for (const name of await readdir(join(dir, 'journal')))
        await damage(join(dir, 'journal', name), (bytes) => bytes.fill(0, 0, 512));
      await rm(join(dir, 'owner'));
      if (from === 'commits') {
        for (const name of ['checkpoint-a', 'checkpoint-b', 'clean-stop'])
          await rm(join(dir, name), { force: true });
      }
      await assert.rejects(open({ dir }), /identity is damaged and no journal file says/);
      const plan = await planThenRepair(dir);
      const source = from === 'checkpoint' ? 'from a checkpoint' : "from the tag of the journal's commits";
      assert.ok(
        plan.includes(
          `The identity is damaged: it is set aside as quarantine/identity and made anew ${source}`,
        ),
        plan,
      );
      assert.deepEqual(await valuesIn(dir), { orders: all });
    }
  });

  test('sets unknown files aside, and lists their content', async () => {
    await using directory = await makeTemporaryDirectory();
    const dir = directory.path;
    await makeData(dir);
    await rm(join(dir, 'clean-stop'));
    const segment = await segmentOf(dir);
    await mkdir(join(dir, 'topics', '4711'));
    await writeFile(join(dir, 'topics', '4711', '00000000000000000000.log'), await readFile(segment));
    await appendFile(join(dir, 'checkpoint-a'), 'x');
    const plan = await planThenRepair(dir);
    assert.match(
      plan,
      /topics\/4711 is not part of the log as it is known and was set aside as quarantine\/topics-4711/,
    );
    assert.match(plan, /checkpoint-a is damaged and was set aside .* nothing is lost/);
    const { out } = await doctor(dir, '--no-color');
    assert.match(out, /warning +set aside +2 things in quarantine/);
    assert.match(out, / +quarantine\/checkpoint-a \(.*\): a checkpoint that is not intact$/m);
    assert.match(out, / +quarantine\/topics-4711 \(.*\): a directory of 1 file, segments among them: 1$/m);
  });

  test('leaves alone a directory that is in use, foreign or missing', async () => {
    await using directory = await makeTemporaryDirectory();
    const dir = join(directory.path, 'data');
    await makeData(dir);
    {
      await using _ = await open({ dir });
      const { code, err } = await doctor(dir, '--repair', '--yes');
      assert.equal(code, 75, err);
    }
    const foreign = join(directory.path, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'letter.txt'), 'dear');
    assert.equal((await doctor(foreign, '--repair', '--yes')).code, 73);
    const nowhere = await doctor(join(directory.path, 'nowhere'), '--repair', '--yes');
    assert.deepEqual([nowhere.code, nowhere.out], [3, '']);
    assert.deepEqual((await readdir(directory.path)).sort(), ['data', 'foreign']);
  });
});
