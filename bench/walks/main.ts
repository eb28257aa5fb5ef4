/**
 * How many modules of a build an operation enters, and how often it returns to one that it has left. The
 * public calls of classes and of tables of handlers are traced, one operation after the other, from the bytes
 * of a NATS client until those of the answer.
 *
 *     node dist/bench/walks/main.js [FOLDER [SETTINGS]]
 *
 * FOLDER has the `dist/src` of a build (default: this one), SETTINGS are options of its `startServer`, as
 * JSON. An older build does not know all protocols.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { startServer } from '../../src/server/index.ts';
import { WalkClient } from './client.ts';
import { figuresOf, installTracer, record, type Figures } from './trace.ts';

/** What is under way between two operations comes to an end. */
const restMs = 150;
const nackMs = 20;
const rounds = 7;
/** Whose code is loaded by the first operations, and whose tables are empty. */
const roundsUncounted = 2;
const everyPort = { amqpPort: 0, amqpAdminPort: 0, sqsPort: 0 };

const [folder = fileURLToPath(new URL('../../../', import.meta.url)), settings] = process.argv.slice(2);
const base = pathToFileURL(join(resolve(folder), 'dist/src/')).href;
installTracer();
register('./loader.js', { parentURL: import.meta.url, data: { base } });
const server = (await import(`${base}server/index.js`)) as { readonly startServer: typeof startServer };

const data = mkdtempSync(join(tmpdir(), 'pillarbox-walks-'));
const running = await server.startServer({
  data,
  natsPort: 0,
  kafkaPort: 0,
  adminPort: 0,
  ...(settings === undefined ? everyPort : (JSON.parse(settings) as object)),
});
const client = await WalkClient.connect(running.ports.nats!);
const queue = { name: 'orders', subjects: ['orders.>'], retention: 'workqueue', storage: 'file' };
const consumer = { durable_name: 'c', ack_policy: 'explicit', ack_wait: 3600e9, max_deliver: -1 };
await client.request('$JS.API.STREAM.CREATE.orders', JSON.stringify(queue));
await client.request(
  '$JS.API.CONSUMER.DURABLE.CREATE.orders.c',
  JSON.stringify({ stream_name: 'orders', config: consumer }),
);

const walks = new Map<string, Figures[]>();
let ackSubject = '';
const pull = async (): Promise<void> => {
  ackSubject = await client.pull('orders', 'c');
};
const operations: readonly (readonly [string, () => Promise<void>])[] = [
  ['publish', () => client.request('orders.new', 'hello')],
  ['pull of one message', pull],
  [
    'nack, no consumer waits',
    async () => {
      client.publish(ackSubject, '-NAK');
      await delay(nackMs); // it has no answer
    },
  ],
  ['redelivery by the next pull', pull],
  ['ack of a queue message', () => client.request(ackSubject, '+ACK')],
];
for (let round = 0; round < rounds; round++) {
  for (const [name, operation] of operations) {
    await delay(restMs);
    const figures = figuresOf(await record(operation));
    if (round >= roundsUncounted) walks.set(name, [...(walks.get(name) ?? []), figures]);
  }
}
client.end();
await running.close({ graceMs: 0 });
rmSync(data, { recursive: true, force: true });

console.log('operation                     modules  stays  layer changes  returns');
for (const [name, all] of walks) {
  const { modules, stays, layerChanges, returns } = all.sort((a, b) => a.stays - b.stays)[all.length >> 1]!;
  const columns = [modules, stays, layerChanges, returns].map(String);
  const widths = [7, 5, 13, 7];
  console.log(name.padEnd(28), ...columns.map((text, at) => text.padStart(widths[at]! + 1)));
}
process.exit(0);
