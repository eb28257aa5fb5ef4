import assert from 'node:assert/strict';
import { readFile, readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startServer } from '../../src/server/index.ts';
import { makeTemporaryDirectory } from '../support/index.ts';
import { freePorts, protocolsOff } from '../support/ports.ts';

describe('a server in the process', () => {
  test('starts on free ports, twice over, and leaves nothing behind', async () => {
    await using directory = await makeTemporaryDirectory();
    for (const run of [1, 2]) {
      const portsFile = join(directory.path, 'ports.json');
      await using server = await startServer({
        data: join(directory.path, 'data'),
        ...freePorts,
        portsFile,
      });
      assert.deepEqual(JSON.parse(await readFile(portsFile, 'utf8')), { pid: process.pid, ...server.ports });
      assert.deepEqual(
        await readdir(directory.path),
        ['data', 'ports.json'],
        'the ports file was renamed into place',
      );
      assert.equal(server.broker.topics.size, run - 1);
      await server.broker.createTopic({ name: `run-${run}` });
      await Promise.all([server.close(), server.close()]);
      await assert.rejects(stat(portsFile), { code: 'ENOENT' });
      for (const port of [server.ports.nats!, server.ports.admin])
        assert.equal(await isListening(port), false);
    }
  });

  test('in memory makes no data directory', async () => {
    await using directory = await makeTemporaryDirectory();
    const data = join(directory.path, 'data');
    await using server = await startServer({ data, ...protocolsOff, adminPort: 0, storage: 'memory' });
    const topic = await server.broker.createTopic({ name: 'orders' });
    await topic.send({ key: null, headers: [], value: Buffer.from('x') });
    assert.equal(topic.durableCount, 1);
    await assert.rejects(stat(data), { code: 'ENOENT' });
  });

  for (const off of ['nats', 'kafka', 'amqp', 'sqs'] as const)
    test(`does without ${off} where that is off`, async () => {
      await using directory = await makeTemporaryDirectory();
      const portsFile = join(directory.path, 'ports.json');
      await using server = await startServer({
        data: join(directory.path, 'data'),
        natsPort: off === 'nats' ? 'off' : 0,
        kafkaPort: off === 'kafka' ? 'off' : 0,
        amqpPort: off === 'amqp' ? 'off' : 0,
        amqpAdminPort: 0,
        sqsPort: off === 'sqs' ? 'off' : 0,
        adminPort: 0,
        portsFile,
      });
      const isOn = (name: string): boolean => name !== off && !(off === 'amqp' && name === 'amqpAdmin');
      const rest = (['nats', 'kafka', 'amqp', 'amqpAdmin', 'sqs'] as const).filter(isOn);
      const ports = JSON.parse(await readFile(portsFile, 'utf8')) as { [name: string]: number };
      assert.deepEqual(Object.keys(ports), ['pid', ...rest, 'admin']);
      assert.equal(server.ports[off], undefined);
      const api = `http://127.0.0.1:${server.ports.admin}/api/v1`;
      const { protocols } = (await (await fetch(`${api}/connections`)).json()) as {
        protocols: { name: string }[];
      };
      assert.deepEqual(
        protocols.map(({ name }) => name),
        [...rest, 'admin'],
      );
      for (const name of rest) assert.equal(await isListening(server.ports[name]!), true);
    });

  test('that cannot have its port gives the data directory back', async () => {
    await using directory = await makeTemporaryDirectory();
    const data = join(directory.path, 'data');
    await using first = await startServer({
      data: join(directory.path, 'other'),
      ...freePorts,
    });
    for (const taken of [{ natsPort: first.ports.nats! }, { adminPort: first.ports.admin }])
      await assert.rejects(startServer({ data, ...freePorts, ...taken }), {
        code: 'address-in-use',
      });
    await using second = await startServer({ data, ...freePorts });
    assert.ok(second.ports.nats! > 0);
  });

  test('shares its data directory with no other broker', async () => {
    await using directory = await makeTemporaryDirectory();
    const data = join(directory.path, 'data');
    await using _first = await startServer({ data, ...freePorts });
    await assert.rejects(startServer({ data, ...freePorts }), {
      code: 'data-dir-in-use',
    });
  });
});

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
