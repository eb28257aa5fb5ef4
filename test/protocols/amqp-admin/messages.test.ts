/** Messages that are published, and got, by the management API. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdminServer } from './admin-kit.ts';

let server: AdminServer;
before(async () => {
  server = await AdminServer.start({ limits: { payloadBytesMax: 1000 } });
});
after(() => server[Symbol.asyncDispose]());

const plain = { properties: {}, routing_key: '', payload: 'hello', payload_encoding: 'string' };
const get = { count: 10, ackmode: 'ack_requeue_false', encoding: 'auto' };
const queue = (name: string): Promise<unknown> => server.ask(`PUT /queues/%2F/${name}`, { durable: true });

describe('a publish', () => {
  test('is on disk when it is answered, and says whether a queue has it', async () => {
    await queue('p1');
    const publish = { ...plain, routing_key: 'p1' };
    const answer = await server.ask('POST /exchanges/%2F/amq.default/publish', publish);
    assert.deepEqual(answer.body, { routed: true });
    assert.equal(server.amqp.broker.topic('p1')!.durableCount, 1);
    const nowhere = await server.ask('POST /exchanges/%2F/amq.default/publish', plain);
    assert.deepEqual(nowhere.body, { routed: false });
  });

  test('brings properties and a body of bytes to AMQP consumers', async () => {
    using peer = await server.open();
    await peer.declare('p2');
    await peer.bind('p2', 'amq.headers', '', new Map([['n', 1]]));
    const properties = {
      content_type: 'text/plain',
      headers: { n: 1, deep: { list: [true, null, 'x', 1.5] } },
      delivery_mode: 2,
      priority: 3,
      correlation_id: 'c',
      reply_to: 'r',
      expiration: 60_000,
      message_id: 'm',
      timestamp: 123_456,
      type: 't',
      app_id: 'a',
    };
    const message = { ...plain, properties, payload: Buffer.from([0, 255]).toString('base64') };
    const { body } = await server.ask('POST /exchanges/%2F/amq.headers/publish', {
      ...message,
      payload_encoding: 'base64',
    });
    assert.deepEqual(body, { routed: true });
    const { body: got } = await server.ask('POST /queues/%2F/p2/get', {
      ...get,
      ackmode: 'ack_requeue_true',
    });
    assert.deepEqual(got, [
      {
        payload_bytes: 2,
        redelivered: false,
        exchange: 'amq.headers',
        routing_key: '',
        message_count: 0,
        properties: { ...properties, expiration: '60000' },
        payload: 'AP8=',
        payload_encoding: 'base64',
      },
    ]);
    peer.get('p2');
    const { method, header } = await peer.message();
    assert.match(method, /"redelivered":true,"exchange":"amq.headers","routingKey":""/);
    assert.match(header, /"contentType":"text\/plain"/);
  });

  test('goes to the queues of its copies, and hides the blind ones', async () => {
    await queue('p3');
    await queue('p4');
    const properties = { headers: { CC: ['p3'], BCC: ['p4'] } };
    const { body } = await server.ask('POST /exchanges/%2F/amq.default/publish', { ...plain, properties });
    assert.deepEqual(body, { routed: true });
    for (const name of ['p3', 'p4']) {
      const [message] = (await server.ask(`POST /queues/%2F/${name}/get`, get)).body;
      assert.deepEqual(message.properties, { headers: { CC: ['p3'] } });
    }
  });

  test('that cannot be is refused', async () => {
    await server.ask('PUT /exchanges/%2F/inner', { type: 'fanout', internal: true });
    await server.ask('PUT /queues/%2F/full', {
      durable: true,
      arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
    });
    await server.ask('POST /exchanges/%2F/amq.default/publish', { ...plain, routing_key: 'full' });
    for (const [exchange, change, said] of [
      ['amq.default', { payload: undefined }, '400 bad_request: [{key_missing,payload}]'],
      ['amq.default', { payload: 1 }, '400 bad_request: payload_not_string'],
      ['amq.default', { payload_encoding: 'odd' }, '400 bad_request: ["unsupported_encoding","odd"]'],
      ['amq.default', { payload: '??', payload_encoding: 'base64' }, '400 bad_request: ["not_base64","??"]'],
      [
        'amq.default',
        { routing_key: 'k'.repeat(256) },
        '400 bad_request: routing_key has more than 255 bytes',
      ],
      [
        'amq.default',
        { properties: { priority: 256 } },
        '400 bad_request: priority is not a number from 0 to 255',
      ],
      [
        'amq.default',
        { properties: { user_id: 'other' } },
        "400 bad_request: 406 PRECONDITION_FAILED - user_id property set to 'other' but authenticated user was 'guest'",
      ],
      [
        'amq.default',
        { properties: { expiration: 'x' } },
        "400 bad_request: 406 PRECONDITION_FAILED - invalid expiration 'x': no_integer",
      ],
      [
        'amq.default',
        { payload: 'x'.repeat(1001) },
        '400 bad_request: 406 PRECONDITION_FAILED - message size 1001 is larger than configured max size 1000',
      ],
      ['none', {}, "404 not_found: NOT_FOUND - no exchange 'none' in vhost '/'"],
      [
        'inner',
        {},
        "401 not_authorised: ACCESS_REFUSED - cannot publish to internal exchange 'inner' in vhost '/'",
      ],
      [
        'amq.default',
        { routing_key: 'full' },
        '400 bad_request: rejected Unable to publish message. Check queue limits.',
      ],
    ] as const)
      assert.equal(
        await server.told(`POST /exchanges/%2F/${exchange}/publish`, { ...plain, ...change }),
        said,
      );
  });

  test('with a table that is too deep is refused', async () => {
    let headers: object = {};
    for (let depth = 0; depth < 70; depth++) headers = { deeper: headers };
    const said = await server.told('POST /exchanges/%2F/amq.default/publish', {
      ...plain,
      properties: { headers },
    });
    assert.equal(said, '400 bad_request: arguments have at most 64 levels');
  });
});

describe('a get', () => {
  const publishAll = async (name: string, bodies: readonly string[]): Promise<void> => {
    await queue(name);
    for (const payload of bodies)
      await server.ask('POST /exchanges/%2F/amq.default/publish', { ...plain, routing_key: name, payload });
  };
  const bodies = async (name: string, body: object): Promise<string[]> =>
    (await server.ask(`POST /queues/%2F/${name}/get`, { ...get, ...body })).body.map(
      ({ payload }: { payload: string }) => payload,
    );

  test('gives messages back, keeps them, or takes them away', async () => {
    await publishAll('g1', ['a', 'b', 'c']);
    assert.deepEqual(await bodies('g1', { ackmode: 'ack_requeue_true', count: 2 }), ['a', 'b']);
    assert.deepEqual(await bodies('g1', { ackmode: 'ack_requeue_false', count: '1' }), ['a']);
    assert.deepEqual(await bodies('g1', { ackmode: 'reject_requeue_true', count: 10 }), ['b', 'c']);
    assert.deepEqual(await bodies('g1', { ackmode: 'reject_requeue_false', count: 10 }), ['b', 'c']);
    assert.deepEqual(await bodies('g1', {}), []);
    assert.equal(server.amqp.broker.topic('g1')!.durableCount, 0);
  });

  test('shows as much of a body as it is asked for, and as base64 if it is', async () => {
    await publishAll('g2', ['hello']);
    const ask = async (body: object): Promise<unknown> => {
      const [message] = (await server.ask('POST /queues/%2F/g2/get', { ...get, ...body })).body;
      return [message.payload, message.payload_bytes, message.payload_encoding];
    };
    const kept = { ackmode: 'ack_requeue_true' };
    assert.deepEqual(await ask({ ...kept, truncate: 2 }), ['he', 5, 'string']);
    assert.deepEqual(await ask({ ...kept, encoding: 'base64' }), ['aGVsbG8=', 5, 'base64']);
  });

  test('of rejected messages makes dead letters, whose deaths it shows', async () => {
    await queue('letters');
    await server.ask('PUT /queues/%2F/g3', {
      durable: true,
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'letters' },
    });
    await server.ask('POST /exchanges/%2F/amq.default/publish', { ...plain, routing_key: 'g3' });
    assert.deepEqual(await bodies('g3', { ackmode: 'reject_requeue_false' }), ['hello']);
    const [letter] = (await server.ask('POST /queues/%2F/letters/get', get)).body;
    const [death] = letter.properties.headers['x-death'];
    assert.deepEqual([death.queue, death.reason, death.count], ['g3', 'rejected', 1]);
  });

  test('that cannot be is refused', async () => {
    await queue('g4');
    for (const [name, body, said] of [
      ['g4', { ackmode: undefined }, '400 bad_request: [{key_missing,ackmode}]'],
      ['g4', { ackmode: 'odd' }, '400 bad_request: Unsupported ackmode.'],
      ['g4', { encoding: 'odd' }, '400 bad_request: Unsupported encoding. Please use auto or base64.'],
      ['g4', { count: 'x' }, '400 bad_request: ["not_integer","x"]'],
      ['none', {}, "404 not_found: NOT_FOUND - no queue 'none' in vhost '/'"],
    ] as const)
      assert.equal(await server.told(`POST /queues/%2F/${name}/get`, { ...get, ...body }), said);
  });

  test('of a queue with an exclusive consumer is refused', async () => {
    using peer = await server.open();
    await peer.declare('g5');
    await peer.consume('g5', { exclusive: true });
    const said = await server.told('POST /queues/%2F/g5/get', get);
    assert.match(said, /^(400|401) /);
  });
});
