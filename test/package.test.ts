import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeTemporaryDirectory, type TemporaryDirectory } from './support/index.ts';

// The package as its users get it: the output of `npm pack` in a clone that was never built.

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const typescript = join(root, 'node_modules/typescript');
const oldestTypescript = process.env['OLDEST_TYPESCRIPT'];
/** The files that `npm pack` and the build need, without dist; the tests are left out for speed. */
const cloned = ['src', 'build', 'docs', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE'];

const consumer = `
import { bytes, open, json, BrokerError, type Delivery, type Topic } from 'pillarbox';
import { connect, type Subscription } from 'pillarbox/client';
import { fromPg, inbox, type PgPool } from 'pillarbox/inbox';
import { outbox } from 'pillarbox/outbox';
import { startTestKit, type TestKit } from 'pillarbox/testing';
import { startServer, type PillarboxServer } from 'pillarbox/server';

interface Order { readonly id: number }

await using box = await open();
const orders: Topic<Order> = await box.topic<Order>('orders');
await orders.publish({ id: 1 });
const group = await orders.group('billing');
group.consume(async (message: Delivery<Order>, { signal }) => {
  signal.throwIfAborted();
  const bytes: Uint8Array | null = message.bytes;
  void bytes;
});
for await (const message of group) await message.ack();
for await (const message of orders.browse()) message.value.id.toFixed();
for await (const batch of group.batches()) await batch.ack();
for await (const price of box.live.subscribe('prices.*', { codec: json<number>() })) price.value.toFixed();
await using client = await connect('memory:');
const jobs = await client.topic<Order>('jobs');
const working: Subscription<Order> = (await jobs.group('workers')).consume((job) => job.value.id.toFixed());
await working.close();
const kit: TestKit = await startTestKit();
(await kit.spy('jobs').waitFor({ id: 7 }, 'acked')).delivery.toFixed();
const server: PillarboxServer = await startServer({ natsPort: 0 });
server.ports.nats?.toFixed();
declare const pool: PgPool;
const ledger = inbox({ database: fromPg(pool), consumer: 'ledger' });
const box2 = outbox({ database: fromPg(pool) });
const placed = box2.topic<Order>('orders');
await box2.transaction((client) => placed.publish(client, { id: 2 }));
const relay = box2.relay({ publisher: (name) => box.topic(name, { codec: bytes }) });
relay.stats().published.toFixed();
group.consume((message) => ledger.once(message, (client) => client.query('SELECT 1')));
if (server.broker.topic('orders') === undefined) throw new BrokerError('topic-not-found', 'no orders');
`;

describe('the package', () => {
  let directory: TemporaryDirectory;
  let files: string[] = [];

  before(async () => {
    directory = await makeTemporaryDirectory();
    const clone = join(directory.path, 'clone');
    await mkdir(clone);
    for (const path of cloned) await cp(join(root, path), join(clone, path), { recursive: true });
    await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', directory.path], {
      cwd: clone,
    });
    const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    files = packed.files.map(({ path }) => path);
    await mkdir(join(directory.path, 'node_modules'));
    await run('tar', [
      'xzf',
      join(directory.path, packed.filename),
      '-C',
      join(directory.path, 'node_modules'),
    ]);
    await run('mv', [
      join(directory.path, 'node_modules/package'),
      join(directory.path, 'node_modules/pillarbox'),
    ]);
    await writeFile(join(directory.path, 'package.json'), '{"type":"module"}');
    await writeFile(join(directory.path, 'consumer.ts'), consumer);
  });
  after(() => directory[Symbol.asyncDispose]());

  /** Compiles the consumer, checking declarations too; resolves to the compiler's output. */
  async function compile(compiler: string, options: object): Promise<string> {
    const compilerOptions = {
      strict: true,
      module: 'nodenext',
      target: 'es2022',
      skipLibCheck: false,
      noEmit: true,
      ...options,
    };
    const path = join(directory.path, 'tsconfig.json');
    await writeFile(path, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const { stdout } = await run(process.execPath, [join(compiler, 'bin/tsc'), '-p', path]).catch(
      (error: unknown) => error as { stdout: string },
    );
    return stdout;
  }

  test('packed in a clone, has the files that its entries name', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      exports: { [path: string]: { types: string; default: string } | string };
      bin: { pillarbox: string };
    };
    const named = [
      manifest.bin.pillarbox,
      ...Object.values(manifest.exports).flatMap((entry) =>
        typeof entry === 'string' ? [entry] : Object.values(entry),
      ),
    ];
    for (const path of named)
      assert.ok(files.includes(path.replace('./', '')), `${path} is not in the package`);
    assert.deepEqual(
      files.filter((path) => path.startsWith('dist/test')),
      [],
    );
  });

  const bare = { types: [], lib: ['es2023', 'esnext.disposable'] };
  const inBrowser = { types: [], lib: ['es2023', 'esnext.disposable', 'dom'] };
  const onNode = {
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    lib: ['es2023', 'esnext.disposable'],
  };
  const skip = oldestTypescript === undefined && 'OLDEST_TYPESCRIPT names none (.ci/peers brings one)';

  for (const [name, options] of Object.entries({
    'no types of a platform': bare,
    'those of a browser': inBrowser,
    'those of Node': onNode,
  })) {
    test(`its declarations compile with ${name}`, async () => {
      assert.equal(await compile(typescript, options), '');
    });
    test(`its declarations compile in TypeScript 5.4 with ${name}`, { skip }, async () => {
      assert.equal(await compile(oldestTypescript ?? '', options), '');
    });
  }
});
