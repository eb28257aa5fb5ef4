/** Health checks, and what tools look at first. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AdminServer } from './admin-kit.ts';

let server: AdminServer;
before(async () => {
  server = await AdminServer.start();
});
after(() => server[Symbol.asyncDispose]());

test('a server that is well says so', async () => {
  for (const path of [
    '/health/checks/alarms',
    '/health/checks/local-alarms',
    '/health/checks/ready-to-serve-clients',
    '/health/checks/is-in-service',
    '/health/checks/virtual-hosts',
    '/healthchecks/node',
    '/aliveness-test/%2F',
  ])
    assert.deepEqual(await server.get(path), { status: 'ok' }, path);
  assert.equal((await server.get('/health/checks/node-is-quorum-critical')).status, 'ok');
  assert.equal(await server.told('GET /aliveness-test/nowhere'), '404 Object Not Found: Not Found');
  assert.equal(server.amqp.broker.topics.size, 0);
});

test('a server without room has alarms, and serves', async () => {
  await using full = await AdminServer.start({
    brokerOptions: {
      watermarks: { diskFreeBytesMin: 2 ** 50, memoryBytesMax: Infinity, heapBytesMax: Infinity },
    },
  });
  const { status, body } = await full.ask('GET /health/checks/alarms');
  assert.equal(status, 503);
  const [node] = await full.get('/nodes');
  assert.deepEqual(body, {
    status: 'failed',
    reason: 'There are alarms in effect in the cluster',
    alarms: [{ node: node.name, resource: 'disk' }],
  });
  assert.equal(node.disk_free_alarm, true);
  assert.deepEqual(await full.get('/health/checks/ready-to-serve-clients'), { status: 'ok' });
});

test('listeners are found by port and by protocol', async () => {
  const { port } = server.amqp;
  assert.deepEqual(await server.get(`/health/checks/port-listener/${port}`), { status: 'ok', port });
  const none = await server.ask('GET /health/checks/port-listener/1');
  assert.deepEqual(
    [none.status, none.body],
    [503, { status: 'failed', reason: 'No active listener', missing: 1, ports: [port, server.port] }],
  );
  assert.equal(await server.told('GET /health/checks/port-listener/x'), '400 bad_request: Invalid port');
  for (const name of ['amqp091', 'amqp', 'AMQP'])
    assert.deepEqual(await server.get(`/health/checks/protocol-listener/${name}`), {
      status: 'ok',
      protocol: 'amqp',
    });
  assert.equal((await server.ask('GET /health/checks/protocol-listener/mqtt')).status, 503);
});

test('the overview has versions, listeners and totals', async () => {
  const overview = await server.get('/overview');
  assert.equal(overview.product_name, 'RabbitMQ');
  assert.match(overview.rabbitmq_version, /^4\./);
  assert.equal(overview.pillarbox_version, '1.2.3');
  assert.deepEqual(
    overview.listeners.map(({ protocol, port }: { protocol: string; port: number }) => [protocol, port]),
    [
      ['amqp', server.amqp.port],
      ['http', server.port],
    ],
  );
  const { messages, messages_ready, messages_unacknowledged } = overview.queue_totals;
  assert.deepEqual([messages, messages_ready, messages_unacknowledged], [0, 0, 0]);
  assert.equal((await server.get(`/nodes/${overview.node}`)).running, true);
  assert.equal(await server.told('GET /nodes/other'), '404 Object Not Found: Not Found');
});

test('what is not there is said in the words of RabbitMQ', async () => {
  assert.equal(await server.told('GET /nothing'), '404 Object Not Found: Not Found');
  assert.equal(await server.told('PATCH /queues'), '405 method_not_allowed: This path takes GET, not PATCH.');
  assert.equal(
    await server.told('GET /queues/%zz'),
    '400 invalid_request: The path has a "%" that is not followed by two hexadecimal digits.',
  );
  assert.deepEqual(server.errors, []);
});
