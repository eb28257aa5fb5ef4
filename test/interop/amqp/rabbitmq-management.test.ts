/**
 * The same requests to our management API and to RabbitMQ's, whose answers are compared. RABBITMQ_ADMIN_PORT
 * and RABBITMQ_PORT are the ports of one on loopback, with its guest user; `.ci/rabbitmq` starts one.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import amqplib from 'amqplib';
import { eventually, uniqueName, useServer } from '../../support/index.ts';

const rabbitPort = Number(process.env['RABBITMQ_PORT'] ?? 0);
const rabbitAdminPort = Number(process.env['RABBITMQ_ADMIN_PORT'] ?? 0);
const skip = rabbitAdminPort === 0 ? 'RABBITMQ_ADMIN_PORT is not set' : false;

const q = uniqueName('q');
const x = uniqueName('x');
const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
const publish = { properties: {}, routing_key: q, payload: 'hello', payload_encoding: 'string' };
const get = { count: 5, ackmode: 'ack_requeue_true', encoding: 'auto' };

/** Requests, in order, whose whole answers are the same. */
const requests: readonly (readonly [line: string, body?: unknown])[] = [
  [`GET /queues/%2F/${q}`],
  ['GET /queues/none'],
  [`PUT /queues/%2F/${q}`, { durable: true, arguments: { 'x-max-length': 50 } }],
  [`PUT /queues/%2F/${q}`, { durable: true, auto_delete: 'false', arguments: { 'x-max-length': 50 } }],
  [`PUT /queues/%2F/${q}`, { durable: false }],
  [`PUT /queues/%2F/${q}`, { durable: true, arguments: { 'x-max-length': 51 } }],
  [`PUT /queues/%2F/${q}`, { durable: 'maybe' }],
  [`PUT /queues/%2F/${q}`, [1]],
  [`PUT /queues/%2F/${q}`, 'text'],
  ['PUT /queues/%2F/amq.mine', {}],
  ['PUT /queues/none/q', {}],
  [`GET /queues/%2F/${q}?columns=name,durable,auto_delete,exclusive,type,arguments,vhost`],
  [`PUT /exchanges/%2F/${x}`, { type: uniqueName('odd') }],
  [`PUT /exchanges/%2F/${x}`, { type: 'direct', durable: true }],
  [`PUT /exchanges/%2F/${x}`, { type: 'direct', durable: true }],
  [`PUT /exchanges/%2F/${x}`, { type: 'fanout', durable: true }],
  ['PUT /exchanges/%2F/amq.mine', { type: 'topic', durable: true }],
  ['PUT /exchanges/%2F/amq.default', { type: 'direct', durable: true }],
  ['GET /exchanges/%2F/none'],
  [`GET /exchanges/%2F/${x}?columns=name,type,durable,auto_delete,internal,arguments,vhost`],
  ['DELETE /exchanges/%2F/amq.topic'],
  ['DELETE /exchanges/%2F/amq.default'],
  ['DELETE /exchanges/%2F/none'],
  [`POST /bindings/%2F/e/${x}/q/${q}`, { routing_key: 'a b~c_d/e', arguments: {} }],
  [`POST /bindings/%2F/e/${x}/q/${q}`, {}],
  [`POST /bindings/%2F/e/none/q/${q}`, { routing_key: 'k' }],
  [`POST /bindings/%2F/e/${x}/q/none`, { routing_key: 'k' }],
  [`POST /bindings/%2F/e/amq.default/q/${q}`, { routing_key: 'k' }],
  [`POST /bindings/%2F/e/${x}/e/amq.fanout`, { routing_key: 'k' }],
  [`GET /bindings/%2F/e/${x}/q/${q}`],
  [`GET /bindings/%2F/e/${x}/q/none`],
  [`GET /bindings/%2F/e/${x}/q/${q}/~`],
  [`GET /bindings/%2F/e/${x}/q/${q}/none`],
  [`GET /bindings/%2F/e/amq.default/q/${q}`],
  [`GET /queues/%2F/${q}/bindings`],
  [`GET /exchanges/%2F/${x}/bindings/source`],
  [`DELETE /bindings/%2F/e/${x}/q/${q}/~`],
  [`DELETE /bindings/%2F/e/${x}/q/${q}/~`],
  ['POST /exchanges/%2F/amq.default/publish', publish],
  ['POST /exchanges/%2F/amq.default/publish', { ...publish, routing_key: 'none' }],
  ['POST /exchanges/%2F/amq.default/publish', { ...publish, payload: undefined }],
  ['POST /exchanges/%2F/amq.default/publish', { ...publish, payload: 1 }],
  ['POST /exchanges/%2F/amq.default/publish', { ...publish, payload_encoding: 'odd' }],
  ['POST /exchanges/%2F/amq.default/publish', { ...publish, properties: { user_id: 'other' } }],
  ['POST /exchanges/%2F/amq.default/publish', { ...publish, properties: { expiration: 'x' } }],
  [
    `POST /exchanges/%2F/${x}/publish`,
    {
      routing_key: 'a b~c_d/e',
      payload: 'AP8=',
      payload_encoding: 'base64',
      properties: { delivery_mode: 2, headers: { n: 1, l: [true, 'x'], t: { f: 1.5 } }, message_id: 'm' },
    },
  ],
  [`POST /queues/%2F/${q}/get`, get],
  [`POST /queues/%2F/${q}/get`, { ...get, count: 1, ackmode: 'ack_requeue_false', encoding: 'base64' }],
  [`POST /queues/%2F/${q}/get`, { ...get, count: '1', truncate: 1 }],
  [`POST /queues/%2F/${q}/get`, { count: 1 }],
  [`POST /queues/%2F/${q}/get`, { ...get, encoding: 'odd' }],
  [`POST /queues/%2F/${q}/get`, { ...get, count: 'x' }],
  ['POST /queues/%2F/none/get', get],
  [`DELETE /queues/%2F/${q}?if-empty=true`],
  [`DELETE /queues/%2F/${q}/contents`],
  ['DELETE /queues/%2F/none/contents'],
  ['GET /queues?page=x'],
  ['GET /queues?page=1&page_size=501'],
  [`GET /queues?page=1&name=${q}&columns=name`],
  [`GET /queues?page=1&name=%5E${q}$&use_regex=true&columns=name,vhost`],
  [`PUT /policies/%2F/${q}`, { pattern: `^${q}$`, definition: {} }],
  [`PUT /policies/%2F/${q}`, { pattern: `^${q}$` }],
  [`PUT /policies/%2F/${q}`, { pattern: `^${x}$`, definition: { 'alternate-exchange': 'amq.fanout' } }],
  [`GET /policies/%2F/${q}`],
  [`GET /exchanges/%2F/${x}?columns=name,policy`],
  ['GET /policies/%2F/none'],
  ['DELETE /policies/%2F/none'],
  [`PUT /operator-policies/%2F/${q}`, { pattern: `^${q}$`, definition: { overflow: 'drop-head' } }],
  [
    `PUT /operator-policies/%2F/${q}`,
    { pattern: `^${q}$`, 'apply-to': 'queues', priority: 3, definition: { 'max-length': 40, expires: 9e8 } },
  ],
  [`PUT /operator-policies/%2F/${q}`, { pattern: `^${q}$`, definition: { 'max-length': 40 } }],
  [`GET /operator-policies/%2F/${q}`],
  ['GET /operator-policies/%2F'],
  ['GET /operator-policies/none'],
  ['GET /operator-policies/%2F/none'],
  ['GET /parameters'],
  ['GET /parameters/operator_policy'],
  ['GET /parameters/operator_policy/%2F'],
  ['GET /parameters/none'],
  ['GET /parameters/none/%2F'],
  [`DELETE /operator-policies/%2F/${q}`],
  [`DELETE /operator-policies/%2F/${q}`],
  [`DELETE /policies/%2F/${q}`],
  ['GET /health/checks/alarms'],
  ['GET /health/checks/virtual-hosts'],
  ['GET /health/checks/node-is-quorum-critical'],
  ['GET /health/checks/port-listener/x'],
  ['GET /health/checks/protocol-listener/amqp'],
  ['GET /healthchecks/node'],
  ['GET /healthchecks/node/none'],
  ['GET /aliveness-test/%2F'],
  ['GET /aliveness-test/none'],
  ['GET /vhosts/none'],
  ['GET /users/none'],
  ['GET /permissions/%2F/none'],
  ['GET /permissions/%2F/guest'],
  ['GET /whoami'],
  ['GET /extensions'],
  ['GET /connections/none'],
  ['DELETE /connections/none'],
  ['GET /channels/none'],
  ['GET /definitions/none'],
  [`DELETE /exchanges/%2F/${x}?if-unused=true`],
  [`DELETE /exchanges/%2F/${x}`],
  [`DELETE /queues/%2F/${q}`],
  [`DELETE /queues/%2F/${q}`],
];

/** An answer: status, location and body. */
async function ask(port: number, line: string, body?: unknown): Promise<unknown> {
  const [method = '', path = ''] = line.split(' ');
  const response = await fetch(`http://127.0.0.1:${port}/api${path}`, {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    location: response.headers.get('location'),
    body: text === '' ? '' : withoutOthers(JSON.parse(text)),
  };
}

/** Other tests may have left queues, which pages count. */
function withoutOthers(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('total_count' in body)) return body;
  return { ...body, total_count: 'some' };
}

describe('what the management API of RabbitMQ answers, too', { skip }, () => {
  const server = useServer();

  for (const [line, body] of requests)
    test(`${line}${body === undefined ? '' : ` ${JSON.stringify(body).slice(0, 60)}`}`, async () => {
      assert.deepEqual(await ask(server().amqpAdminPort, line, body), await ask(rabbitAdminPort, line, body));
    });
});

type Fields = { readonly [name: string]: unknown };

/** The fields of ours that RabbitMQ lacks, or that have another type there. */
function foreignFields(ours: Fields, theirs: Fields, path = ''): string[] {
  return Object.entries(ours).flatMap(([name, value]) => {
    const at = `${path}${name}`;
    if (!(name in theirs)) return [`${at} is not there`];
    const other = theirs[name];
    if (kindOf(value) !== kindOf(other)) return [`${at} is ${kindOf(other)}, not ${kindOf(value)}`];
    if (kindOf(value) === 'object') return foreignFields(value as Fields, other as Fields, `${at}.`);
    const [first, second] = [value, other].map((list) => (Array.isArray(list) ? (list[0] as unknown) : null));
    return kindOf(first) === 'object' && kindOf(second) === 'object'
      ? foreignFields(first as Fields, second as Fields, `${at}[0].`)
      : [];
  });
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
}

describe('the fields that RabbitMQ has, too', { skip }, () => {
  const server = useServer();
  const name = uniqueName('shown');

  /**
   * Everything about a connection that publishes and consumes, once it is enough: RabbitMQ gathers what it
   * shows every five seconds, and not all of it at once.
   */
  async function shown(
    adminPort: number,
    port: number,
    isEnough: (shown: Shown) => boolean,
  ): Promise<Shown | undefined> {
    const connection = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${port}`, {
      clientProperties: { connection_name: name },
    });
    try {
      const channel = await connection.createConfirmChannel();
      await channel.assertQueue(name);
      await channel.consume(name, () => {}, { consumerTag: 'tag' });
      channel.sendToQueue(name, Buffer.from('x'));
      await channel.waitForConfirms();
      let last: Shown | undefined;
      const look = async (): Promise<boolean> => {
        last = (await gathered(adminPort)) ?? last;
        return last !== undefined && isEnough(last);
      };
      await eventually(look, { timeoutMs: 60_000 }).catch(() => undefined); // the difference says more
      return last;
    } finally {
      const channel = await connection.createChannel();
      await channel.deleteQueue(name);
      await connection.close();
    }
  }

  type Shown = { readonly [what: string]: Fields };

  /** Undefined as long as the connection is not shown. */
  async function gathered(adminPort: number): Promise<Shown | undefined> {
    const body = async (path: string): Promise<unknown> =>
      ((await ask(adminPort, `GET ${path}`)) as { body: unknown }).body;
    const list = async (path: string): Promise<readonly Fields[]> => (await body(path)) as Fields[];
    // Other tests may have connections, too.
    const own = (await list('/connections')).find((one) => one['user_provided_name'] === name);
    if (!own) return undefined;
    const [channel] = await list(`/connections/${encodeURIComponent(String(own['name']))}/channels`);
    const [[node], [user], [permission]] = [
      await list('/nodes'),
      await list('/users'),
      await list('/permissions'),
    ];
    const fields = {
      queue: (await body(`/queues/%2F/${name}`)) as Fields,
      overview: (await body('/overview')) as Fields,
      vhost: (await body('/vhosts/%2F')) as Fields,
      exchange: (await body('/exchanges/%2F/amq.direct')) as Fields,
      definitions: (await body('/definitions')) as Fields,
    };
    return channel && node && user && permission
      ? { ...fields, connection: own, channel, node, user, permission }
      : undefined;
  }

  /** Fields of newer versions of RabbitMQ, and our own. */
  const known: ReadonlySet<string> = new Set([
    'overview.pillarbox_version is not there',
    'overview.is_op_policy_updating_enabled is not there',
    'overview.listeners[0].socket_opts is object, not list',
    'node.being_drained is not there',
    'node.contexts[0].node is not there',
    'exchange.policy is not there',
    'queue.consumer_details[0].consumer_timeout is not there',
    'definitions.rabbitmq_definition_format is not there',
    'definitions.original_cluster_name is not there',
    'definitions.explanation is not there',
    'definitions.vhosts[0].description is not there',
    'definitions.vhosts[0].metadata is not there',
    'definitions.vhosts[0].tags is not there',
    'definitions.vhosts[0].limits is not there',
  ]);

  test('have the same names and types', async () => {
    const ours = await shown(server().amqpAdminPort, server().amqpPort, () => true);
    assert.ok(ours);
    const foreignIn = (theirs: Shown): readonly string[] =>
      Object.entries(ours)
        .flatMap(([what, fields]) => foreignFields(fields, theirs[what]!, `${what}.`))
        .filter((field) => !known.has(field) && !field.startsWith('vhost.cluster_state.'));
    const theirs = await shown(rabbitAdminPort, rabbitPort, (shown) => foreignIn(shown).length === 0);
    assert.ok(theirs);
    assert.deepEqual(foreignIn(theirs), []);
  });
});
