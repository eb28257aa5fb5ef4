import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as sources from '../src/index.ts';
import * as clientSources from '../src/client/index.ts';
import * as serverSources from '../src/server/index.ts';
import * as testingSources from '../src/testing/index.ts';
import { makeTemporaryDirectory } from './support/temporary-directory.ts';
import { freePorts } from './support/ports.ts';

// The package exports and runs dist/bundle, which the build makes of the modules that all other tests import.

const bundle = (path: string): string => new URL(`../bundle/${path}`, import.meta.url).href;

test('the bundle exports the same as the sources, and works', async () => {
  const bundled = (await import(bundle('index.js'))) as typeof sources;
  assert.deepEqual(Object.keys(bundled).toSorted(), Object.keys(sources).toSorted());
  await using directory = await makeTemporaryDirectory();
  await using box = await bundled.open({ dir: directory.path });
  const orders = await box.topic('orders');
  const { offset } = await orders.publish({ id: 7 });
  assert.equal(offset, 0);
});

test('a class is the same class through every entry', async () => {
  const bundled = (await import(bundle('index.js'))) as typeof sources;
  const server = (await import(bundle('server/index.js'))) as typeof serverSources;
  assert.deepEqual(Object.keys(server).toSorted(), Object.keys(serverSources).toSorted());
  await using directory = await makeTemporaryDirectory();
  await using running = await server.startServer({
    data: directory.path,
    ...freePorts,
  });
  await assert.rejects(
    running.broker.createTopic({ name: '' }),
    (error) => error instanceof bundled.BrokerError && error.code === 'topic-config-invalid',
  );
});

test('the client of the bundle throws and takes the errors of the embedded API', async () => {
  const bundled = (await import(bundle('index.js'))) as typeof sources;
  const client = (await import(bundle('client/index.js'))) as typeof clientSources;
  assert.deepEqual(Object.keys(client).toSorted(), Object.keys(clientSources).toSorted());
  assert.equal(client.RetryError, bundled.RetryError);
  const testing = (await import(bundle('testing/index.js'))) as typeof testingSources;
  assert.deepEqual(Object.keys(testing).toSorted(), Object.keys(testingSources).toSorted());
  await using connected = await client.connect('memory:');
  const { offset } = await (await connected.topic('orders')).publish({ id: 7 });
  assert.equal(offset, 0);
});

test('the bundled command line runs', async () => {
  const child = spawn(process.execPath, [fileURLToPath(bundle('cli/main.js')), '--version'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
  assert.match(out, /^\d+\.\d+\.\d+/);
});
