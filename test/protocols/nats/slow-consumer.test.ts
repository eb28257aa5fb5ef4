import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveMessage } from '../../../src/broker/index.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { eventually } from '../../support/index.ts';
import { says, TestServer } from './nats-kit.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const value = 'x'.repeat(64 * KiB);
const publish = `PUB a ${value.length}\r\n${value}\r\n`;
const message = `MSG a 1 ${value.length}\r\n${value}\r\n`;

/** Bytes that wait for a connection. */
function pendingOf(server: TestServer, client: string): number {
  return server.nats.listConnections().find(({ name }) => name === client)?.pendingBytes ?? 0;
}

describe('a client that never reads', () => {
  it('slows its publisher down, is cut when its time is up, and others go on', async () => {
    const clock = new VirtualClock();
    await using server = await TestServer.start({ limits: { outputBytesMax: 8 * MiB }, clock });
    using stuck = await server.connect({ name: 'stuck' });
    using reader = await server.connect({ name: 'reader' });
    using publisher = await server.connect();
    await says(stuck, 'SUB a 1\r\n', '');
    await says(reader, 'SUB a 1\r\n', '');
    stuck.pause();
    const count = 600;
    for (let i = 0; i < count; i++) publisher.send(publish);
    publisher.send('PING\r\n');
    await eventually(() => pendingOf(server, 'stuck') > 6 * MiB && pendingOf(server, 'reader') === 0, {
      message: 'the publisher to be held',
    });
    assert.ok(pendingOf(server, 'stuck') < 8 * MiB, 'held before the limit is reached');
    clock.advance(9_000);
    assert.deepEqual(server.closeReasons, []);
    clock.advance(1_000);
    assert.deepEqual(server.closeReasons, ['slow-consumer']);
    for (let i = 0; i < count; i++) await reader.expect(message);
    await publisher.expect('PONG\r\n');
    assert.equal(server.nats.connections, 2);
  });

  it('is cut at once when more waits than may', async () => {
    await using server = await TestServer.start({
      // The publisher is not held, because the limit is under test.
      limits: { outputBytesMax: 4 * MiB, outputBytesHold: 1024 * MiB, writeDeadlineMs: 60_000 },
    });
    using stuck = await server.connect();
    using publisher = await server.connect();
    await says(stuck, 'SUB a 1\r\n', '');
    stuck.pause();
    for (let i = 0; i < 600; i++) publisher.send(publish);
    await says(publisher, '', '');
    await eventually(() => server.closeReasons.includes('slow-consumer'));
  });

  it('with little waiting for it is cut all the same when its time is up', async () => {
    const clock = new VirtualClock();
    await using server = await TestServer.start({ clock });
    using stuck = await server.connect({ name: 'stuck' });
    using publisher = await server.connect();
    await says(stuck, 'SUB a 1\r\n', '');
    stuck.pause();
    // A little more than the kernel takes in its buffers, far less than any mark.
    await eventually(async () => {
      await says(publisher, publish.repeat(8), '');
      return pendingOf(server, 'stuck') > 0;
    });
    clock.advance(10_000);
    assert.deepEqual(server.closeReasons, ['slow-consumer']);
  });
});

describe('a client that reads slowly', () => {
  it('is cut when it holds its publisher back for too long, though it makes progress', async () => {
    const clock = new VirtualClock();
    await using server = await TestServer.start({ limits: { outputBytesMax: 16 * MiB }, clock });
    using slow = await server.connect({ name: 'slow' });
    using publisher = await server.connect();
    const pending = (): number => pendingOf(server, 'slow');
    await says(slow, 'SUB a 1\r\n', '');
    slow.pause();
    for (let i = 0; i < 600; i++) publisher.send(publish);
    await eventually(() => pending() > 12 * MiB, { message: 'the publisher to be held' });
    clock.advance(9_000);
    const before = pending();
    slow.resume();
    await slow.expect(message.repeat(48));
    slow.pause();
    await eventually(() => pending() < before - MiB, { message: 'progress' });
    assert.ok(pending() > 6 * MiB, 'not yet drained');
    assert.deepEqual(server.closeReasons, []);
    clock.advance(1_000);
    assert.deepEqual(server.closeReasons, ['slow-consumer']);
    await says(publisher, '', '');
  });

  it('gets everything: its publisher is slowed to its pace', async () => {
    await using server = await TestServer.start({
      limits: { outputBytesMax: 4 * MiB, writeDeadlineMs: 20_000 },
    });
    using slow = await server.connect({ name: 'slow' });
    using publisher = await server.connect();
    await says(slow, 'SUB a 1\r\n', '');
    slow.pause();
    const count = 500;
    for (let i = 0; i < count; i++) publisher.send(publish);
    publisher.send('PING\r\n');
    await eventually(() =>
      server.nats
        .listConnections()
        .some(({ name, pendingBytes }) => name === 'slow' && pendingBytes > 3 * MiB),
    );
    slow.resume();
    for (let i = 0; i < count; i++) await slow.expect(message);
    await publisher.expect('PONG\r\n');
    await eventually(() => server.nats.listConnections().every(({ pendingBytes }) => pendingBytes === 0));
    assert.deepEqual(server.closeReasons, []);
  });
});

describe('a congested connection', () => {
  it('tells its publishers, and again when it has drained', async () => {
    await using server = await TestServer.start({ limits: { outputBytesCongested: 256 * KiB } });
    using client = await server.connect();
    await says(client, 'SUB inbox.* 1\r\n', '');
    client.pause();
    const target = server.router.target('inbox.7');
    const bytes = Buffer.alloc(64 * KiB, 'x');
    const delivery = new LiveMessage();
    delivery.setSubject(Buffer.from('orders'), 0, 6);
    delivery.setValue(bytes, 0, bytes.length);
    let sent = 0;
    await eventually(() => {
      for (let i = 0; i < 100 && !target.congested; i++) sent += target.send(delivery);
      return target.congested;
    });
    let drained = 0;
    target.whenDrained(() => drained++);
    assert.equal(drained, 0);
    client.resume();
    await eventually(() => drained === 1);
    assert.equal(target.congested, false);
    await client.expect(`MSG orders 1 ${bytes.length}\r\n${bytes.toString('latin1')}\r\n`.repeat(sent));
  });

  it('releases waiting publishers when it closes', async () => {
    await using server = await TestServer.start({ limits: { outputBytesCongested: 256 * KiB } });
    const client = await server.connect();
    await says(client, 'SUB inbox.7 1\r\n', '');
    client.pause();
    const target = server.router.target('inbox.7');
    const present: boolean[] = [];
    target.watch((heard) => present.push(heard));
    const delivery = new LiveMessage();
    const bytes = Buffer.alloc(64 * KiB, 'x');
    delivery.setSubject(bytes, 0, 6);
    delivery.setValue(bytes, 0, bytes.length);
    await eventually(() => {
      for (let i = 0; i < 100 && !target.congested; i++) target.send(delivery);
      return target.congested;
    });
    let drained = 0;
    target.whenDrained(() => drained++);
    client[Symbol.dispose]();
    await eventually(() => drained === 1 && present.length === 1);
    assert.deepEqual(present, [false]);
    assert.equal(target.send(delivery), 0);
  });
});

describe('many subscriptions', () => {
  it('on one connection stay quick to find and to drop', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    const count = 100_000;
    const lines: string[] = [];
    for (let i = 0; i < count; i++) lines.push(`SUB s.${i} ${i}\r\n`);
    client.send(lines.join(''));
    await says(client, '', '');
    assert.equal(server.router.subscriptions, count);
    await says(
      client,
      `PUB s.${count - 1} 0\r\n\r\nPUB s.7 0\r\n\r\nPUB s.x 0\r\n\r\n`,
      `MSG s.${count - 1} ${count - 1} 0\r\n\r\nMSG s.7 7 0\r\n\r\n`,
    );
    client.end();
    await client.closed();
    await eventually(() => server.router.subscriptions === 0);
  });
});

describe('a client that sends a byte at a time', () => {
  it('is served like any other', async () => {
    await using server = await TestServer.start();
    using client = await server.connect();
    for (const byte of 'SUB a 1\r\nPUB a r 5\r\nhello\r\nPING\r\n') {
      client.send(byte);
      await new Promise(setImmediate);
    }
    await client.expect('MSG a 1 r 5\r\nhello\r\nPONG\r\n');
  });
});
