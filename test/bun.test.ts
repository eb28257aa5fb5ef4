import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import kafkajs from 'kafkajs';
import { eventually, makeTemporaryDirectory } from './support/index.ts';
import { freePortFlags } from './support/ports.ts';

// Node is the platform; Bun must not be a trap.

const bun = process.env['BUN'];
const skip = bun === undefined && 'BUN names none (.ci/peers brings one)';
const bundle = (path: string): string => fileURLToPath(new URL(`../bundle/${path}`, import.meta.url));

interface Ports {
  readonly pid: number;
  readonly nats: number;
  readonly kafka: number;
}

interface Served extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ports: Ports;
}

async function serve(directory: string): Promise<Served> {
  const portsFile = join(directory, 'ports.json');
  const flags = [...freePortFlags, '--ports-file', portsFile];
  const child = spawn(bun!, [bundle('cli/main.js'), 'serve', '--data', join(directory, 'data'), ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exit = once(child, 'exit');
  const dispose = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exit;
  };
  let ports: Ports | null = null;
  try {
    await eventually(async () => {
      ports = JSON.parse(await readFile(portsFile, 'utf8').catch(() => 'null')) as Ports | null;
      return ports?.pid === child.pid;
    });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { child, ports: ports!, [Symbol.asyncDispose]: dispose };
}

describe('on Bun', { skip, timeout: 60_000 }, () => {
  test('a server serves NATS and Kafka clients, and has everything after it was killed', async () => {
    await using directory = await makeTemporaryDirectory();
    await using first = await serve(directory.path);
    const connection = await connect({ servers: `127.0.0.1:${first.ports.nats}`, reconnect: false });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'orders', subjects: ['orders.>'] });
    const { seq } = await jetstream(connection).publish('orders.new', 'a book');
    assert.equal(seq, 1);
    const { Kafka, logLevel } = kafkajs;
    const kafka = new Kafka({ brokers: [`127.0.0.1:${first.ports.kafka}`], logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: 'orders', messages: [{ value: 'x'.repeat(300_000) }] });
    await producer.disconnect();
    await connection.close();
    await first[Symbol.asyncDispose]();

    await using again = await serve(directory.path);
    const reconnection = await connect({ servers: `127.0.0.1:${again.ports.nats}`, reconnect: false });
    const stream = (await (await jetstreamManager(reconnection)).streams.info('orders')).state;
    assert.equal(stream.messages, 2);
    await reconnection.close();
    const exit = once(again.child, 'exit') as Promise<[number]>;
    again.child.kill('SIGTERM');
    const [code] = await exit;
    assert.equal(code, 0);
  });

  test('the embedded broker works in a directory', async () => {
    await using directory = await makeTemporaryDirectory();
    const script = join(directory.path, 'script.mjs');
    await writeFile(
      script,
      `import { open } from ${JSON.stringify(bundle('index.js'))};
       const box = await open({ dir: ${JSON.stringify(join(directory.path, 'data'))} });
       const topic = await box.topic('orders');
       await topic.publish({ id: 7 });
       const group = await topic.group('g');
       const message = await group.next();
       await message.ack();
       await box.close();
       console.log(message.value.id);`,
    );
    const child = spawn(bun!, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [[code], output] = await Promise.all([
      once(child, 'exit') as Promise<[number]>,
      text(child.stdout),
    ]);
    assert.deepEqual([code, output], [0, '7\n']);
  });
});
