import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { methods, type FieldTable, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer, type Peer } from './amqp-kit.ts';

const table = (...entries: [string, FieldValue][]): FieldTable => new Map(entries);

async function confirming(peer: Peer): Promise<void> {
  peer.send(methods.confirm.select, { noWait: false });
  await peer.expect('1 confirm.select-ok');
}

describe('x-message-deduplication', () => {
  const drops = (...more: [string, FieldValue][]): { arguments: FieldTable } => ({
    arguments: table(['x-message-deduplication', true], ...more),
  });

  it('confirms a message whose id came before, and does not store it', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('once', drops());
    await confirming(peer);
    const headers = table(['x-deduplication-header', 'a']);
    for (const properties of [
      { messageId: 'a' },
      { messageId: 'a' },
      { messageId: 'b' },
      { messageId: 'c', headers },
      {},
      {},
    ]) {
      peer.publish('', 'once', 'm', properties);
      await peer.expect('1 basic.ack');
    }
    assert.equal(server.broker.topic('once')!.durableCount, 4);
  });

  it('is not for queues that have not asked for it, which get the message all the same', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('once', drops());
    await peer.declare('each');
    for (const queue of ['once', 'each']) await peer.bind(queue, 'amq.fanout', '');
    await confirming(peer);
    for (let i = 0; i < 2; i++) {
      peer.publish('amq.fanout', '', 'm', { messageId: 'a', expiration: '60000' });
      await peer.expect('1 basic.ack');
    }
    assert.equal(server.broker.topic('once')!.durableCount, 1);
    assert.equal(server.broker.topic('each')!.durableCount, 2);
  });

  it('is all or nothing with the other queues', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('once', drops());
    await peer.declare('full', {
      arguments: table(['x-max-length', 1], ['x-overflow', 'reject-publish']),
    });
    for (const queue of ['once', 'full']) await peer.bind(queue, 'amq.fanout', '');
    await confirming(peer);
    peer.publish('amq.fanout', '', 'm', { messageId: 'a' });
    await peer.expect('1 basic.ack {"deliveryTag":1');
    peer.publish('amq.fanout', '', 'm', { messageId: 'b' });
    await peer.expect('1 basic.nack {"deliveryTag":2');
    assert.equal(server.broker.topic('once')!.count, 1);
    // The id of a refused message is not remembered.
    peer.publish('', 'once', 'm', { messageId: 'b' });
    await peer.expect('1 basic.ack {"deliveryTag":3');
    assert.equal(server.broker.topic('once')!.count, 2);
  });

  it('has a window and a size', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('once', drops(['x-cache-ttl', 5000], ['x-cache-size', 2]));
    const { config } = server.broker.topic('once')!;
    assert.deepEqual([config.dedupeWindowMs, config.dedupeEntriesMax], [5000, 2]);
    assert.match(
      await peer.declare('other', { arguments: table(['x-message-deduplication', 'yes']) }),
      /406.*invalid arg 'x-message-deduplication'.*expected a boolean/,
    );
  });
});

describe('x-overflow: reject-publish-dlx', () => {
  const full = (...more: [string, FieldValue][]): { arguments: FieldTable } => ({
    arguments: table(['x-max-length', 1], ['x-overflow', 'reject-publish-dlx'], ...more),
  });

  it('refuses the message, which goes to the dead-letter exchange', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('letters');
    await peer.bind('letters', 'amq.topic', '#');
    await peer.declare('jobs', full(['x-dead-letter-exchange', 'amq.topic']));
    await peer.bind('jobs', 'amq.direct', 'work');
    await confirming(peer);
    peer.publish('amq.direct', 'work', 'first');
    await peer.expect('1 basic.ack {"deliveryTag":1');
    peer.publish('amq.direct', 'work', 'second', { headers: table(['tenant', 'acme']), messageId: 'm' });
    await peer.expect('1 basic.nack {"deliveryTag":2');
    assert.equal(server.broker.topic('letters')!.durableCount, 1);
    assert.equal(server.broker.topic('jobs')!.durableCount, 1);
    peer.get('letters', true);
    const { method, header, body } = await peer.message();
    assert.equal(body, 'second');
    assert.match(method, /"exchange":"amq\.topic","routingKey":"work"/);
    assert.match(
      header,
      /\{"headers":\{"tenant":"acme","x-death":\[\{"count":1,"reason":"maxlen","queue":"jobs","time":\{"seconds":\d+\},"exchange":"amq\.direct","routing-keys":\["work"\]\}\],"x-first-death-exchange":"amq\.direct","x-first-death-queue":"jobs","x-first-death-reason":"maxlen"\},"messageId":"m"\}/,
    );
  });

  it('leaves out no other queue: the message is in none', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    for (const queue of ['letters', 'other']) await peer.declare(queue);
    await peer.declare(
      'jobs',
      full(['x-dead-letter-exchange', ''], ['x-dead-letter-routing-key', 'letters']),
    );
    for (const queue of ['jobs', 'other']) await peer.bind(queue, 'amq.fanout', '');
    await confirming(peer);
    peer.publish('', 'jobs', 'first');
    await peer.expect('1 basic.ack');
    peer.publish('amq.fanout', '', 'second', { priority: 2 });
    await peer.expect('1 basic.nack {"deliveryTag":2');
    assert.deepEqual(
      ['letters', 'other'].map((queue) => server.broker.topic(queue)!.durableCount),
      [1, 0],
    );
  });

  it('is as reject-publish without a dead-letter exchange, and in a transaction an error', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('letters');
    await peer.declare('plain', full());
    await peer.declare(
      'jobs',
      full(['x-dead-letter-exchange', ''], ['x-dead-letter-routing-key', 'letters']),
    );
    for (const queue of ['plain', 'jobs']) peer.publish('', queue, 'first');
    await eventually(() => server.broker.topic('jobs')!.durableCount === 1);
    peer.send(methods.tx.select, {});
    await peer.expect('1 tx.select-ok');
    for (const queue of ['plain', 'jobs']) peer.publish('', queue, 'second');
    peer.send(methods.tx.commit, {});
    await peer.expect(
      '1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - partial tx completion',
    );
    await eventually(() => server.broker.topic('letters')!.durableCount === 1);
    assert.equal(server.broker.topic('plain')!.count, 1);
  });
});
