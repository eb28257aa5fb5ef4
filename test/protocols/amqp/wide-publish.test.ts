/** One message for many queues. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methods, type FieldTable } from '../../../src/wire/amqp/index.ts';
import { eventually } from '../../support/index.ts';
import { TestServer, type Peer } from './amqp-kit.ts';

const queues = 300;

/** Declares so many queues in memory, each bound to an exchange; their names begin with `prefix`. */
async function bound(
  peer: Peer,
  count: number,
  { prefix = 'q', exchange = 'amq.fanout', table = new Map() as FieldTable } = {},
): Promise<void> {
  for (let at = 0; at < count; at++) {
    const queue = `${prefix}${at}`;
    peer.send(methods.queue.declare, {
      reserved1: 0,
      queue,
      passive: false,
      durable: false,
      exclusive: false,
      autoDelete: false,
      noWait: true,
      arguments: table,
    });
    const binding = { reserved1: 0, queue, exchange, routingKey: '', noWait: true, arguments: new Map() };
    peer.send(methods.queue.bind, binding);
  }
  await peer.silent();
}

/** The number of queues that have a message. */
function reached({ broker }: TestServer): number {
  return Array.from(broker.topics.values()).filter(({ count }) => count > 0).length;
}

async function confirms(peer: Peer): Promise<void> {
  peer.send(methods.confirm.select, { noWait: false });
  await peer.expect('1 confirm.select-ok');
}

test('a message for more queues than fit in a commit takes turns, and is confirmed when all have it', async () => {
  await using server = await TestServer.start({ limits: { queuesPerCommitMax: 1 } });
  using peer = await server.open();
  using other = await server.open();
  await bound(peer, queues);
  await confirms(peer);
  peer.publish('amq.fanout', '', 'first');
  peer.publish('amq.fanout', '', 'second');
  await eventually(() => reached(server) > 0);
  await other.silent();
  const atAnswer = reached(server);
  assert.ok(atAnswer < queues, `${atAnswer} queues had it before another client was answered`);
  await peer.expect('1 basic.ack {"deliveryTag":1,"multiple":false}');
  assert.equal(reached(server), queues);
  await peer.expect('1 basic.ack {"deliveryTag":2,"multiple":false}');
  // In the order in which they came.
  await peer.consume(`q${queues - 1}`);
  for (const body of ['first', 'second']) assert.equal((await peer.message()).body, body);
});

test('a message for few queues is in one commit: all have it or none', async () => {
  await using server = await TestServer.start({ limits: { queuesPerCommitMax: 3 } });
  using peer = await server.open();
  await bound(peer, 2);
  await peer.declare('full', {
    durable: false,
    arguments: new Map<string, string | number>([
      ['x-max-length', 1],
      ['x-overflow', 'reject-publish'],
    ]),
  });
  peer.publish('', 'full', 'x');
  await peer.bind('full', 'amq.fanout', '');
  await confirms(peer);
  peer.publish('amq.fanout', '', 'x');
  await peer.expect('1 basic.nack {"deliveryTag":1');
  assert.equal(reached(server), 1);
  // A fourth queue: in two commits now, and those that do not refuse it get it.
  await peer.declare('more', { durable: false });
  await peer.bind('more', 'amq.fanout', '');
  peer.publish('amq.fanout', '', 'x');
  await peer.expect('1 basic.nack {"deliveryTag":2');
  await eventually(() => server.broker.topic('more')!.count === 1);
});

test('queues that are deleted meanwhile refuse nothing', async () => {
  await using server = await TestServer.start({ limits: { queuesPerCommitMax: 1 } });
  using peer = await server.open();
  await bound(peer, queues);
  await confirms(peer);
  peer.publish('amq.fanout', '', 'x');
  await eventually(() => reached(server) > 0);
  const last = server.broker.topic(`q${queues - 1}`)!;
  assert.equal(last.count, 0);
  await last.delete();
  await peer.expect('1 basic.ack {"deliveryTag":1');
  assert.equal(reached(server), queues - 1);
});

test('other connections get their turn between messages for many queues', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  using other = await server.open();
  await bound(peer, 60);
  const { exchanges } = server.amqp.virtualHosts.plain;
  const before = exchanges.steps;
  const done = (): number => exchanges.steps - before;
  for (let at = 0; at < 500; at++) peer.publish('amq.fanout', '', 'x');
  await eventually(() => done() > 0);
  await other.silent();
  const atAnswer = done();
  await peer.silent();
  assert.ok(atAnswer < done(), `${atAnswer} of ${done()} steps were done before another client was answered`);
});

test('a transaction for more queues than fit in a commit is refused', async () => {
  await using server = await TestServer.start({ limits: { queuesPerCommitMax: 3 } });
  using peer = await server.open();
  await bound(peer, 4);
  peer.send(methods.tx.select, {});
  await peer.expect('1 tx.select-ok');
  for (let at = 0; at < 9; at++) peer.publish('', `q${at % 3}`, 'x');
  peer.send(methods.tx.commit, {});
  await peer.expect('1 tx.commit-ok');
  for (let at = 0; at < 4; at++) peer.publish('', `q${at}`, 'x');
  await peer.expect(
    '1 channel.close {"replyCode":406,"replyText":"PRECONDITION_FAILED - the publishes of a transaction go to more than 3 queues',
  );
});

test('a dead letter goes to 1024 queues at most', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  await bound(peer, 1_100);
  await peer.declare('dying', {
    durable: false,
    arguments: new Map<string, string | number>([
      ['x-message-ttl', 1],
      ['x-dead-letter-exchange', 'amq.fanout'],
    ]),
  });
  peer.publish('', 'dying', 'x');
  await eventually(() => server.broker.topic('q0')!.count === 1);
  assert.equal(reached(server), 1_024);
});

test('dead letters of many queues that refuse a message take turns', async () => {
  await using server = await TestServer.start();
  using peer = await server.open();
  using other = await server.open();
  // Each of 60 full queues sends its dead letter to 200 others.
  await peer.exchange('dead', 'fanout', { durable: false });
  await bound(peer, 200, { prefix: 'd', exchange: 'dead' });
  const table = new Map<string, string | number>([
    ['x-max-length', 1],
    ['x-overflow', 'reject-publish-dlx'],
    ['x-dead-letter-exchange', 'dead'],
  ]);
  await bound(peer, 60, { table });
  await confirms(peer);
  peer.publish('amq.fanout', '', 'fills them');
  await peer.expect('1 basic.ack');
  const letters = (): number => server.broker.topic('d0')!.count;
  peer.publish('amq.fanout', '', 'is refused by all');
  await eventually(() => letters() > 0);
  await other.silent();
  const atAnswer = letters();
  await peer.expect('1 basic.nack');
  assert.equal(letters(), 60);
  assert.ok(atAnswer < 60, `${atAnswer} dead letters came before another client was answered`);
});
