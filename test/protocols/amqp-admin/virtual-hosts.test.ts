/** Virtual hosts: made, used and deleted by the management API. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { methods } from '../../../src/wire/amqp/index.ts';
import { parseUsers } from '../../../src/protocols/users/index.ts';
import { Peer } from '../amqp/amqp-kit.ts';
import { AdminServer } from './admin-kit.ts';

const durable = { durable: true };
const publish = { properties: {}, routing_key: 'q', payload: 'hello', payload_encoding: 'string' };
const get = { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' };
const everything = { configure: '.*', write: '.*', read: '.*' };
const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name);

describe('a virtual host', () => {
  test('has queues, exchanges and bindings of its own', async () => {
    await using server = await AdminServer.start();
    assert.equal(await server.told('PUT /vhosts/test', {}), '201');
    assert.equal(await server.told('PUT /vhosts/test'), '204');
    assert.deepEqual(names(await server.get('/vhosts')), ['/', 'test']);
    for (const host of ['%2F', 'test'])
      assert.equal(await server.told(`PUT /queues/${host}/q`, durable), '201');
    assert.equal(await server.told('PUT /exchanges/test/x', { type: 'fanout', durable: true }), '201');
    assert.equal(await server.told('POST /bindings/test/e/x/q/q', {}), '201');
    assert.equal(await server.told('GET /exchanges/%2F/x'), '404 Object Not Found: Not Found');
    const published = await server.ask('POST /exchanges/test/x/publish', publish);
    assert.deepEqual(published.body, { routed: true });
    const direct = await server.ask('POST /exchanges/test/amq.default/publish', publish);
    assert.deepEqual(direct.body, { routed: true });
    const queues = await server.get('/queues?columns=name,vhost,messages');
    assert.deepEqual(queues, [
      { name: 'q', vhost: '/', messages: 0 },
      { name: 'q', vhost: 'test', messages: 2 },
    ]);
    assert.deepEqual(await server.get('/queues/test?columns=vhost'), [{ vhost: 'test' }]);
    const [message] = (await server.ask('POST /queues/test/q/get', get)).body;
    assert.deepEqual([message.routing_key, message.exchange], ['q', 'x']);
    const bindings = await server.get('/queues/test/q/bindings');
    assert.deepEqual(
      bindings.map(({ source, destination, vhost }: { [name: string]: string }) => [
        source,
        destination,
        vhost,
      ]),
      [
        ['', 'q', 'test'],
        ['x', 'q', 'test'],
      ],
    );
    assert.equal((await server.get('/vhosts/test')).messages, 2);
    assert.equal(await server.told('DELETE /bindings/test/e/x/q/q/~'), '204');
    assert.equal(await server.told('DELETE /queues/test/q/contents'), '204');
    assert.equal(await server.told('DELETE /queues/test/q'), '204');
    assert.equal((await server.ask('GET /queues/%2F/q')).status, 200);
  });

  test('shows the connections in it, which end with it and all that it has', async () => {
    await using server = await AdminServer.start();
    await server.ask('PUT /vhosts/test');
    await server.ask('PUT /queues/test/q', durable);
    using peer = await Peer.connect(server.amqp.port);
    await peer.handshake({ virtualHost: 'test' });
    peer.send(methods.channel.open, { reserved1: '' });
    await peer.expect('1 channel.open-ok');
    await peer.consume('q');
    const [connection, ...more] = await server.get('/vhosts/test/connections');
    assert.deepEqual(more, []);
    assert.equal(connection.vhost, 'test');
    assert.deepEqual(await server.get('/vhosts/%2F/connections'), []);
    const [consumer] = await server.get('/consumers/test');
    assert.deepEqual(consumer.queue, { name: 'q', vhost: 'test' });
    assert.equal((await server.get('/queues/test/q')).consumers, 1);
    assert.equal(await server.told('DELETE /vhosts/test'), '204');
    assert.match(await peer.next(), /connection\.close/);
    assert.equal(server.amqp.broker.topics.size, 0);
    assert.equal(await server.told('GET /vhosts/test'), '404 Object Not Found: Not Found');
  });

  test('that cannot be made or deleted is refused', async () => {
    await using server = await AdminServer.start();
    assert.match(await server.told('PUT /vhosts/a:b'), /^400 bad_request: the name of a virtual host has no/);
    assert.match(
      await server.told(`PUT /vhosts/${'v'.repeat(101)}`),
      /^400 bad_request: the name of a virtual/,
    );
    assert.equal(await server.told('DELETE /vhosts/%2F'), "400 bad_request: the vhost '/' is always there");
    assert.equal(await server.told('DELETE /vhosts/none'), '404 Object Not Found: Not Found');
  });

  test('comes and goes with definitions', async () => {
    await using from = await AdminServer.start();
    await from.ask('PUT /vhosts/test');
    await from.ask('PUT /queues/test/q', durable);
    await from.ask('POST /bindings/test/e/amq.topic/q/q', { routing_key: '#' });
    const exported = await from.get('/definitions');
    await using to = await AdminServer.start();
    assert.equal(await to.told('POST /definitions', exported), '204');
    const { vhosts, queues, bindings } = await to.get('/definitions');
    assert.deepEqual(
      { vhosts, queues, bindings },
      { vhosts: exported.vhosts, queues: exported.queues, bindings: exported.bindings },
    );
    const { queues: own } = await to.get('/definitions/test');
    assert.deepEqual(own, [{ name: 'q', durable: true, auto_delete: false, arguments: {} }]);
  });
});

describe('permissions', () => {
  const configured = parseUsers([{ name: 'root', password: 'root' }]);
  const root = { user: 'root' };

  test('hold in their virtual host only', async () => {
    await using server = await AdminServer.start({ configured });
    for (const host of ['one', 'two']) await server.ask(`PUT /vhosts/${host}`, {}, root);
    await server.ask('PUT /users/u', { password: 'u', tags: 'management' }, root);
    await server.ask('PUT /permissions/one/u', { ...everything, configure: '^a' }, root);
    const told = (line: string): Promise<string> => server.told(line, durable, { user: 'u' });
    assert.equal(await told('PUT /queues/one/a'), '201');
    assert.equal(await told('PUT /queues/one/b'), '401 not_authorised: Access refused.');
    assert.equal(await told('PUT /queues/two/a'), '404 not_found: vhost_not_found');
    assert.equal(await told('PUT /queues/%2F/a'), '401 not_authorised: Access refused.');
    assert.deepEqual(names(await server.get('/vhosts', { user: 'u' })), ['/', 'one']);
    assert.deepEqual(await server.get('/users/u/permissions', root), [
      { user: 'u', vhost: 'one', ...everything, configure: '^a' },
    ]);
    await server.ask('DELETE /vhosts/one', undefined, root);
    assert.deepEqual(await server.get('/users/u/permissions', root), []);
  });

  test('for everything in / are not for other virtual hosts, whenever these were made', async () => {
    await using server = await AdminServer.start({ configured });
    await server.ask('PUT /vhosts/before', {}, root);
    await server.ask('PUT /users/u', { password: 'u', tags: 'management' }, root);
    await server.ask('PUT /permissions/%2F/u', everything, root);
    await server.ask('PUT /vhosts/after', {}, root);
    const told = (line: string): Promise<string> => server.told(line, durable, { user: 'u' });
    assert.equal(await told('PUT /queues/%2F/q'), '201');
    for (const host of ['before', 'after'])
      assert.equal(await told(`PUT /queues/${host}/q`), '404 not_found: vhost_not_found', host);
    await server.ask('PUT /permissions/after/u', everything, root);
    assert.equal(await told('PUT /queues/after/q'), '201');
    assert.match(
      await server.told('PUT /permissions/before/u', { ...everything, read: '^a' }, root),
      /^400 bad_request: read: a pattern of the vhost \/ covers the names of before/,
    );
  });
});
