/** Queues, exchanges and bindings: declared, listed, deleted by the management API. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdminServer } from './admin-kit.ts';

let server: AdminServer;
before(async () => {
  server = await AdminServer.start();
});
after(() => server[Symbol.asyncDispose]());

const durable = { durable: true };

describe('a queue', () => {
  test('is declared once, and then is there', async () => {
    const body = { durable: true, auto_delete: 'false', arguments: { 'x-max-length': 5 } };
    assert.equal(await server.told('PUT /queues/%2F/made', body), '201');
    assert.equal(await server.told('PUT /queues/%2F/made', body), '204');
    const topic = server.amqp.broker.topic('made');
    assert.equal(topic?.config.messagesMax, 5);
    const {
      name,
      vhost,
      type,
      durable,
      exclusive,
      auto_delete,
      arguments: args,
      state,
    } = await server.get('/queues/%2F/made');
    assert.deepEqual(
      { name, vhost, type, durable, exclusive, auto_delete, args, state },
      {
        name: 'made',
        vhost: '/',
        type: 'classic',
        durable: true,
        exclusive: false,
        auto_delete: false,
        args: { 'x-max-length': 5 },
        state: 'running',
      },
    );
  });

  test('of another kind, of a reserved name or of another virtual host is refused', async () => {
    await server.ask('PUT /queues/%2F/kind', durable);
    for (const [line, body, said] of [
      [
        'PUT /queues/%2F/kind',
        { durable: false },
        "400 bad_request: inequivalent arg 'durable' for queue 'kind' in vhost '/': received 'false' but current is 'true'",
      ],
      ['PUT /queues/%2F/amq.mine', {}, '401 not_authorised: Access refused.'],
      ['PUT /queues/nowhere/q', {}, '404 not_found: vhost_not_found'],
      ['PUT /queues/%2F/new', { durable: 'maybe' }, '400 bad_request: ["not_boolean","maybe"]'],
      ['PUT /queues/%2F/new', '[1]', '400 bad_request: not_json'],
      ['PUT /queues/%2F/new', '{', '400 bad_request: not_json'],
      [
        'PUT /queues/%2F/new',
        `{"arguments":{"a":${'['.repeat(99)}${']'.repeat(99)}}}`,
        '400 bad_request: nested deeper than 100 levels',
      ],
      ['GET /queues/%2F/new', undefined, '404 Object Not Found: Not Found'],
      ['GET /queues/nowhere', undefined, '404 Object Not Found: Not Found'],
      ['DELETE /queues/%2F/new', undefined, '404 Object Not Found: Not Found'],
      ['DELETE /queues/%2F/new/contents', undefined, '404 Object Not Found: Not Found'],
    ] as const)
      assert.equal(await server.told(line, body), said);
  });

  test('is deleted, if its conditions hold', async () => {
    using peer = await server.open();
    await peer.declare('end');
    peer.publish('', 'end', 'a');
    peer.get('end');
    await peer.message();
    const told = (query: string): Promise<string> => server.told(`DELETE /queues/%2F/end${query}`);
    assert.equal(await told('?if-empty=true'), "400 bad_request: queue 'end' in vhost '/' not empty");
    await peer.consume('end');
    assert.equal(await told('?if-unused=true'), "400 bad_request: queue 'end' in vhost '/' in use");
    assert.equal(await told(''), '204');
    assert.equal(server.amqp.broker.topic('end'), undefined);
    assert.equal(await peer.next(), '1 basic.cancel {"consumerTag":"c","noWait":true}');
  });

  test('of a connection is seen, and changed by nobody else', async () => {
    using peer = await server.open();
    await peer.declare('own', { exclusive: true });
    assert.equal((await server.get('/queues/%2F/own')).exclusive, true);
    assert.match(
      await server.told('DELETE /queues/%2F/own'),
      /^400 bad_request: cannot obtain exclusive access/,
    );
    assert.match(
      await server.told('PUT /queues/%2F/own', durable),
      /^400 bad_request: cannot obtain exclusive/,
    );
  });

  test('loses its messages by a purge', async () => {
    using peer = await server.open();
    await peer.declare('full');
    for (let i = 0; i < 3; i++) peer.publish('', 'full', 'x');
    peer.get('full', true);
    await peer.message();
    assert.equal((await server.get('/queues/%2F/full')).messages, 2);
    assert.equal(await server.told('DELETE /queues/%2F/full/contents'), '204');
    assert.equal((await server.get('/queues/%2F/full')).messages, 0);
  });

  test('of another protocol is a queue, too', async () => {
    const topic = await server.amqp.broker.createTopic({ name: 'log', subjects: ['log.>'] });
    await topic.send({ key: 'log.a', value: 'a' });
    const { messages, messages_ready, consumers } = await server.get('/queues/%2F/log');
    assert.deepEqual(
      { messages, messages_ready, consumers },
      { messages: 1, messages_ready: 1, consumers: 0 },
    );
  });
});

describe('the messages of a queue', () => {
  test('are ready, or with a consumer', async () => {
    using peer = await server.open();
    await peer.declare('work');
    for (let i = 0; i < 3; i++) peer.publish('', 'work', 'x');
    peer.get('work');
    await peer.message();
    const counts = async (): Promise<unknown> => {
      const { messages, messages_ready, messages_unacknowledged } = await server.get('/queues/%2F/work');
      return [messages, messages_ready, messages_unacknowledged];
    };
    assert.deepEqual(await counts(), [3, 2, 1]);
    peer.nack(1, true);
    await peer.silent();
    assert.deepEqual(await counts(), [3, 3, 0]);
    const { queue_totals, object_totals } = await server.get('/overview');
    assert.ok(queue_totals.messages >= 3);
    assert.equal(object_totals.connections, 1);
    const { message_stats } = await server.get('/queues/%2F/work');
    assert.deepEqual([message_stats.publish, message_stats.deliver_get, message_stats.ack], [3, 1, 0]);
  });
});

describe('an exchange', () => {
  test('is declared, seen and deleted', async () => {
    const body = { type: 'topic', durable: true, arguments: { 'alternate-exchange': 'amq.fanout' } };
    assert.equal(await server.told('PUT /exchanges/%2F/x', body), '201');
    assert.equal(await server.told('PUT /exchanges/%2F/x', body), '204');
    const { name, type, durable, internal, arguments: args } = await server.get('/exchanges/%2F/x');
    assert.deepEqual(
      { name, type, durable, internal, args },
      { name: 'x', type: 'topic', durable: true, internal: false, args: body.arguments },
    );
    assert.equal(await server.told('DELETE /exchanges/%2F/x'), '204');
    assert.equal(await server.told('GET /exchanges/%2F/x'), '404 Object Not Found: Not Found');
  });

  test('that cannot be is refused', async () => {
    await server.ask('PUT /exchanges/%2F/kept', { type: 'direct' });
    await server.ask('POST /bindings/%2F/e/kept/e/amq.fanout', {});
    for (const [line, body, said] of [
      ['PUT /exchanges/%2F/odd', { type: 'odd' }, "400 bad_request: unknown exchange type 'odd'"],
      ['PUT /exchanges/%2F/amq.mine', { type: 'direct' }, '401 not_authorised: Access refused.'],
      ['PUT /exchanges/%2F/amq.default', { type: 'direct' }, '401 not_authorised: Access refused.'],
      [
        'PUT /exchanges/%2F/kept',
        { type: 'fanout' },
        "400 bad_request: inequivalent arg 'type' for exchange 'kept' in vhost '/': received 'fanout' but current is 'direct'",
      ],
      ['DELETE /exchanges/%2F/amq.topic', undefined, '401 not_authorised: Access refused.'],
      [
        'DELETE /exchanges/%2F/kept?if-unused=true',
        undefined,
        "400 bad_request: exchange 'kept' in vhost '/' in use",
      ],
      ['DELETE /exchanges/%2F/none', undefined, '404 Object Not Found: Not Found'],
    ] as const)
      assert.equal(await server.told(line, body), said);
  });

  test('is in the list with those that are there from the beginning', async () => {
    const names = (await server.get('/exchanges/%2F?columns=name')) as { name: string }[];
    const all = names.map(({ name }) => name);
    for (const name of ['', 'amq.direct', 'amq.fanout', 'amq.topic', 'amq.headers', 'amq.match'])
      assert.ok(all.includes(name), name);
    assert.equal((await server.get('/exchanges/%2F/amq.default')).name, '');
  });
});

describe('a binding', () => {
  test('is made, found by its key, and removed', async () => {
    await server.ask('PUT /queues/%2F/bound', durable);
    const made = await server.ask('POST /bindings/%2F/e/amq.direct/q/bound', {
      routing_key: 'a b~c/d',
      arguments: { n: 1 },
    });
    assert.equal(made.status, 201);
    const [, key = ''] = /^bound\/(.+)$/.exec(made.headers.get('location') ?? '') ?? [];
    assert.match(key, /^a%2Bb%257Ec%252Fd~[\w-]+$/);
    const path = `/bindings/%2F/e/amq.direct/q/bound/${key}`;
    assert.deepEqual(await server.get(path), {
      source: 'amq.direct',
      vhost: '/',
      destination: 'bound',
      destination_type: 'queue',
      routing_key: 'a b~c/d',
      arguments: { n: 1 },
      properties_key: decodeURIComponent(key),
    });
    assert.equal(await server.told(`DELETE ${path}`), '204');
    assert.equal(await server.told(`DELETE ${path}`), '404 Object Not Found: Not Found');
  });

  test('of the default exchange is there for each queue', async () => {
    await server.ask('PUT /queues/%2F/plain', durable);
    const [binding, ...more] = await server.get('/queues/%2F/plain/bindings');
    assert.deepEqual(more, []);
    assert.deepEqual([binding.source, binding.routing_key, binding.properties_key], ['', 'plain', 'plain']);
    assert.deepEqual(await server.get('/bindings/%2F/e/amq.default/q/plain'), [binding]);
  });

  test('between exchanges is listed at both', async () => {
    await server.ask('PUT /exchanges/%2F/from', { type: 'fanout' });
    await server.ask('PUT /exchanges/%2F/to', { type: 'fanout' });
    assert.equal(await server.told('POST /bindings/%2F/e/from/e/to', {}), '201');
    const [binding] = await server.get('/exchanges/%2F/from/bindings/source');
    assert.equal(binding.properties_key, '~');
    assert.deepEqual(await server.get('/exchanges/%2F/to/bindings/destination'), [binding]);
    assert.deepEqual(await server.get('/bindings/%2F/e/from/e/to'), [binding]);
    assert.equal(await server.told('DELETE /bindings/%2F/e/from/e/to/~'), '204');
    assert.deepEqual(await server.get('/bindings/%2F/e/from/e/to'), []);
  });

  test('with an end that is not there is refused', async () => {
    for (const [line, said] of [
      ['POST /bindings/%2F/e/none/q/bound', "404 not_found: no exchange 'none' in vhost '/'"],
      ['POST /bindings/%2F/e/amq.direct/q/none', "404 not_found: no queue 'none' in vhost '/'"],
      ['POST /bindings/%2F/e/amq.default/q/bound', '401 not_authorised: Access refused.'],
      ['POST /bindings/nowhere/e/amq.direct/q/bound', '404 not_found: vhost_not_found'],
    ] as const)
      assert.equal(await server.told(line, { routing_key: 'k' }), said);
  });
});
