import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryFiles } from '../../../src/log/index.ts';
import { methods, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer } from './amqp-kit.ts';

const closed = (code: number, text: string): string =>
  `1 channel.close {"replyCode":${code},"replyText":${JSON.stringify(text)}`;

describe('queue.declare', () => {
  it('makes a queue once, which is a topic with the group default', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const ok = '1 queue.declare-ok {"queue":"orders","messageCount":0,"consumerCount":0}';
    assert.equal(await peer.declare('orders'), ok);
    assert.equal(await peer.declare('orders'), ok);
    assert.equal(await peer.declare('orders', { passive: true }), ok);
    const topic = server.broker.topic('orders')!;
    assert.deepEqual([...topic.groups.keys()], ['default']);
    assert.equal(topic.config.retention, 'queue');
  });

  it('gives queues names', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const line = await peer.declare('', { exclusive: true });
    assert.match(line, /"queue":"amq\.gen-[\w-]{22}"/);
    // The channel remembers it.
    peer.get('');
    assert.equal(await peer.next(), '1 basic.get-empty {"reserved1":""}');
  });

  it('says what differs from the queue that is there', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders', { arguments: new Map([['x-max-length', 5]]) });
    assert.ok(
      (await peer.declare('orders', { durable: false })).startsWith(
        closed(
          406,
          "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'orders' in vhost '/': received 'false' but current is 'true'",
        ),
      ),
    );
    peer.send(methods.channel.closeOk, {});
    peer.send(methods.channel.open, { reserved1: '' });
    await peer.expect('1 channel.open-ok');
    assert.ok(
      (await peer.declare('orders')).startsWith(
        closed(
          406,
          "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'orders' in vhost '/': received none but current is the value '5' of type 'signedint'",
        ),
      ),
    );
  });

  it('refuses what it does not do', async () => {
    await using server = await TestServer.start();
    const cases = [
      ['amq.mine', {}, 403, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"],
      ['gone', { passive: true }, 404, "NOT_FOUND - no queue 'gone' in vhost '/'"],
      [
        'odd',
        { arguments: new Map([['x-odd', 1]]) },
        406,
        "PRECONDITION_FAILED - invalid arg 'x-odd' for queue 'odd' in vhost '/': not supported",
      ],
    ] as const;
    for (const [name, options, code, text] of cases) {
      using peer = await server.open();
      assert.ok((await peer.declare(name, options)).startsWith(closed(code, text)));
    }
  });

  it('keeps exclusive queues to their connection, and deletes them with it', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('mine', { exclusive: true });
    await (async () =>
      assert.ok(
        (await other.declare('mine', { passive: true })).startsWith(
          '1 channel.close {"replyCode":405,"replyText":"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue \'mine\'',
        ),
      ))();
    peer.end();
    await eventually(() => server.broker.topic('mine') === undefined);
  });

  it('deletes an auto-delete queue with its last consumer', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('brief', { autoDelete: true });
    await peer.consume('brief');
    peer.send(methods.basic.cancel, { consumerTag: 'c', noWait: false });
    await peer.expect('1 basic.cancel-ok');
    await eventually(() => server.broker.topic('brief') === undefined);
  });

  it('forgets queues that are not durable at a restart', async () => {
    const files = new MemoryFiles();
    {
      await using server = await TestServer.start({ files });
      using peer = await server.open();
      await peer.declare('kept');
      await peer.declare('lost', { durable: false });
    }
    await using server = await TestServer.start({ files });
    using peer = await server.open();
    await peer.declare('kept', { passive: true });
    await eventually(() => server.broker.topic('lost') === undefined);
    assert.notEqual(server.broker.topic('kept'), undefined);
  });
});

describe('queue.purge and queue.delete', () => {
  it('say how many messages there were', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    for (const body of ['a', 'b']) peer.publish('', 'orders', body);
    peer.send(methods.queue.purge, { reserved1: 0, queue: 'orders', noWait: false });
    assert.equal(await peer.next(), '1 queue.purge-ok {"messageCount":2}');
    peer.publish('', 'orders', 'c');
    const all = { reserved1: 0, queue: 'orders', ifUnused: false, noWait: false };
    peer.send(methods.queue.delete, { ...all, ifEmpty: true });
    await peer.expect(closed(406, "PRECONDITION_FAILED - queue 'orders' in vhost '/' not empty"));
    using other = await server.open();
    other.send(methods.queue.delete, { ...all, ifEmpty: false });
    assert.equal(await other.next(), '1 queue.delete-ok {"messageCount":1}');
    other.send(methods.queue.delete, { ...all, ifEmpty: false });
    assert.equal(await other.next(), '1 queue.delete-ok {"messageCount":0}');
  });

  it('tell consumers that their queue is gone', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    await peer.consume('orders');
    await server.broker.topic('orders')!.delete();
    assert.equal(await peer.next(), '1 basic.cancel {"consumerTag":"c","noWait":true}');
  });

  it('tell the channel that deletes a queue so before its consumers there are cancelled', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('orders');
    await peer.consume('orders');
    await other.consume('orders');
    const deletion = { reserved1: 0, queue: 'orders', ifUnused: false, ifEmpty: false, noWait: false };
    peer.send(methods.queue.delete, deletion);
    assert.equal(await peer.next(), '1 queue.delete-ok {"messageCount":0}');
    for (const told of [peer, other])
      assert.equal(await told.next(), '1 basic.cancel {"consumerTag":"c","noWait":true}');
  });
});

describe('arguments of queues', () => {
  it('x-message-ttl and the property expiration end messages', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('brief', { arguments: new Map([['x-message-ttl', 50]]) });
    await peer.declare('lasting');
    peer.publish('', 'brief', 'a');
    peer.publish('', 'lasting', 'b', { expiration: '50' });
    peer.publish('', 'lasting', 'c');
    await eventually(() => server.broker.topic('lasting')!.count === 1);
    await eventually(() => server.broker.topic('brief')!.count === 0);
    peer.get('lasting', true);
    assert.equal((await peer.message()).body, 'c');
    peer.publish('', 'lasting', 'd', { expiration: 'soon' });
    await peer.expect(closed(406, "PRECONDITION_FAILED - invalid expiration 'soon': no_integer"));
  });

  it('x-max-priority puts messages of a higher priority first', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('sorted', { arguments: new Map([['x-max-priority', 5]]) });
    await peer.declare('plain');
    for (const queue of ['sorted', 'plain']) await peer.bind(queue, 'amq.fanout', '');
    for (const priority of [0, 3, 9]) peer.publish('amq.fanout', '', `${priority}`, { priority });
    await eventually(() => server.broker.topic('plain')!.durableCount === 3);
    const order: string[] = [];
    for (const queue of ['sorted', 'sorted', 'sorted', 'plain']) {
      peer.get(queue, true);
      order.push((await peer.message()).body);
    }
    assert.deepEqual(order, ['9', '3', '0', '0']);
  });

  it('x-single-active-consumer gives all messages to the first consumer', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('single', { arguments: new Map([['x-single-active-consumer', true]]) });
    await peer.consume('single');
    await other.consume('single');
    for (const body of ['a', 'b']) peer.publish('', 'single', body);
    for (const body of ['a', 'b']) assert.equal((await peer.message()).body, body);
    await other.silent();
    peer.end();
    for (const body of ['a', 'b']) assert.equal((await other.message()).body, body);
  });

  it('x-priority of a consumer goes before', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('orders');
    await peer.consume('orders', { consumerTag: 'low' });
    await peer.consume('orders', { consumerTag: 'high', arguments: new Map([['x-priority', 5]]) });
    for (const body of ['a', 'b']) peer.publish('', 'orders', body);
    for (let i = 0; i < 2; i++) assert.match((await peer.message()).method, /"consumerTag":"high"/);
  });
});

describe('a dead-letter exchange', () => {
  it('gets what a queue gives up, with its deaths in x-death', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.exchange('dead', 'topic');
    await peer.declare('letters');
    await peer.bind('letters', 'dead', '#');
    const table = new Map<string, FieldValue>([
      ['x-dead-letter-exchange', 'dead'],
      ['x-max-length', 2],
    ]);
    await peer.declare('jobs', { arguments: table });
    await peer.declare('retry', {
      arguments: new Map<string, FieldValue>([
        ['x-dead-letter-exchange', ''],
        ['x-dead-letter-routing-key', 'letters'],
        ['x-message-ttl', 20],
      ]),
    });
    const headers = new Map([['tenant', 'acme']]);
    for (const body of ['a', 'b', 'c']) peer.publish('', 'jobs', body, { headers, expiration: '60000' });
    peer.publish('amq.direct', 'none', 'x');
    const letter = async (): Promise<{ method: string; header: string; body: string }> => {
      await eventually(() => server.broker.topic('letters')!.durableCount > 0);
      peer.get('letters', true);
      return peer.message();
    };
    const dropped = await letter();
    assert.equal(dropped.body, 'a');
    assert.match(dropped.method, /"exchange":"dead","routingKey":"jobs"/);
    assert.match(
      dropped.header,
      /"headers":\{"tenant":"acme","x-death":\[\{"count":1,"reason":"maxlen","queue":"jobs","time":\{"seconds":\d+\},"exchange":"","routing-keys":\["jobs"\]\}\],"x-first-death-exchange":"","x-first-death-queue":"jobs","x-first-death-reason":"maxlen"\}\}/,
    );
    await eventually(() => server.broker.topic('letters')!.count === 0);
    peer.get('jobs');
    await peer.message();
    peer.nack(2, false);
    const refused = await letter();
    assert.equal(refused.body, 'b');
    assert.match(refused.header, /"reason":"rejected"/);
    await eventually(() => server.broker.topic('letters')!.count === 0);
    peer.publish('', 'retry', 'd');
    const expired = await letter();
    assert.match(expired.method, /"exchange":"","routingKey":"letters"/);
    assert.match(expired.header, /"reason":"expired","queue":"retry"/);
  });
});
