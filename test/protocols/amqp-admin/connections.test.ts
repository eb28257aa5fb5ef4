/** Connections, channels and consumers of AMQP clients, as the management API shows them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { methods } from '../../../src/wire/amqp/index.ts';
import { parseUsers } from '../../../src/protocols/users/index.ts';
import { Peer } from '../amqp/amqp-kit.ts';
import { AdminServer } from './admin-kit.ts';

let server: AdminServer;
before(async () => {
  server = await AdminServer.start({
    configured: parseUsers([
      { name: 'root', password: 'root' },
      { name: 'one', password: 'one', permissions: { publish: 'a', consume: 'a' } },
      { name: 'two', password: 'two', permissions: { publish: 'a', consume: 'a' } },
    ]),
  });
  await server.amqp.broker.createTopic({ name: 'a', retention: 'queue' });
});
after(() => server[Symbol.asyncDispose]());

async function open(user: string): Promise<Peer> {
  const peer = await Peer.connect(server.amqp.port);
  await peer.handshake({ user, password: user });
  peer.send(methods.channel.open, { reserved1: '' });
  await peer.expect('1 channel.open-ok');
  return peer;
}

const root = { user: 'root' };

test('a connection has its two ends as its name, and its user', async () => {
  using _peer = await open('one');
  const [connection] = await server.get('/connections', root);
  assert.match(connection.name, new RegExp(`^127\\.0\\.0\\.1:\\d+ -> 127\\.0\\.0\\.1:${server.amqp.port}$`));
  assert.equal(
    `${connection.peer_host}:${connection.peer_port} -> ${connection.host}:${connection.port}`,
    connection.name,
  );
  const { user, vhost, state, protocol, channels, channel_max, frame_max, client_properties } = connection;
  assert.deepEqual(
    { user, vhost, state, protocol, channels, channel_max, frame_max },
    {
      user: 'one',
      vhost: '/',
      state: 'running',
      protocol: 'AMQP 0-9-1',
      channels: 1,
      channel_max: 2047,
      frame_max: 131_072,
    },
  );
  assert.equal(client_properties.product, 'peer');
  const path = `/connections/${encodeURIComponent(connection.name)}`;
  assert.equal((await server.get(path, root)).name, connection.name);
  const [channel] = await server.get(`${path}/channels`, root);
  assert.equal(channel.name, `${connection.name} (1)`);
  assert.equal((await server.get(`/channels/${encodeURIComponent(channel.name)}`, root)).number, 1);
});

test('a consumer is listed with its queue, its channel, and at both', async () => {
  using peer = await open('one');
  peer.send(methods.basic.qos, { prefetchSize: 0, prefetchCount: 7, global: false });
  await peer.next();
  await peer.consume('a', { consumerTag: 'tag' });
  const [consumer, ...more] = await server.get('/consumers', root);
  assert.deepEqual(more, []);
  const { consumer_tag, queue, ack_required, prefetch_count, exclusive, active, channel_details } = consumer;
  assert.deepEqual(
    { consumer_tag, queue, ack_required, prefetch_count, exclusive, active, number: channel_details.number },
    {
      consumer_tag: 'tag',
      queue: { name: 'a', vhost: '/' },
      ack_required: true,
      prefetch_count: 7,
      exclusive: false,
      active: true,
      number: 1,
    },
  );
  assert.deepEqual((await server.get('/queues/%2F/a', root)).consumer_details, [consumer]);
  const [channel] = await server.get('/channels', root);
  assert.equal(channel.consumer_count, 1);
  assert.equal(channel.prefetch_count, 7);
  const detailed = await server.get(`/channels/${encodeURIComponent(channel.name)}`, root);
  assert.deepEqual(detailed.consumer_details, [consumer]);
});

test('an exclusive consumer is told from others', async () => {
  using peer = await open('one');
  await peer.consume('a', { exclusive: true });
  const [consumer] = await server.get('/consumers/%2F', root);
  assert.equal(consumer.exclusive, true);
});

test('a user sees its own connections, and an administrator all', async () => {
  using _one = await open('one');
  using _two = await open('two');
  assert.equal((await server.get('/connections', root)).length, 2);
  const own = await server.get('/connections', { user: 'two' });
  assert.deepEqual(
    own.map(({ user }: { user: string }) => user),
    ['two'],
  );
  assert.equal((await server.get('/channels', { user: 'two' })).length, 1);
});

test('a connection is closed, with the reason that its client hears', async () => {
  using one = await open('one');
  using two = await open('two');
  const [connection] = (await server.get('/connections', root)).filter(
    ({ user }: { user: string }) => user === 'one',
  );
  const line = `DELETE /connections/${encodeURIComponent(connection.name)}`;
  assert.equal(await server.told(line, undefined, { user: 'two' }), '404 Object Not Found: Not Found');
  assert.equal(
    await server.told(line, undefined, { ...root, headers: { 'x-reason': 'maintenance' } }),
    '204',
  );
  assert.match(await one.next(), /connection\.close .*"replyText":"CONNECTION_FORCED - maintenance"/);
  await two.silent();
});
