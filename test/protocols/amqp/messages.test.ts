import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Users, type User } from '../../../src/protocols/index.ts';
import { methodFrame, methods, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { Peer, TestServer } from './amqp-kit.ts';

/** Switches confirms on. */
async function confirming(peer: Peer): Promise<void> {
  peer.send(methods.confirm.select, { noWait: false });
  await peer.expect('1 confirm.select-ok');
}

const deliver = (tag: number, redelivered = false, exchange = '', routingKey = 'orders'): string =>
  `1 basic.deliver ${JSON.stringify({ consumerTag: 'c', deliveryTag: tag, redelivered, exchange, routingKey })}`;

describe('basic.publish', () => {
  it('is confirmed once the messages are stored', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    await confirming(peer);
    for (const body of ['a', 'b', 'c']) peer.publish('', 'orders', body);
    let confirmed = 0;
    while (confirmed < 3) confirmed = Number(/"deliveryTag":(\d)/.exec(await peer.expect('1 basic.ack'))![1]);
    assert.equal(server.broker.topic('orders')!.durableCount, 3);
  });

  it('is stored with its properties, for AMQP and for other protocols', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    await peer.bind('orders', 'amq.topic', 'order.#');
    await confirming(peer);
    const headers = new Map<string, FieldValue>([
      ['tenant', 'acme'],
      ['try', 3],
    ]);
    peer.publish('amq.topic', 'order.new', 'hello', { contentType: 'text/plain', headers, deliveryMode: 2 });
    await peer.expect('1 basic.ack');
    const stored = (await server.broker.topic('orders')!.partitions.at(0)!.get(0))!;
    assert.equal(Buffer.from(stored.key!).toString(), 'order.new');
    assert.deepEqual(
      stored.headers
        .filter(({ name }) => name !== 'amqp-properties')
        .map(({ name, value }) => [name, Buffer.from(value!).toString()]),
      [
        ['amqp-exchange', 'amq.topic'],
        ['amqp-content-type', 'text/plain'],
        ['tenant', 'acme'],
        ['try', '3'],
      ],
    );
    peer.get('orders', true);
    const { method, header, body } = await peer.message();
    assert.equal(
      method,
      '1 basic.get-ok {"deliveryTag":1,"redelivered":false,"exchange":"amq.topic","routingKey":"order.new","messageCount":0}',
    );
    assert.equal(
      header,
      '1 header 60 5 {"contentType":"text/plain","headers":{"tenant":"acme","try":3},"deliveryMode":2}',
    );
    assert.equal(body, 'hello');
  });

  it('takes bodies of any size up to the limit, in frames', async () => {
    await using server = await TestServer.start({ limits: { payloadBytesMax: 500_000 } });
    using peer = await server.open();
    await peer.declare('orders');
    const large = 'x'.repeat(499_999) + 'y';
    for (const body of ['', large]) {
      peer.publish('', 'orders', body);
      peer.publish('amq.fanout', 'nowhere', body);
    }
    await peer.consume('orders', { noAck: true });
    assert.equal((await peer.message()).body, '');
    assert.equal((await peer.message()).body, large);
    peer.publish('', 'orders', `${large}z`);
    await peer.expect(
      '1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - message size 500001 is larger than configured max size 500000"',
    );
  });

  it('returns mandatory messages that no queue gets', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await confirming(peer);
    peer.publish('amq.direct', 'nowhere', 'back', { mandatory: true });
    const { method, body } = await peer.message();
    assert.equal(
      method,
      '1 basic.return {"replyCode":312,"replyText":"NO_ROUTE","exchange":"amq.direct","routingKey":"nowhere"}',
    );
    assert.equal(body, 'back');
    await peer.expect('1 basic.ack {"deliveryTag":1');
  });

  it('closes the channel if there is no such exchange', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    peer.publish('none', 'a', 'b');
    await peer.expect(
      `1 channel.close {"replyCode":404,"replyText":"NOT_FOUND - no exchange 'none' in vhost '/'"`,
    );
  });

  it('is refused by a full queue with basic.nack', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const table = new Map<string, FieldValue>([
      ['x-max-length', 1],
      ['x-overflow', 'reject-publish'],
    ]);
    await peer.declare('small', { arguments: table });
    await confirming(peer);
    peer.publish('', 'small', 'a');
    await peer.expect('1 basic.ack {"deliveryTag":1');
    peer.publish('', 'small', 'b');
    await peer.expect('1 basic.nack {"deliveryTag":2');
    peer.publish('amq.fanout', 'none', 'c');
    await peer.expect('1 basic.ack {"deliveryTag":3');
  });
});

describe('basic.consume', () => {
  it('delivers as many messages as the prefetch allows, and acks let it go on', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    for (const body of ['a', 'b', 'c', 'd']) peer.publish('', 'orders', body);
    peer.send(methods.basic.qos, { prefetchSize: 0, prefetchCount: 2, global: false });
    await peer.expect('1 basic.qos-ok');
    assert.equal(await peer.consume('orders'), '1 basic.consume-ok {"consumerTag":"c"}');
    for (const [tag, body] of [
      [1, 'a'],
      [2, 'b'],
    ] as const)
      assert.deepEqual(await peer.message(), {
        method: deliver(tag),
        header: '1 header 60 1 {}',
        body,
      });
    await peer.silent();
    peer.ack(2, true);
    assert.equal((await peer.message()).body, 'c');
    assert.equal((await peer.message()).body, 'd');
    await peer.silent();
    peer.ack(0, true);
    await eventually(() => server.broker.topic('orders')!.count === 0);
  });

  it('redelivers what is given back, and drops what is refused', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    for (const body of ['a', 'b']) peer.publish('', 'orders', body);
    await peer.consume('orders');
    for (const body of ['a', 'b']) assert.equal((await peer.message()).body, body);
    peer.nack(1, true);
    assert.equal((await peer.message()).method, deliver(3, true));
    peer.send(methods.basic.reject, { deliveryTag: 3, requeue: false });
    peer.send(methods.basic.recover, { requeue: true });
    await peer.expect('1 basic.recover-ok');
    const again = await peer.message();
    assert.deepEqual([again.method, again.body], [deliver(4, true), 'b']);
    peer.ack(4);
    await eventually(() => server.broker.topic('orders')!.count === 0);
    peer.ack(4);
    await peer.expect(
      '1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - unknown delivery tag 4"',
    );
  });

  it('gives unanswered messages back in order when the channel ends', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('orders');
    for (const body of ['a', 'b', 'c']) peer.publish('', 'orders', body);
    await peer.consume('orders');
    for (const body of ['a', 'b', 'c']) assert.equal((await peer.message()).body, body);
    peer.ack(2);
    peer.send(methods.channel.close, { replyCode: 200, replyText: '', failedClass: 0, failedMethod: 0 });
    await peer.expect('1 channel.close-ok');
    await other.consume('orders');
    assert.equal((await other.message()).body, 'a');
    assert.equal((await other.message()).body, 'c');
    await other.silent();
  });

  it('shares the prefetch of a channel among its consumers', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    peer.send(methods.basic.qos, { prefetchSize: 0, prefetchCount: 1, global: true });
    await peer.expect('1 basic.qos-ok');
    await peer.consume('orders', { consumerTag: 'c' });
    await peer.consume('orders', { consumerTag: 'd' });
    for (const body of ['a', 'b']) peer.publish('', 'orders', body);
    assert.equal((await peer.message()).body, 'a');
    await peer.silent();
    peer.ack(1);
    assert.equal((await peer.message()).body, 'b');
  });

  it('keeps an exclusive consumer alone', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('orders');
    await peer.consume('orders', { exclusive: true });
    assert.match(
      await other.consume('orders'),
      /403,"replyText":"ACCESS_REFUSED - queue 'orders' in vhost '\/' in exclusive use"/,
    );
  });

  it('closes the channel of a consumer that does not answer', async () => {
    await using server = await TestServer.start({ limits: { consumerTimeoutMs: 100, handshakeMs: 400 } });
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('orders');
    peer.publish('', 'orders', 'a');
    await peer.consume('orders');
    await peer.message();
    await peer.expect(
      '1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out',
    );
    other.get('orders', true);
    assert.equal((await other.message()).body, 'a');
  });
});

describe('tx', () => {
  it('publishes and acks at the commit, and neither after a rollback', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    peer.publish('', 'orders', 'first');
    await peer.consume('orders', { consumerTag: 'c' });
    await peer.message();
    peer.send(methods.tx.select, {});
    await peer.expect('1 tx.select-ok');
    peer.publish('', 'orders', 'dropped');
    peer.ack(1);
    peer.send(methods.tx.rollback, {});
    await peer.expect('1 tx.rollback-ok');
    assert.equal(server.broker.topic('orders')!.count, 1);
    peer.publish('', 'orders', 'second');
    peer.ack(1);
    assert.equal(server.broker.topic('orders')!.count, 1);
    peer.send(methods.tx.commit, {});
    await peer.expect('1 tx.commit-ok');
    assert.equal((await peer.message()).body, 'second');
    await eventually(() => server.broker.topic('orders')!.count === 1);
    peer.send(methods.confirm.select, { noWait: false });
    await peer.expect(
      '1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - cannot switch from tx to confirm mode"',
    );
  });
});

describe('messages of other protocols', () => {
  it('have headers, properties and the name of the queue as routing key', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    const text = (value: string): Buffer => Buffer.from(value);
    await server.broker.topic('orders')!.send({
      value: 'hello',
      headers: [
        { name: 'tenant', value: text('acme') },
        { name: 'tag', value: text('a') },
        { name: 'tag', value: text('b') },
        { name: 'amqp-content-type', value: text('text/plain') },
        { name: 'nothing', value: null },
      ],
      timestampMs: 1_700_000_000_500,
    });
    peer.get('orders', true);
    const { method, header } = await peer.message();
    assert.match(method, /"exchange":"","routingKey":"orders"/);
    assert.equal(
      header,
      '1 header 60 5 {"contentType":"text/plain","headers":{"tenant":"acme","tag":["a","b"],"nothing":null},"deliveryMode":2,"timestamp":1700000000}',
    );
  });

  it('with properties that are none do no harm', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    const headers = [{ name: 'amqp-properties', value: Buffer.from([0xff, 0xff, 1]) }];
    await server.broker.topic('orders')!.send({ value: 'hello', headers });
    peer.get('orders', true);
    assert.equal((await peer.message()).body, 'hello');
    await peer.silent();
  });
});

describe('input in pieces', () => {
  it('is a message as if it were whole, while other connections send', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('orders');
    await peer.bind('orders', 'amq.topic', '#');
    const written: Buffer[] = [];
    const collector = Object.assign(Object.create(peer) as Peer, {
      write: (bytes: Uint8Array) => void written.push(Buffer.from(bytes)),
    });
    collector.publish('amq.topic', 'some.key', 'a body', { contentType: 'text/plain', messageId: 'm' });
    const whole = Buffer.concat(written);
    const headerStart = written[0]!.length;
    const bodyStart = headerStart + whole.readUInt32BE(headerStart + 3) + 8;
    const inBytes = (): number => server.amqp.listConnections()[0]!.inBytes;
    let seen = inBytes();
    const sevens = Array.from({ length: Math.ceil(whole.length / 7) }, (_, i) => i * 7);
    for (const starts of [sevens, [0, headerStart, bodyStart]])
      for (const [i, start] of starts.entries()) {
        peer.write(whole.subarray(start, starts[i + 1]));
        seen += (starts[i + 1] ?? whole.length) - start;
        await eventually(() => inBytes() === seen);
        // Its input is read into the same buffer.
        other.publish('amq.fanout', 'nowhere', 'y'.repeat(1000));
        await other.silent();
      }
    await eventually(() => server.broker.topic('orders')!.durableCount === 2);
    for (let i = 0; i < 2; i++) {
      peer.get('orders', true);
      const { method, header, body } = await peer.message();
      assert.match(method, /"routingKey":"some\.key"/);
      assert.equal(header, '1 header 60 6 {"contentType":"text/plain","messageId":"m"}');
      assert.equal(body, 'a body');
    }
  });
});

describe('permissions', () => {
  it('are those of topics: configure is manage, write is publish, read is consume', async () => {
    const user: User = {
      name: 'ann',
      credentials: { password: { kind: 'plain', text: 'secret' } },
      permissions: {
        manage: { allow: ['mine-*'] },
        publish: { allow: ['mine-*', 'in'] },
        consume: { allow: ['mine-*', 'amq.topic'] },
      },
    };
    await using server = await TestServer.start({ users: new Users([user]) });
    for (const name of ['in', 'out']) await server.broker.defineQueue({ name });
    const asAnn = async (): Promise<Peer> => {
      const peer = await Peer.connect(server.port);
      await peer.handshake({ user: 'ann', password: 'secret' });
      peer.send(methods.channel.open, { reserved1: '' });
      await peer.expect('1 channel.open-ok');
      return peer;
    };
    const refusals: readonly (readonly [text: string, act: (peer: Peer) => unknown])[] = [
      ["configure access to queue 'other'", (peer) => peer.write(declareFrame('other'))],
      ["read access to queue 'in'", (peer) => peer.get('in')],
      ["write access to queue 'out'", (peer) => peer.publish('', 'out', 'x')],
      ["write access to exchange 'amq.topic'", (peer) => peer.publish('amq.topic', 'a', 'x')],
    ];
    for (const [text, act] of refusals) {
      using peer = await asAnn();
      act(peer);
      await peer.expect(
        `1 channel.close {"replyCode":403,"replyText":"ACCESS_REFUSED - ${text} in vhost '/' refused for user 'ann'"`,
      );
    }
    using peer = await asAnn();
    await peer.declare('mine-1');
    assert.equal(await peer.bind('mine-1', 'amq.topic', 'a'), '1 queue.bind-ok {}');
    peer.publish('', 'in', 'x');
    await eventually(() => server.broker.topic('in')!.count === 1);
  });
});

function declareFrame(queue: string): Buffer {
  return methodFrame(1, methods.queue.declare, {
    reserved1: 0,
    queue,
    passive: false,
    durable: true,
    exclusive: false,
    autoDelete: false,
    noWait: false,
    arguments: new Map(),
  });
}
