/** Policies: which queues they hold for, and what these do then. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultGroup } from '../../../src/broker/index.ts';
import { MemoryFiles } from '../../../src/log/index.ts';
import { parseUsers } from '../../../src/protocols/users/index.ts';
import { AdminServer } from './admin-kit.ts';

const durable = { durable: true };
const publish = { properties: {}, payload: 'hello', payload_encoding: 'string' };

const put = (server: AdminServer, name: string, body: object): Promise<string> =>
  server.told(`PUT /policies/%2F/${name}`, body);

const bound = (server: AdminServer, name: string, body: object): Promise<string> =>
  server.told(`PUT /operator-policies/%2F/${name}`, body);

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
      [{ pattern: '.*', definition, 'apply-to': 'odd' }, /apply-to: odd is none of all, queues/],
      [{ pattern: '.*', definition: { 'max-age': 'x' } }, /^400 bad_request: invalid arg 'x-max-age'/],
      [{ pattern: '.*', definition, priority: 'x' }, /^400 bad_request: \["not_integer","x"\]$/],
    ] as const)
      assert.match(await put(server, 'p', body), said);
    assert.equal(await server.told('GET /policies/%2F/p'), '404 Object Not Found: Not Found');
    assert.equal(await server.told('DELETE /policies/%2F/p'), '404 Object Not Found: Not Found');
    assert.equal(await server.told('PUT /policies/none/p', {}), '404 not_found: vhost_not_found');
    assert.equal(await put(server, 'p', { pattern: '.*', definition: { 'ha-mode': 'all' } }), '201');
  });

  test('comes and goes with definitions, as one of operators does', async () => {
    await using from = await AdminServer.start();
    const policy = { pattern: '^a', definition: { 'max-length': 1 }, priority: 7 };
    await put(from, 'p', policy);
    await bound(from, 'o', policy);
    const exported = await from.get('/definitions');
    const value = { ...policy, 'apply-to': 'all' };
    assert.deepEqual(exported.parameters, [{ value, vhost: '/', component: 'operator_policy', name: 'o' }]);
    await using to = await AdminServer.start();
    assert.equal(await to.told('POST /definitions', exported), '204');
    assert.deepEqual(await to.get('/policies'), exported.policies);
    assert.deepEqual(await to.get('/operator-policies'), await from.get('/operator-policies'));
    const [{ parameters }] = [await to.get('/definitions/%2F')];
    assert.deepEqual(parameters, [{ value, component: 'operator_policy', name: 'o' }]);
    assert.equal(await to.told('POST /definitions/%2F', { parameters }), '204');
  });

  test('sends what an exchange cannot route to its alternate, unless the exchange has one', async () => {
    const files = new MemoryFiles();
    const routes = async (server: AdminServer, exchange: string): Promise<boolean> =>
      (await server.ask(`POST /exchanges/%2F/${exchange}/publish`, { ...publish, routing_key: 'k' })).body
        .routed;
    {
      await using server = await AdminServer.start({ files });
      await server.ask('PUT /queues/%2F/rest', durable);
      for (const alternate of ['lost', 'nowhere'])
        await server.ask(`PUT /exchanges/%2F/${alternate}`, { ...durable, type: 'fanout' });
      await server.ask('POST /bindings/%2F/e/lost/q/rest', {});
      const own = { 'alternate-exchange': 'nowhere' };
      await server.ask('PUT /exchanges/%2F/own', { ...durable, type: 'direct', arguments: own });
      await server.ask('PUT /exchanges/%2F/plain', { ...durable, type: 'direct' });
      assert.equal(await routes(server, 'plain'), false);
      const definition = { 'alternate-exchange': 'lost' };
      await put(server, 'ae', { pattern: '^(plain|new|own|rest)$', 'apply-to': 'exchanges', definition });
      await server.ask('PUT /exchanges/%2F/new', { ...durable, type: 'topic' });
      assert.deepEqual(
        [await routes(server, 'plain'), await routes(server, 'new'), await routes(server, 'own')],
        [true, true, false],
      );
      assert.equal((await server.get('/exchanges/%2F/plain')).policy, 'ae');
      assert.equal((await server.get('/queues/%2F/rest')).policy, null);
    }
    await using server = await AdminServer.start({ files });
    assert.equal(await routes(server, 'plain'), true);
    await put(server, 'ae', { pattern: '.*', 'apply-to': 'queues', definition: { 'max-length': 1 } });
    assert.equal(await routes(server, 'plain'), false);
    assert.equal((await server.get('/exchanges/%2F/plain')).policy, null);
  });

  test('holds for streams by what streams have', async () => {
    await using server = await AdminServer.start();
    const ofStream = { durable: true, arguments: { 'x-queue-type': 'stream', 'x-max-length-bytes': 1000 } };
    await server.ask('PUT /queues/%2F/s', ofStream);
    await server.ask('PUT /queues/%2F/q', durable);
    await put(server, 'length', { pattern: '.*', priority: 2, definition: { 'max-length': 1 } });
    await put(server, 'age', {
      pattern: '.*',
      priority: 1,
      'apply-to': 'streams',
      definition: { 'max-age': '1h', 'max-length-bytes': 5000 },
    });
    const { ageMsMax, bytesMax, messagesMax } = server.amqp.broker.topic('s')!.config;
    assert.deepEqual([ageMsMax, bytesMax, messagesMax], [3_600_000, 1000, undefined]);
    await server.ask('PUT /queues/%2F/s2', { ...ofStream, arguments: { 'x-queue-type': 'stream' } });
    assert.equal(server.amqp.broker.topic('s2')!.config.bytesMax, 5000);
    assert.equal((await server.get('/queues/%2F/s')).policy, 'age');
    assert.equal((await server.get('/queues/%2F/q')).policy, 'length');
    await server.ask('DELETE /policies/%2F/age');
    assert.equal(server.amqp.broker.topic('s')!.config.ageMsMax, undefined);
  });
});

describe('an operator policy', () => {
  test('bounds what queues and policies ask for', async () => {
    const files = new MemoryFiles();
    {
      await using server = await AdminServer.start({ files });
      await server.ask('PUT /queues/%2F/q', { durable: true, arguments: { 'x-max-length': 50 } });
      const definition = { 'max-length': 30, 'message-ttl': 60_000 };
      await put(server, 'p', { pattern: '.*', definition: { ...definition, overflow: 'reject-publish' } });
      const limit = { 'max-length': 40, 'message-ttl': 1000, expires: 9000 };
      assert.equal(
        await bound(server, 'o', { pattern: '^q', 'apply-to': 'queues', definition: limit }),
        '201',
      );
      const shown = await server.get('/queues/%2F/q');
      assert.deepEqual(
        [shown.policy, shown.operator_policy, shown.effective_policy_definition],
        ['p', 'o', { 'max-length': 30, 'message-ttl': 1000, overflow: 'reject-publish', expires: 9000 }],
      );
    }
    await using server = await AdminServer.start({ files });
    assert.deepEqual(limitsOf(server, 'q'), { messagesMax: 30, overflow: 'reject', messageTtlMs: 1000 });
    await server.ask('DELETE /policies/%2F/p');
    const shown = await server.get('/queues/%2F/q');
    assert.deepEqual([shown.policy, shown.operator_policy], [null, 'o']);
    assert.deepEqual(limitsOf(server, 'q'), {
      messagesMax: 40,
      overflow: 'drop-oldest',
      messageTtlMs: 1000,
    });
    assert.equal(await server.told('DELETE /operator-policies/%2F/o'), '204');
    assert.deepEqual(limitsOf(server, 'q'), { messagesMax: 50, overflow: 'drop-oldest' });
  });

  test('is seen by all who manage, and made by administrators', async () => {
    const configured = parseUsers([{ name: 'root', password: 'root' }]);
    await using server = await AdminServer.start({ configured });
    const told = (user: string, line: string, body?: object): Promise<string> =>
      server.told(line, body, { user });
    const policy = { pattern: '.*', definition: { 'max-length': 1 } };
    await told('root', 'PUT /users/maker', { password: 'maker', tags: 'policymaker' });
    await told('root', 'PUT /permissions/%2F/maker', { configure: '.*', write: '.*', read: '.*' });
    assert.equal(await told('root', 'PUT /operator-policies/%2F/o', policy), '201');
    assert.equal(await told('maker', 'PUT /policies/%2F/p', policy), '201');
    const refused = '401 not_authorised: Not administrator user';
    assert.equal(await told('maker', 'PUT /operator-policies/%2F/o', policy), refused);
    assert.equal(await told('maker', 'DELETE /operator-policies/%2F/o'), refused);
    const maker = { user: 'maker' };
    const [shown] = await server.get('/operator-policies', maker);
    assert.deepEqual([shown.name, shown.definition], ['o', policy.definition]);
    assert.equal((await server.get('/parameters/operator_policy/%2F', maker)).length, 1);
    assert.deepEqual(await server.get('/parameters/shovel', maker), []);
  });

  test('has only keys of limits', async () => {
    await using server = await AdminServer.start();
    for (const definition of [{ 'dead-letter-exchange': 'x' }, { 'alternate-exchange': 'x' }])
      assert.match(
        await bound(server, 'o', { pattern: '.*', definition }),
        /^400 bad_request: Validation failed\n\n.*not recognised policy settings/,
      );
  });
});
