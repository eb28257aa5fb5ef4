/** Policies: which queues they hold for, and what these do then. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultGroup } from '../../../src/broker/index.ts';
import { MemoryFiles } from '../../../src/log/index.ts';
import { AdminServer } from './admin-kit.ts';

const durable = { durable: true };
const publish = { properties: {}, payload: 'hello', payload_encoding: 'string' };

const put = (server: AdminServer, name: string, body: object): Promise<string> =>
  server.told(`PUT /policies/%2F/${name}`, body);

/** What holds for a queue: limits of its topic and of its group. */
function limitsOf(server: AdminServer, queue: string): object {
  const { config, groups } = server.amqp.broker.topic(queue)!;
  const { messagesMax, bytesMax, overflow } = config;
  const { messageTtlMs, maxDeliver } = groups.get(defaultGroup)!.config;
  return JSON.parse(JSON.stringify({ messagesMax, bytesMax, overflow, messageTtlMs, maxDeliver })) as object;
}

describe('a policy', () => {
  test('holds for queues that are there and for new ones, until it is gone', async () => {
    await using server = await AdminServer.start();
    await server.ask('PUT /queues/%2F/orders-1', durable);
    await server.ask('PUT /queues/%2F/other', durable);
    const before = limitsOf(server, 'orders-1');
    const definition = {
      'max-length': 10,
      'max-length-bytes': 1000,
      overflow: 'reject-publish',
      'message-ttl': 60_000,
      'delivery-limit': 3,
    };
    assert.equal(await put(server, 'p', { pattern: '^orders-', definition }), '201');
    await server.ask('PUT /queues/%2F/orders-2', durable);
    for (const queue of ['orders-1', 'orders-2']) {
      assert.deepEqual(limitsOf(server, queue), {
        messagesMax: 10,
        bytesMax: 1000,
        overflow: 'reject',
        messageTtlMs: 60_000,
        maxDeliver: 4,
      });
      const shown = await server.get(`/queues/%2F/${queue}`);
      assert.deepEqual([shown.policy, shown.effective_policy_definition], ['p', definition]);
    }
    assert.equal((await server.get('/queues/%2F/other')).policy, null);
    assert.deepEqual(await server.get('/policies/%2F/p'), {
      vhost: '/',
      name: 'p',
      pattern: '^orders-',
      'apply-to': 'all',
      definition,
      priority: 0,
    });
    assert.equal(await put(server, 'p', { pattern: '^orders-', definition: { 'max-length': 5 } }), '204');
    assert.deepEqual(limitsOf(server, 'orders-1'), { ...before, messagesMax: 5 });
    assert.equal(await server.told('DELETE /policies/%2F/p'), '204');
    for (const queue of ['orders-1', 'orders-2']) assert.deepEqual(limitsOf(server, queue), before);
    // Declared as ever, under a policy or not.
    assert.equal(await server.told('PUT /queues/%2F/orders-2', durable), '204');
  });

  test('of the highest priority holds alone, for its type of queue', async () => {
    await using server = await AdminServer.start();
    await server.ask('PUT /queues/%2F/q', durable);
    const quorum = { durable: true, arguments: { 'x-queue-type': 'quorum' } };
    await server.ask('PUT /queues/%2F/quorum', quorum);
    await put(server, 'low', {
      pattern: '.*',
      priority: 1,
      definition: { 'max-length': 1, 'message-ttl': 1000 },
    });
    await put(server, 'high', {
      pattern: '^q$',
      priority: '2',
      'apply-to': 'queues',
      definition: { 'max-length': 2 },
    });
    await put(server, 'classic', {
      pattern: '.*',
      priority: 3,
      'apply-to': 'quorum_queues',
      definition: { 'max-length': 3 },
    });
    assert.deepEqual(limitsOf(server, 'q'), { messagesMax: 2, overflow: 'drop-oldest' });
    assert.deepEqual(limitsOf(server, 'quorum'), { messagesMax: 3, overflow: 'drop-oldest' });
  });

  test('yields to arguments of the queue, but the lower number holds', async () => {
    await using server = await AdminServer.start();
    await server.ask('PUT /queues/%2F/q', {
      durable: true,
      arguments: {
        'x-max-length': 5,
        'x-message-ttl': 50_000,
        'x-overflow': 'drop-head',
        'x-delivery-limit': -1,
      },
    });
    const definition = {
      'max-length': 9,
      'message-ttl': 10_000,
      overflow: 'reject-publish',
      'delivery-limit': 2,
    };
    await put(server, 'p', { pattern: '.*', definition });
    assert.deepEqual(limitsOf(server, 'q'), {
      messagesMax: 5,
      overflow: 'drop-oldest',
      messageTtlMs: 10_000,
      maxDeliver: 3,
    });
  });

  test('sends dead letters where it says', async () => {
    await using server = await AdminServer.start();
    await server.ask('PUT /queues/%2F/letters', durable);
    await server.ask('PUT /queues/%2F/jobs', durable);
    await put(server, 'dlx', {
      pattern: '^jobs$',
      definition: { 'dead-letter-exchange': '', 'dead-letter-routing-key': 'letters' },
    });
    await server.ask('POST /exchanges/%2F/amq.default/publish', { ...publish, routing_key: 'jobs' });
    await server.ask('POST /queues/%2F/jobs/get', {
      count: 1,
      ackmode: 'reject_requeue_false',
      encoding: 'auto',
    });
    const get = { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' };
    const [letter] = (await server.ask('POST /queues/%2F/letters/get', get)).body;
    assert.equal(letter.properties.headers['x-death'][0].queue, 'jobs');
  });

  test('drops what is beyond its limit at once', async () => {
    await using server = await AdminServer.start();
    await server.ask('PUT /queues/%2F/q', durable);
    for (let i = 0; i < 5; i++)
      await server.ask('POST /exchanges/%2F/amq.default/publish', { ...publish, routing_key: 'q' });
    await put(server, 'p', { pattern: '.*', definition: { 'max-length': 2 } });
    assert.equal((await server.get('/queues/%2F/q')).messages, 2);
  });

  test('survives a restart, with what it did to queues', async () => {
    const files = new MemoryFiles();
    {
      await using server = await AdminServer.start({ files });
      await server.ask('PUT /queues/%2F/q', durable);
      await put(server, 'p', { pattern: '.*', definition: { 'max-length': 2 } });
    }
    await using server = await AdminServer.start({ files });
    assert.equal((await server.get('/queues/%2F/q')).policy, 'p');
    await server.ask('PUT /queues/%2F/new', durable);
    for (const queue of ['q', 'new'])
      assert.deepEqual(limitsOf(server, queue), { messagesMax: 2, overflow: 'drop-oldest' });
    await server.ask('DELETE /policies/%2F/p');
    assert.deepEqual(limitsOf(server, 'q'), { overflow: 'drop-oldest' });
  });

  test('has nothing to do with topics of other protocols and other virtual hosts', async () => {
    await using server = await AdminServer.start();
    const topic = await server.amqp.broker.createTopic({ name: 'log', subjects: ['log.>'] });
    await server.ask('PUT /vhosts/test');
    await server.ask('PUT /queues/test/q', durable);
    await put(server, 'p', { pattern: '.*', definition: { 'max-length': 2 } });
    assert.equal(topic.config.messagesMax, undefined);
    assert.equal(server.amqp.broker.topic('test:q')!.config.messagesMax, undefined);
    const own = { pattern: '.*', definition: { 'max-length': 3 } };
    assert.equal(await server.told('PUT /policies/test/p', own), '201');
    assert.equal(server.amqp.broker.topic('test:q')!.config.messagesMax, 3);
    assert.equal((await server.get('/policies')).length, 2);
    await server.ask('DELETE /vhosts/test');
    assert.equal((await server.get('/policies')).length, 1);
  });

  test('that cannot be is refused', async () => {
    await using server = await AdminServer.start();
    const definition = { 'max-length': 1 };
    for (const [body, said] of [
      [{ definition }, /^400 bad_request: \[\{key_missing,pattern\}\]$/],
      [{ pattern: '(', definition }, /^400 bad_request: Validation failed\n\npattern: missing closing/],
      [{ pattern: '.*', definition: {} }, /^400 bad_request: Validation failed\n\nno policy provided/],
      [{ pattern: '.*', definition: { odd: 1 } }, /are not recognised policy settings/],
      [{ pattern: '.*', definition: { 'max-length': '1' } }, /"1" is not a valid value of max-length/],
      [{ pattern: '.*', definition: { 'max-length': -1 } }, /^400 bad_request: invalid arg 'x-max-length'/],
      [{ pattern: '.*', definition: { overflow: 'odd' } }, /^400 bad_request: invalid arg 'x-overflow'/],
      [{ pattern: '.*', definition, 'apply-to': 'exchanges' }, /apply-to: exchanges is none of all, queues/],
      [{ pattern: '.*', definition, priority: 'x' }, /^400 bad_request: \["not_integer","x"\]$/],
    ] as const)
      assert.match(await put(server, 'p', body), said);
    assert.equal(await server.told('GET /policies/%2F/p'), '404 Object Not Found: Not Found');
    assert.equal(await server.told('DELETE /policies/%2F/p'), '404 Object Not Found: Not Found');
    assert.equal(await server.told('PUT /policies/none/p', {}), '404 not_found: vhost_not_found');
    assert.equal(await put(server, 'p', { pattern: '.*', definition: { 'ha-mode': 'all' } }), '201');
  });

  test('comes and goes with definitions', async () => {
    await using from = await AdminServer.start();
    await put(from, 'p', { pattern: '^a', definition: { 'max-length': 1 }, priority: 7 });
    const exported = await from.get('/definitions');
    await using to = await AdminServer.start();
    assert.equal(await to.told('POST /definitions', exported), '204');
    assert.deepEqual(await to.get('/policies'), exported.policies);
  });
});
