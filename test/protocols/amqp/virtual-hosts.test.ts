import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryFiles } from '../../../src/log/index.ts';
import { Users, userWithPassword } from '../../../src/protocols/users/index.ts';
import { methods, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { Peer, TestServer } from './amqp-kit.ts';

const virtualHost = 'test';
const table = (entries: { readonly [name: string]: FieldValue }): ReadonlyMap<string, FieldValue> =>
  new Map(Object.entries(entries));

/** A server with the virtual host `test`. */
async function startServer(files = new MemoryFiles()): Promise<TestServer> {
  const server = await TestServer.start({ files });
  await server.amqp.virtualHosts.create(virtualHost);
  return server;
}

/** Gets a message that is there soon. */
async function got(server: TestServer, peer: Peer, queue: string, topic: string): Promise<string> {
  await eventually(() => (server.broker.topic(topic)?.durableCount ?? 0) > 0);
  peer.get(queue, true);
  const { method, body } = await peer.message();
  return `${/"routingKey":"([^"]*)"/.exec(method)?.[1]} ${body}`;
}

describe('a virtual host', () => {
  it('has queues of its own, which are topics with its name in front', async () => {
    await using server = await startServer();
    using plain = await server.open();
    using peer = await server.open({ virtualHost });
    for (const each of [plain, peer])
      assert.equal(
        await each.declare('orders'),
        '1 queue.declare-ok {"queue":"orders","messageCount":0,"consumerCount":0}',
      );
    assert.deepEqual([...server.broker.topics.keys()].toSorted(), ['orders', 'test:orders']);
    plain.publish('', 'orders', 'plain');
    peer.publish('', 'orders', 'test');
    assert.equal(await got(server, plain, 'orders', 'orders'), 'orders plain');
    assert.equal(await got(server, peer, 'orders', 'test:orders'), 'orders test');
    assert.match(await peer.declare('', { exclusive: true }), /"queue":"amq\.gen-/);
    peer.end();
    await eventually(() => server.broker.topics.size === 2);
  });

  it('has exchanges of its own, the predeclared ones too', async () => {
    await using server = await startServer();
    using plain = await server.open();
    using peer = await server.open({ virtualHost });
    for (const each of [plain, peer]) {
      await each.declare('q');
      await each.bind('q', 'amq.fanout', '');
    }
    await peer.exchange('logs', 'fanout', { arguments: table({ 'alternate-exchange': 'amq.fanout' }) });
    peer.publish('amq.fanout', 'a', 'one');
    assert.equal(await got(server, peer, 'q', 'test:q'), 'a one');
    peer.publish('logs', 'b', 'two');
    assert.equal(await got(server, peer, 'q', 'test:q'), 'b two');
    assert.equal(server.broker.topic('q')!.count, 0);
    plain.publish('logs', '', 'x');
    await plain.expect(
      '1 channel.close {"replyCode":404,"replyText":"NOT_FOUND - no exchange \'logs\' in vhost \'/\'"',
    );
  });

  it('is not within reach of /', async () => {
    await using server = await startServer();
    using peer = await server.open({ virtualHost });
    await peer.declare('orders');
    for (const [ask, text] of [
      [(plain: Peer) => plain.declare('test:orders', { passive: true }), 'no queue'],
      [(plain: Peer) => plain.declare('test:other'), 'one of another vhost'],
    ] as const) {
      using plain = await server.open();
      const line = await ask(plain);
      assert.ok(line.includes(text), line);
    }
    using plain = await server.open();
    plain.publish('', 'test:orders', 'x', { mandatory: true });
    assert.match((await plain.message()).method, /basic\.return/);
    assert.equal(server.broker.topic('test:orders')!.count, 0);
    // Without such a virtual host it is a name like any other.
    assert.match(await plain.declare('other:orders'), /^1 queue\.declare-ok/);
  });

  it('is in the texts of errors', async () => {
    await using server = await startServer();
    const cases = [
      [(peer: Peer) => peer.declare('no', { passive: true }), "no queue 'no' in vhost 'test'"],
      [(peer: Peer) => peer.bind('q', 'no', ''), "no exchange 'no' in vhost 'test'"],
      [(peer: Peer) => peer.declare('q', { durable: false }), "for queue 'q' in vhost 'test'"],
      [(peer: Peer) => peer.consume('q', { arguments: table({ 'x-odd': 1 }) }), "queue 'q' in vhost 'test'"],
      [
        (peer: Peer) => peer.declare('s', { arguments: table({ 'x-queue-type': 'stream', 'x-expires': 1 }) }),
        "queue 's' in vhost 'test'",
      ],
    ] as const;
    for (const [ask, text] of cases) {
      using peer = await server.open({ virtualHost });
      await peer.declare('q');
      const line = await ask(peer);
      assert.ok(line.includes(text), line);
    }
  });

  it('keeps dead letters', async () => {
    await using server = await startServer();
    using peer = await server.open({ virtualHost });
    await peer.exchange('dead', 'fanout');
    for (const queue of ['letters', 'last']) await peer.declare(queue);
    await peer.bind('letters', 'dead', '');
    await peer.declare('jobs', { arguments: table({ 'x-dead-letter-exchange': 'dead', 'x-max-length': 1 }) });
    const toLast = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'last', 'x-max-length': 1 };
    await peer.declare('more', { arguments: table(toLast) });
    for (const queue of ['jobs', 'more']) for (const body of ['a', 'b']) peer.publish('', queue, body);
    for (const [queue, origin] of [
      ['letters', 'jobs'],
      ['last', 'more'],
    ] as const) {
      await eventually(() => server.broker.topic(`test:${queue}`)!.durableCount === 1);
      peer.get(queue, true);
      const { header, body } = await peer.message();
      assert.equal(body, 'a');
      assert.ok(header.includes(`"reason":"maxlen","queue":"${origin}"`), header);
      assert.ok(header.includes(`"routing-keys":["${origin}"]`), header);
    }
  });

  it('has streams', async () => {
    await using server = await startServer();
    using peer = await server.open({ virtualHost });
    await peer.declare('s', { arguments: table({ 'x-queue-type': 'stream' }) });
    peer.publish('', 's', 'a');
    peer.send(methods.basic.qos, { prefetchSize: 0, prefetchCount: 1, global: false });
    await peer.expect('1 basic.qos-ok');
    await peer.consume('s', { arguments: table({ 'x-stream-offset': 'first' }) });
    const { method, body } = await peer.message();
    assert.match(method, /"routingKey":"s"/);
    assert.equal(body, 'a');
  });

  it('is there after a restart, with all that is in it', async () => {
    const files = new MemoryFiles();
    {
      await using server = await startServer(files);
      using peer = await server.open({ virtualHost });
      await peer.declare('q');
      await peer.declare('brief', { durable: false });
      await peer.exchange('logs', 'direct');
      await peer.bind('q', 'logs', 'red');
    }
    await using server = await TestServer.start({ files });
    assert.deepEqual(
      Array.from(server.amqp.virtualHosts.all(), ({ name }) => name),
      ['/', 'test'],
    );
    using peer = await server.open({ virtualHost });
    peer.publish('logs', 'red', 'a');
    assert.equal(await got(server, peer, 'q', 'test:q'), 'red a');
    await eventually(() => server.broker.topic('test:brief') === undefined);
  });

  it('is deleted with all that is in it', async () => {
    const files = new MemoryFiles();
    {
      await using server = await startServer(files);
      await server.broker.createTopic({ name: 'test:by-kafka' });
      using plain = await server.open();
      await plain.declare('q');
      using peer = await server.open({ virtualHost });
      await peer.declare('q');
      await peer.declare('mine', { exclusive: true });
      await peer.exchange('logs', 'direct');
      await peer.bind('q', 'logs', 'red');
      const { virtualHosts } = server.amqp;
      await virtualHosts.delete(virtualHosts.get(virtualHost)!);
      await peer.expect(
        '0 connection.close {"replyCode":320,"replyText":"CONNECTION_FORCED - vhost \'test\' is deleted"',
      );
      assert.deepEqual([...server.broker.topics.keys()], ['q']);
      assert.deepEqual([...server.broker.attributes.names('amqp')], []);
      await assert.rejects(virtualHosts.delete(virtualHosts.plain), { reply: 'ACCESS_REFUSED' });
    }
    await using server = await TestServer.start({ files });
    using peer = await Peer.connect(server.port);
    await assert.rejects(peer.handshake({ virtualHost }), /vhost test not found/);
  });

  it('may be created while others are in use', async () => {
    await using server = await TestServer.start();
    using plain = await server.open();
    await plain.declare('mine', { exclusive: true });
    await plain.declare('brief', { durable: false });
    await server.amqp.virtualHosts.create(virtualHost);
    plain.publish('', 'mine', 'a');
    assert.equal(await got(server, plain, 'mine', 'mine'), 'mine a');
    assert.equal(server.broker.topics.size, 2);
  });

  it('is created once, under a name that fits', async () => {
    await using server = await startServer();
    const { virtualHosts } = server.amqp;
    assert.equal(await virtualHosts.create(virtualHost), virtualHosts.get(virtualHost));
    for (const name of ['', 'a:b', 'x'.repeat(101)])
      await assert.rejects(virtualHosts.create(name), { reply: 'PRECONDITION_FAILED' });
    await virtualHosts.create('/staging');
    using peer = await server.open({ virtualHost: '/staging' });
    await peer.declare('q');
    assert.notEqual(server.broker.topic('/staging:q'), undefined);
  });

  it('is open to users who may do something in it', async () => {
    const permissions = (allow: string): object => ({
      manage: { allow: [allow] },
      publish: { allow: [allow], deny: ['test:secret'] },
      consume: { allow: [allow] },
    });
    const users = new Users([
      { ...userWithPassword('amqp', 'ann', 'secret'), permissions: permissions('test:*') },
      { ...userWithPassword('amqp', 'bob', 'secret'), permissions: permissions('orders-*') },
    ]);
    await using server = await TestServer.start({ users });
    await server.amqp.virtualHosts.create(virtualHost);
    using ann = await server.open({ user: 'ann', password: 'secret', virtualHost });
    for (const queue of ['secret', 'open']) await ann.declare(queue);
    ann.publish('', 'open', 'a');
    assert.equal(await got(server, ann, 'open', 'test:open'), 'open a');
    ann.publish('', 'secret', 'a');
    await ann.expect(
      "1 channel.close {\"replyCode\":403,\"replyText\":\"ACCESS_REFUSED - write access to queue 'secret' in vhost 'test' refused for user 'ann'",
    );
    using bob = await Peer.connect(server.port);
    await assert.rejects(
      bob.handshake({ user: 'bob', password: 'secret', virtualHost }),
      /530.*access to vhost 'test' refused for user 'bob'/,
    );
  });
});
