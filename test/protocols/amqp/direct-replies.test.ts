import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { methods } from '../../../src/wire/amqp/index.ts';
import { type Peer, TestServer } from './amqp-kit.ts';

const replyQueue = 'amq.rabbitmq.reply-to';

/** Sends a request from a connection that takes replies; returns the address of the requester. */
async function request(requester: Peer, responder: Peer): Promise<string> {
  assert.equal(
    await requester.consume(replyQueue, { noAck: true }),
    '1 basic.consume-ok {"consumerTag":"c"}',
  );
  await responder.declare('requests');
  await responder.consume('requests', { noAck: true });
  requester.publish('', 'requests', 'question', { replyTo: replyQueue, correlationId: '1' });
  const { header } = await responder.message();
  const address = /"correlationId":"1","replyTo":"([^"]+)"/.exec(header)![1]!;
  assert.match(address, /^amq\.rabbitmq\.reply-to\.[\w-]{22}$/);
  return address;
}

describe('direct reply-to', () => {
  it('brings a reply to the requester, on another connection', async () => {
    await using server = await TestServer.start();
    using requester = await server.open();
    using responder = await server.open();
    const address = await request(requester, responder);
    responder.publish('', address, 'answer', { correlationId: '1' });
    assert.deepEqual(await requester.message(), {
      method: `1 basic.deliver {"consumerTag":"c","deliveryTag":1,"redelivered":false,"exchange":"","routingKey":"${address}"}`,
      header: '1 header 60 6 {"correlationId":"1"}',
      body: 'answer',
    });
    assert.deepEqual([...server.broker.topics.keys()], ['requests']);
  });

  it('drops a reply whose requester is gone; its address is no queue then', async () => {
    await using server = await TestServer.start();
    using requester = await server.open();
    using responder = await server.open();
    const address = await request(requester, responder);
    const ok = `1 queue.declare-ok {"queue":"${address}","messageCount":0,"consumerCount":1}`;
    assert.equal(await responder.declare(address, { passive: true }), ok);
    requester.send(methods.basic.cancel, { consumerTag: 'c', noWait: false });
    await requester.expect('1 basic.cancel-ok');
    responder.send(methods.confirm.select, { noWait: false });
    await responder.expect('1 confirm.select-ok');
    responder.publish('', address, 'late', { mandatory: true });
    assert.match((await responder.message()).method, /basic\.return \{"replyCode":312/);
    await responder.expect('1 basic.ack');
    await requester.silent();
    assert.match(
      await responder.declare(address, { passive: true }),
      new RegExp(`404,"replyText":"NOT_FOUND - no queue '${address}' in vhost '/'"`),
    );
  });

  it('drops replies while the requester reads nothing, and keeps its connection', async () => {
    await using server = await TestServer.start({ limits: { outputBytesHold: 1_000_000 } });
    using requester = await server.open();
    using responder = await server.open();
    const address = await request(requester, responder);
    responder.send(methods.confirm.select, { noWait: false });
    await responder.expect('1 confirm.select-ok');
    requester.pause();
    // A reply that leaves the waiting output as it was has been dropped.
    const waiting = (): number =>
      server.amqp.listConnections().reduce((bytes, { pendingBytes }) => bytes + pendingBytes, 0);
    let sent = 0;
    for (let before = -1; waiting() < 1_000_000 || waiting() !== before; sent++) {
      assert.ok(sent < 200, 'no reply was dropped');
      before = waiting();
      responder.publish('', address, 'x'.repeat(500_000));
      await responder.expect('1 basic.ack');
    }
    requester.resume();
    requester.send(methods.channel.flow, { active: true });
    let replies = 0;
    for (let line = ''; !line.startsWith('1 channel.flow-ok'); line = await requester.next())
      if (line.startsWith('1 basic.deliver')) replies++;
    assert.ok(replies > 0 && replies < sent, `${replies} of ${sent} replies`);
  });

  it('is refused without a consumer of replies, which neither acks nor has a second', async () => {
    await using server = await TestServer.start();
    const cases: readonly (readonly [text: string, act: (peer: Peer) => Promise<string>])[] = [
      [
        'fast reply consumer does not exist',
        (peer) => {
          peer.publish('', 'a', 'b', { replyTo: replyQueue });
          return peer.next();
        },
      ],
      ['reply consumer cannot acknowledge', (peer) => peer.consume(replyQueue)],
      [
        'reply consumer already set',
        async (peer) => {
          await peer.consume(replyQueue, { noAck: true });
          return peer.consume(replyQueue, { noAck: true, consumerTag: 'other' });
        },
      ],
    ];
    for (const [text, act] of cases) {
      using peer = await server.open();
      assert.match(await act(peer), new RegExp(`406,"replyText":"PRECONDITION_FAILED - ${text}"`));
    }
  });
});
