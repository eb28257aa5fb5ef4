import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { SeededRandom, VirtualClock } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { says, TestServer } from './nats-kit.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Around the sizes from which on messages have room of their own, and are sent without a copy. */
const sizes = [0, 16 * KiB, 32 * KiB - 40, 32 * KiB, 40 * KiB, 64 * KiB - 1, 64 * KiB, 100_000, 300_000, MiB];

/** Text of which no two parts are alike. */
function textOf(random: SeededRandom, length: number): string {
  const bytes = Buffer.from(random.bytes(Math.ceil(length / 2))).toString('hex');
  return bytes.slice(0, length);
}

function messages(count: number): string[] {
  const random = new SeededRandom(7);
  return Array.from({ length: count }, (_, i) => textOf(random, sizes[(i * 7) % sizes.length]!));
}

test('large messages reach every subscriber as they are, however the input is cut', async () => {
  await using server = await TestServer.start();
  using plain = await server.connect();
  using wild = await server.connect();
  using publisher = await server.connect();
  await says(plain, 'SUB a.b 1\r\n', '');
  await says(wild, 'SUB a.* 22\r\n', '');
  const all = messages(60);
  const sent = Buffer.from(all.map((text) => `PUB a.b ${text.length}\r\n${text}\r\n`).join(''), 'latin1');
  const random = new SeededRandom(3);
  for (let at = 0; at < sent.length;) {
    const end = at + 1 + random.int(random.int(8) === 0 ? 300_000 : 30_000);
    publisher.send(sent.toString('latin1', at, end));
    at = end;
    if (random.int(4) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const text of all) {
    await plain.expect(`MSG a.b 1 ${text.length}\r\n${text}\r\n`);
    await wild.expect(`MSG a.b 22 ${text.length}\r\n${text}\r\n`);
  }
});

test('a subscriber that goes with a large message half sent leaves the others theirs', async () => {
  await using server = await TestServer.start();
  using stuck = await server.connect({ name: 'stuck' });
  using reader = await server.connect({ name: 'reader' });
  using publisher = await server.connect();
  await says(stuck, 'SUB a 1\r\n', '');
  await says(reader, 'SUB a 1\r\n', '');
  stuck.pause();
  const random = new SeededRandom(5);
  const all = Array.from({ length: 40 }, () => textOf(random, MiB));
  let at = 0;
  for (; at < 20; at++) publisher.send(`PUB a ${all[at]!.length}\r\n${all[at]}\r\n`);
  await eventually(
    () => server.nats.listConnections().find(({ name }) => name === 'stuck')!.pendingBytes > 0,
  );
  stuck.end();
  for (; at < all.length; at++) publisher.send(`PUB a ${all[at]!.length}\r\n${all[at]}\r\n`);
  for (const text of all) await reader.expect(`MSG a 1 ${text.length}\r\n${text}\r\n`);
});

test('a subscriber that is closed gets what was sent before as it was', async () => {
  const clock = new VirtualClock(); // the time to read is not over before it reads
  await using server = await TestServer.start({ clock });
  using slow = await server.connect({ name: 'slow' });
  using reader = await server.connect();
  using publisher = await server.connect();
  await says(slow, 'SUB a 1\r\n', '');
  await says(reader, 'SUB a 1\r\nSUB b 2\r\n', '');
  slow.pause();
  const random = new SeededRandom(5);
  const [before, after] = [20, 20].map((count) =>
    Array.from({ length: count }, () => textOf(random, MiB)),
  ) as [string[], string[]];
  for (const text of before) publisher.send(`PUB a ${MiB}\r\n${text}\r\n`);
  for (const text of before) await reader.expect(`MSG a 1 ${MiB}\r\n${text}\r\n`);
  slow.send('NONSENSE\r\n');
  await eventually(() => server.closeReasons.length === 1);
  for (const text of after) publisher.send(`PUB b ${MiB}\r\n${text}\r\n`);
  for (const text of after) await reader.expect(`MSG b 2 ${MiB}\r\n${text}\r\n`);
  slow.resume();
  for (const text of before) await slow.expect(`MSG a 1 ${MiB}\r\n${text}\r\n`);
});

test("what a closed publisher still sends goes into nobody else's message", async () => {
  const clock = new VirtualClock();
  await using server = await TestServer.start({ clock, limits: { pingIntervalMs: 1000, pingsOutMax: 1 } });
  const bytesOf = (client: string): number =>
    server.nats.listConnections().find(({ name }) => name === client)?.inBytes ?? 0;
  // Its side stays open when the server's ends.
  const closed = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true }).resume();
  closed.write(`CONNECT {"verbose":false,"name":"closed"}\r\nPUB a ${MiB}\r\n${'y'.repeat(700_000)}`);
  await eventually(() => bytesOf('closed') > 700_000);
  // It answers no PING.
  await eventually(() => {
    clock.advance(900);
    return server.closeReasons.length === 1;
  });
  using reader = await server.connect();
  using publisher = await server.connect({ name: 'publisher' });
  await says(reader, 'SUB a 1\r\n', '');
  const text = textOf(new SeededRandom(1), MiB);
  publisher.send(`PUB a ${MiB}\r\n${text.slice(0, 1_000_000)}`);
  await eventually(() => bytesOf('publisher') > 1_000_000);
  closed.end('z'.repeat(300_000));
  await once(closed, 'close');
  publisher.send(`${text.slice(1_000_000)}\r\n`);
  await reader.expect(`MSG a 1 ${MiB}\r\n${text}\r\n`);
});

test('a publisher that goes in the middle of a large message leaves nothing behind', async () => {
  await using server = await TestServer.start();
  using reader = await server.connect();
  await says(reader, 'SUB a 1\r\n', '');
  const text = textOf(new SeededRandom(1), MiB);
  for (let i = 0; i < 3; i++) {
    using publisher = await server.connect({ name: 'publisher' });
    publisher.send(`PUB a ${MiB}\r\n${text.slice(0, 700_000)}`);
    await eventually(
      () => server.nats.listConnections().find(({ name }) => name === 'publisher')!.inBytes > 700_000,
    );
    publisher.end();
    await eventually(() => server.nats.connections === 1);
  }
  using publisher = await server.connect();
  publisher.send(`PUB a ${MiB}\r\n${text}\r\n`);
  await reader.expect(`MSG a 1 ${MiB}\r\n${text}\r\n`);
});
