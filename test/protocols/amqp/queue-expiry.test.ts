import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Topic } from '../../../src/broker/index.ts';
import { MemoryFiles } from '../../../src/log/index.ts';
import { QueueExpiry } from '../../../src/protocols/amqp/queue-expiry.ts';
import { VirtualClock } from '../../../src/util/index.ts';
import { methods } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer } from './amqp-kit.ts';

/** A queue that expires after 100 ms, on a clock that a test moves. */
class Watched {
  readonly clock = new VirtualClock();
  readonly group = { consumers: 0 };
  readonly topic = { groups: new Map([['default', this.group]]) } as unknown as Topic;
  isExpired = false;
  readonly expiry = new QueueExpiry(this.clock, () => (this.isExpired = true));

  constructor(expiresMs = 100) {
    this.expiry.watch(this.topic, expiresMs);
  }
}

describe('a queue with x-expires', () => {
  it('is deleted when it was not used for so long', () => {
    const queue = new Watched();
    queue.clock.advance(99);
    assert.equal(queue.isExpired, false);
    queue.clock.advance(1);
    assert.equal(queue.isExpired, true);
    assert.equal(queue.clock.timerCount, 0);
  });

  it('lives on with each use, and as long as it has a consumer', () => {
    const queue = new Watched();
    queue.clock.advance(60);
    queue.expiry.used(queue.topic);
    queue.clock.advance(99);
    assert.equal(queue.isExpired, false);
    queue.group.consumers = 1;
    queue.clock.advance(1000);
    assert.equal(queue.isExpired, false);
    queue.group.consumers = 0;
    queue.expiry.used(queue.topic);
    queue.clock.advance(99);
    assert.equal(queue.isExpired, false);
    queue.clock.advance(1);
    assert.equal(queue.isExpired, true);
  });

  it('may have a longer time than a timer', () => {
    const queue = new Watched(2 ** 33);
    queue.clock.advance(2 ** 33 - 1);
    assert.equal(queue.isExpired, false);
    queue.clock.advance(1);
    assert.equal(queue.isExpired, true);
  });

  it('leaves no timer when it is deleted', () => {
    const queue = new Watched();
    queue.expiry.forget(queue.topic);
    assert.equal(queue.clock.timerCount, 0);
  });

  it('is gone for its clients; its time begins anew with the broker', async () => {
    const files = new MemoryFiles();
    const expires = { arguments: new Map([['x-expires', 40]]) };
    {
      await using server = await TestServer.start({ files });
      using peer = await server.open();
      await peer.declare('short', expires);
      await eventually(() => server.broker.topic('short') === undefined);
      assert.match(await peer.declare('short', { passive: true }), /404,"replyText":"NOT_FOUND/);
      using other = await server.open();
      await other.declare('kept', expires);
      await other.consume('kept');
    }
    await using server = await TestServer.start({ files });
    await eventually(() => server.broker.topic('kept') === undefined);
  });

  it('is not deleted while a client consumes, and is after the consumer has left', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const expires = { arguments: new Map([['x-expires', 500]]) };
    // At once, so that it is in use from the beginning.
    void peer.declare('used', expires).catch(() => undefined);
    void peer.consume('used').catch(() => undefined);
    using other = await server.open();
    await other.declare('unused', expires);
    await eventually(() => server.broker.topic('unused') === undefined);
    assert.notEqual(server.broker.topic('used'), undefined);
    peer.send(methods.basic.cancel, { consumerTag: 'c', noWait: true });
    await eventually(() => server.broker.topic('used') === undefined);
  });
});
