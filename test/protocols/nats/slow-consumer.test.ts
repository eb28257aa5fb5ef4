import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LiveMessage } from '../../../src/broker/index.ts';
import { eventually } from '../../support/index.ts';
import { says, TestServer } from './nats-kit.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const value = 'x'.repeat(64 * KiB);
const publish = `PUB a ${value.length}\r\n${value}\r\n`;
const message = `MSG a 1 ${value.length}\r\n${value}\r\n`;

describe('a client that never reads', () => {
  it('slows its publisher down, is cut when its time is up, and others go on', async () => {
    await using server = await TestServer.start({
      limits: { outputBytesMax: 8 * MiB, writeDeadlineMs: 400 },
    });
    using stuck = await server.connect({ name: 'stuck' });
    using reader = await server.connect();
    using publisher = await server.connect();
    await says(stuck, 'SUB a 1\r\n', '');
    await says(reader, 'SUB a 1\r\n', '');
    stuck.pause();
    const count = 600;
    for (let i = 0; i < count; i++) publisher.send(publish);
    publisher.send('PING\r\n');
    const pending = await eventually(
      () =>
        server.nats
          .listConnections()
          .find(({ name, pendingBytes }) => name === 'stuck' && pendingBytes > 5 * MiB)?.pendingBytes,
      { message: 'a backlog for the stuck client' },
    );
    assert.ok(pending < 8 * MiB, 'the publisher is held before the limit is reached');
    for (let i = 0; i < count; i++) await reader.expect(message);
    await publisher.expect('PONG\r\n');
    assert.deepEqual(server.closeReasons, ['slow-consumer']);
    assert.equal(server.nats.connections, 2);
  });

  it('is cut at once when more waits than may', async () => {
    await using server = await TestServer.start({
      // The publisher is not held: it is what the limit is for.
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
    await using server = await TestServer.start({ limits: { writeDeadlineMs: 200 } });
    using stuck = await server.connect();
    using publisher = await server.connect();
    await says(stuck, 'SUB a 1\r\n', '');
    stuck.pause();
    // More than the kernel takes in its buffers, far less than any mark.
    for (let i = 0; i < 160; i++) publisher.send(publish);
    await says(publisher, '', '');
    await eventually(() => server.closeReasons.includes('slow-consumer'));
  });
});

describe('a client that reads slowly', () => {
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
  it('says so to who delivers to it, and when it has drained', async () => {
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

  it('frees who waits for it when it goes', async () => {
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
