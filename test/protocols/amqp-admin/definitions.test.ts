/** Definitions that are exported from one server and imported into another. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AdminServer } from './admin-kit.ts';

describe('definitions', () => {
  test('carry exchanges, queues and bindings to another server', async () => {
    await using from = await AdminServer.start();
    await from.ask('PUT /exchanges/%2F/x', { type: 'topic', durable: true });
    await from.ask('PUT /exchanges/%2F/y', { type: 'headers', durable: true, internal: true });
    await from.ask('PUT /queues/%2F/q', { durable: true, arguments: { 'x-max-length': 7 } });
    await from.ask('POST /bindings/%2F/e/x/q/q', { routing_key: 'a.#' });
    await from.ask('POST /bindings/%2F/e/x/e/y', { routing_key: 'b', arguments: { n: 1 } });
    using peer = await from.open();
    await peer.declare('mine', { exclusive: true });
    const exported = await from.get('/definitions');
    assert.deepEqual(
      exported.queues.map(({ name }: { name: string }) => name),
      ['q'],
    );
    await using to = await AdminServer.start();
    assert.equal(await to.told('POST /definitions', exported), '204');
    assert.equal(await to.told('POST /definitions', exported), '204');
    const { queues, exchanges, bindings } = await to.get('/definitions');
    assert.deepEqual(
      { queues, exchanges, bindings },
      {
        queues: exported.queues,
        exchanges: exported.exchanges,
        bindings: exported.bindings,
      },
    );
    assert.equal(bindings.length, 2);
  });

  test('of one virtual host do not name it', async () => {
    await using server = await AdminServer.start();
    const definitions = {
      queues: [{ name: 'q', durable: true, auto_delete: false, arguments: {} }],
      exchanges: [
        { name: 'x', type: 'fanout', durable: true, auto_delete: false, internal: false, arguments: {} },
      ],
      bindings: [
        { source: 'x', destination: 'q', destination_type: 'queue', routing_key: '', arguments: {} },
      ],
    };
    assert.equal(await server.told('POST /definitions/%2F', definitions), '204');
    const { queues, exchanges, bindings } = await server.get('/definitions/%2F');
    assert.deepEqual({ queues, exchanges, bindings }, definitions);
  });

  test('that do not fit are refused, and what came before the error stays', async () => {
    await using server = await AdminServer.start();
    await server.ask('PUT /queues/%2F/q', { durable: true });
    for (const [line, body, said] of [
      ['POST /definitions/nowhere', {}, '400 bad_request: vhost_not_found'],
      ['GET /definitions/nowhere', undefined, '400 bad_request: vhost_not_found'],
      [
        'POST /definitions',
        { queues: [{ name: 'a', vhost: 'nowhere' }] },
        '400 bad_request: vhost nowhere does not exist',
      ],
      ['POST /definitions', { queues: {} }, '400 bad_request: queues_not_list'],
      ['POST /definitions', { queues: [1] }, '400 bad_request: queues_not_objects'],
      ['POST /definitions', { queues: [{}] }, '400 bad_request: queue without a name'],
      [
        'POST /definitions',
        { exchanges: [{ name: 'made', type: 'fanout' }], queues: [{ name: 'q', durable: false }] },
        "400 bad_request: inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'",
      ],
    ] as const)
      assert.equal(await server.told(line, body), said);
    assert.equal((await server.get('/exchanges/%2F/made')).type, 'fanout');
    assert.equal(server.amqp.broker.topic('a'), undefined);
  });
});
