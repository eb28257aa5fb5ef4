/** Exchanges and bindings, durable or not, have a limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amqpLimits } from '../../../src/protocols/amqp/index.ts';
import { routingLimit } from '../../../src/protocols/amqp/exchanges/index.ts';
import { methods, type FieldTable, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { TestServer, type Peer } from './amqp-kit.ts';

/** The limit that is shipped for a heap of 256 MiB. */
const limit = routingLimit(256 * 2 ** 20);

function bindNow(peer: Peer, exchange: string, routingKey: string, table: FieldTable = new Map()): void {
  peer.send(methods.queue.bind, {
    reserved1: 0,
    queue: 'q',
    exchange,
    routingKey,
    noWait: true,
    arguments: table,
  });
}

test('the limit is sized to memory', () => {
  assert.equal(limit, 13_107);
  assert.equal(routingLimit(2 ** 20), 1_000);
  assert.ok(amqpLimits().bindingsMax >= 1_000);
});

for (const durable of [true, false])
  test(`bindings of a ${durable ? 'durable' : 'transient'} exchange are refused beyond the limit that is shipped`, async () => {
    await using server = await TestServer.start({ limits: { bindingsMax: limit } });
    const { routing } = server.amqp.virtualHosts;
    using peer = await server.open();
    using other = await server.open();
    await peer.declare('q', { exclusive: false, durable });
    await peer.exchange('e', 'topic', { durable });
    assert.equal(routing.used, 1);
    for (let at = 1; at < limit; at++) bindNow(peer, 'e', `k.${at}`);
    await peer.silent();
    assert.equal(routing.used, limit);
    bindNow(peer, 'e', 'k.1'); // it is there
    await peer.silent();
    bindNow(peer, 'e', 'one.more');
    await peer.expect(
      `1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - cannot bind to exchange 'e' in vhost '/': limit of ${limit} exchanges and bindings is reached; delete some, or raise amqp-bindings-max"`,
    );
    // Others route and publish, and what goes makes room.
    await other.silent();
    const refused = await other.exchange('f', 'direct', { durable });
    assert.match(refused, /406.*cannot declare exchange 'f' in vhost '\/': limit of 13107/);
    using third = await server.open();
    third.send(methods.exchange.delete, { reserved1: 0, exchange: 'e', ifUnused: false, noWait: false });
    await third.expect('1 exchange.delete-ok');
    assert.equal(routing.used, 0);
    assert.equal(await third.exchange('f', 'direct', { durable }), '1 exchange.declare-ok {}');
  });

test('long keys and large arguments count for more', async () => {
  await using server = await TestServer.start();
  const { routing } = server.amqp.virtualHosts;
  using peer = await server.open();
  await peer.declare('q');
  const words = Array.from({ length: 128 }, (_, at) => String.fromCharCode(97 + (at % 26))).join('.');
  await peer.bind('q', 'amq.topic', words);
  assert.equal(routing.used, 5);
  const entries = Array.from({ length: 100 }, (_, at): [string, FieldValue] => [`h${at}`, at]);
  await peer.bind('q', 'amq.headers', '', new Map(entries));
  assert.ok(routing.used > 5 + 10, `${routing.used}`);
  await peer.bind('q', 'amq.direct', 'k');
  // The bindings go with their queue, and with their virtual host.
  peer.send(methods.queue.delete, {
    reserved1: 0,
    queue: 'q',
    ifUnused: false,
    ifEmpty: false,
    noWait: false,
  });
  await peer.expect('1 queue.delete-ok');
  assert.equal(routing.used, 0);
});

test('a virtual host gives back its charge', async () => {
  await using server = await TestServer.start();
  const { virtualHosts } = server.amqp;
  const vhost = await virtualHosts.create('test');
  using peer = await server.open({ virtualHost: 'test' });
  await peer.declare('q');
  await peer.exchange('e', 'x-random', { durable: false });
  for (const key of ['a', 'b', 'c']) await peer.bind('q', 'e', key);
  await peer.bind('q', 'amq.topic', 'a');
  assert.equal(virtualHosts.routing.used, 5);
  await virtualHosts.delete(vhost);
  assert.equal(virtualHosts.routing.used, 0);
});
