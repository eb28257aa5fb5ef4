import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { methods } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { HeldFiles } from '../../support/held-files.ts';
import { Peer, TestServer } from './amqp-kit.ts';

/** A server whose memory is full when the test says so. */
class FullServer implements AsyncDisposable {
  readonly server: TestServer;
  readonly #use: { bytes: number };

  private constructor(server: TestServer, use: { bytes: number }) {
    this.server = server;
    this.#use = use;
  }

  static async start(): Promise<FullServer> {
    const use = { bytes: 0 };
    const brokerOptions = { memoryBytes: () => use.bytes, watermarks: { memoryBytesMax: 100 } };
    return new FullServer(await TestServer.start({ brokerOptions }), use);
  }

  async fill(): Promise<void> {
    this.#use.bytes = 1000;
    await eventually(() => this.server.broker.shortage);
  }

  makeRoom(): void {
    this.#use.bytes = 0;
  }

  get inMessages(): number {
    return this.server.amqp.listConnections().reduce((sum, { inMessages }) => sum + inMessages, 0);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

/** A connection that understands connection.blocked, with channel 1, a queue and confirms. */
async function publisher({ server }: FullServer, capabilities = ['connection.blocked']): Promise<Peer> {
  const peer = await Peer.connect(server.port);
  await peer.handshake({ capabilities });
  peer.send(methods.channel.open, { reserved1: '' });
  await peer.expect('1 channel.open-ok');
  await peer.declare('orders');
  peer.send(methods.confirm.select, { noWait: false });
  await peer.expect('1 confirm.select-ok');
  return peer;
}

const blocked = '0 connection.blocked {"reason":"low on memory"}';
const unblocked = '0 connection.unblocked {}';

describe('a connection that publishes while memory is full', () => {
  it('is told that it is blocked, and its publishes are done when there is room', async () => {
    await using full = await FullServer.start();
    using peer = await publisher(full);
    await full.fill();
    await peer.silent(); // blocked are only those who publish
    peer.publish('', 'orders', 'first');
    assert.equal(await peer.next(), blocked);
    peer.publish('', 'orders', 'second');
    assert.equal(full.inMessages, 0);
    full.makeRoom();
    assert.equal(await peer.next(), unblocked);
    while (!(await peer.expect('1 basic.ack')).includes('"deliveryTag":2'));
    peer.get('orders', true);
    assert.equal((await peer.message()).body, 'first');
    peer.get('orders', true);
    assert.equal((await peer.message()).body, 'second');
  });

  it('waits without a word if it does not understand it, and keeps what came in pieces', async () => {
    await using full = await FullServer.start();
    using peer = await publisher(full, []);
    await peer.exchange('shop', 'direct');
    await peer.bind('orders', 'shop', 'new');
    await full.fill();
    const body = 'x'.repeat(300_000); // several reads
    peer.publish('shop', 'new', body, { contentType: 'text/plain' });
    peer.publish('shop', 'new', '');
    await eventually(() => full.server.amqp.listConnections()[0]!.inBytes > 60_000);
    using other = await publisher(full);
    other.publish('', 'orders', 'of another');
    assert.equal(await other.next(), blocked);
    full.makeRoom();
    assert.equal(await other.next(), unblocked);
    while (!(await peer.expect('1 basic.ack')).includes('"deliveryTag":2'));
    const topic = full.server.broker.topic('orders')!;
    await eventually(() => topic.durableCount === 3);
    const stored = await Promise.all([0, 1, 2].map((offset) => topic.partitions.at(0)!.get(offset)));
    assert.deepEqual(
      stored.map((message) => `${message!.key?.toString() ?? '-'} ${message!.value!.length}`).sort(),
      ['- 10', 'new 0', 'new 300000'],
    );
  });

  it('leaves consumers to go on: they make room', async () => {
    await using full = await FullServer.start();
    using peer = await publisher(full);
    using consumer = await full.server.open();
    peer.publish('', 'orders', 'first');
    await peer.expect('1 basic.ack');
    await full.fill();
    peer.publish('', 'orders', 'second');
    assert.equal(await peer.next(), blocked);
    consumer.get('orders');
    assert.equal((await consumer.message()).body, 'first');
    consumer.ack(1);
    await consumer.silent();
    await eventually(() => full.server.broker.topic('orders')!.durableCount === 0);
  });

  it('is forgotten when it ends', async () => {
    await using full = await FullServer.start();
    using peer = await publisher(full);
    await full.fill();
    peer.publish('', 'orders', 'lost');
    assert.equal(await peer.next(), blocked);
    await full.server.amqp.close({ graceMs: 50 });
    await peer.expect('0 connection.close');
    full.makeRoom();
    await eventually(() => !full.server.broker.shortage);
    assert.equal(full.server.broker.topic('orders')!.durableCount, 0);
  });
});

describe('a stop', () => {
  it('waits for confirms under way before it closes connections', async () => {
    const files = new HeldFiles();
    await using server = await TestServer.start({ files });
    using peer = await server.open();
    await peer.declare('orders');
    peer.send(methods.confirm.select, { noWait: false });
    await peer.expect('1 confirm.select-ok');
    files.hold();
    peer.publish('', 'orders', 'under way');
    await eventually(() => server.amqp.listConnections()[0]!.inMessages === 1);
    const closing = server.amqp.close({ graceMs: 30_000 });
    peer.publish('', 'orders', 'too late');
    files.letGo();
    assert.equal(await peer.next(), '1 basic.ack {"deliveryTag":1,"multiple":false}');
    await peer.expect('0 connection.close {"replyCode":320');
    await closing;
    assert.equal(server.broker.topic('orders')!.durableCount, 1);
  });

  it('waits no longer than its grace period', async () => {
    const files = new HeldFiles();
    await using server = await TestServer.start({ files });
    using peer = await server.open();
    await peer.declare('orders');
    files.hold();
    peer.publish('', 'orders', 'under way');
    await eventually(() => server.amqp.listConnections()[0]!.inMessages === 1);
    await server.amqp.close({ graceMs: 50 });
    await peer.expect('0 connection.close {"replyCode":320');
    files.letGo();
  });
});
