import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { methods, type FieldValue } from '../../../src/wire/amqp/index.ts';
import { TestServer, type Peer } from './amqp-kit.ts';

const hour = 3_600_000;
const table = (...entries: [string, FieldValue][]): { arguments: ReadonlyMap<string, FieldValue> } => ({
  arguments: new Map(entries),
});

/** Declares the queue `jobs` and takes the messages `rejected` and `nacked`, as deliveries 1 and 2. */
async function taken(peer: Peer, ...entries: [string, FieldValue][]): Promise<void> {
  await peer.declare('jobs', table(...entries));
  for (const body of ['rejected', 'nacked']) peer.publish('', 'jobs', body);
  await peer.consume('jobs');
  for (const body of ['rejected', 'nacked']) assert.equal((await peer.message()).body, body);
}

function requeueBoth(peer: Peer): void {
  peer.send(methods.basic.reject, { deliveryTag: 1, requeue: true });
  peer.nack(2, true);
}

describe('x-delayed-retry-type', () => {
  for (const [type, back] of [
    ['failed', 'nacked'],
    ['returned', 'rejected'],
  ] as const)
    it(`${type} delays the one and not the other`, async () => {
      await using server = await TestServer.start();
      using peer = await server.open();
      await taken(peer, ['x-delayed-retry-type', type], ['x-delayed-retry-min', hour]);
      requeueBoth(peer);
      assert.equal((await peer.message()).body, back);
      await peer.silent();
    });

  it('all delays both, and disabled none', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await taken(peer, ['x-delayed-retry-type', 'disabled'], ['x-delayed-retry-min', hour]);
    requeueBoth(peer);
    assert.equal((await peer.message()).body, 'rejected');
    assert.equal((await peer.message()).body, 'nacked');
    await server.broker.topic('jobs')!.delete();
    using other = await server.open();
    await taken(other, ['x-delayed-retry-type', 'all'], ['x-delayed-retry-min', hour]);
    requeueBoth(other);
    await other.silent();
  });

  it('waits longer each time, up to the maximum', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    const backoffOf = async (
      queue: string,
      ...entries: [string, FieldValue][]
    ): Promise<readonly number[]> => {
      await peer.declare(queue, table(['x-delayed-retry-type', 'all'], ...entries));
      return server.broker.topic(queue)!.groups.get('default')!.config.backoffMs;
    };
    const min = (ms: number): [string, FieldValue] => ['x-delayed-retry-min', ms];
    assert.deepEqual(
      await backoffOf('a', min(1000), ['x-delayed-retry-max', 3500]),
      [1000, 2000, 3000, 3500],
    );
    const unlimited = await backoffOf('b', min(10));
    assert.deepEqual([unlimited.length, unlimited.at(-1)], [256, 2560]);
    assert.equal((await backoffOf('c', min(1), ['x-delayed-retry-max', 2 ** 40])).length, 256);
  });
});

describe('x-pillarbox-backoff', () => {
  it('is the backoff of the group, with jitter', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare(
      'jobs',
      table(['x-pillarbox-backoff', [20, 5000]], ['x-pillarbox-backoff-jitter', 0.5]),
    );
    const { config } = server.broker.topic('jobs')!.groups.get('default')!;
    assert.deepEqual([config.backoffMs, config.backoffJitter], [[20, 5000], 0.5]);
    peer.publish('', 'jobs', 'a');
    await peer.consume('jobs');
    await peer.message();
    peer.nack(1, true);
    const { method, header } = await peer.message();
    assert.match(method, /"deliveryTag":2,"redelivered":true/);
    assert.equal(header, '1 header 60 1 {"headers":{"x-delivery-count":1,"x-acquired-count":1}}');
  });
});

describe('arguments of retries', () => {
  it('are refused if they do not fit', async () => {
    await using server = await TestServer.start();
    const cases: readonly (readonly [text: string, ...entries: [string, FieldValue][]])[] = [
      [
        "'x-delayed-retry-type' for queue 'q' in vhost '/': expected disabled",
        ['x-delayed-retry-type', 'no'],
      ],
      [
        "'x-delayed-retry-type' for queue 'q' in vhost '/': x-delayed-retry-type needs",
        ['x-delayed-retry-type', 'all'],
      ],
      [
        "'x-delayed-retry-min' for queue 'q' in vhost '/': expected a whole number from 1",
        ['x-delayed-retry-min', 0],
      ],
      [
        "'x-delayed-retry-type' for queue 'q' in vhost '/': x-delayed-retry-max is less",
        ['x-delayed-retry-type', 'all'],
        ['x-delayed-retry-min', 9],
        ['x-delayed-retry-max', 8],
      ],
      ["'x-pillarbox-backoff' for queue 'q' in vhost '/': expected an array", ['x-pillarbox-backoff', 5]],
      ["'x-pillarbox-backoff' for queue 'q' in vhost '/': expected an array", ['x-pillarbox-backoff', [-1]]],
      ["'x-pillarbox-backoff' for queue 'q' in vhost '/': expected an array", ['x-pillarbox-backoff', []]],
      [
        "'x-pillarbox-backoff-jitter' for queue 'q' in vhost '/': expected a number",
        ['x-pillarbox-backoff-jitter', 2],
      ],
      [
        "'x-delayed-retry-type' for queue 'q' in vhost '/': x-delayed-retry-min and x-pillarbox-backoff exclude",
        ['x-pillarbox-backoff', [5]],
        ['x-delayed-retry-min', 8],
      ],
    ];
    for (const [text, ...entries] of cases) {
      using peer = await server.open();
      const line = await peer.declare('q', table(...entries));
      assert.ok(
        line.startsWith('1 channel.close {"replyCode":406') && line.includes(`invalid arg ${text}`),
        line,
      );
    }
  });
});

describe('a redelivery', () => {
  it('counts failures and deliveries in headers of 64 bits, beside those of the publisher', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('jobs', table(['x-queue-type', 'quorum']));
    peer.publish('', 'jobs', 'a', { headers: new Map([['mine', 1]]), messageId: 'm' });
    await peer.consume('jobs');
    assert.equal((await peer.message()).header, '1 header 60 1 {"headers":{"mine":1},"messageId":"m"}');
    peer.nack(1, true);
    await peer.message();
    peer.send(methods.basic.recover, { requeue: true });
    await peer.expect('1 basic.recover-ok');
    assert.equal(
      (await peer.message()).header,
      '1 header 60 1 {"headers":{"mine":1,"x-delivery-count":1,"x-acquired-count":2},"messageId":"m"}',
    );
  });

  it('of a classic queue has no other headers than the publisher gave', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('jobs', table(['x-queue-type', 'classic']));
    peer.publish('', 'jobs', 'a', { messageId: 'm' });
    await peer.consume('jobs');
    const { header } = await peer.message();
    peer.nack(1, true);
    assert.equal((await peer.message()).header, header);
  });
});

describe('x-consumer-timeout', () => {
  for (const [what, ofQueue, ofConsumer] of [
    ['of a queue', [['x-consumer-timeout', 50]], []],
    ['of a consumer', [['x-consumer-timeout', hour]], [['x-consumer-timeout', 50]]],
  ] as readonly (readonly [string, [string, FieldValue][], [string, FieldValue][]])[])
    it(`${what} closes the channel, and the message comes again`, async () => {
      await using server = await TestServer.start({ limits: { handshakeMs: 4000 } });
      using peer = await server.open();
      using other = await server.open();
      await peer.declare('jobs', table(...ofQueue));
      await peer.declare('others');
      for (const queue of ['others', 'jobs']) peer.publish('', queue, 'a');
      await peer.consume('others', { consumerTag: 'patient' });
      await peer.message();
      await peer.consume('jobs', table(...ofConsumer));
      await peer.message();
      assert.match(
        await peer.next(),
        /406,"replyText":"PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out\. Timeout value used: 50 ms/,
      );
      other.get('jobs', true);
      assert.equal((await other.message()).body, 'a');
    });

  it('is the deadline of the group, with a minute more', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('jobs', table(['x-consumer-timeout', hour]));
    assert.equal(server.broker.topic('jobs')!.groups.get('default')!.config.ackWaitMs, hour + 60_000);
    assert.match(
      await peer.consume('jobs', table(['x-consumer-timeout', 'long'])),
      /406,"replyText":"PRECONDITION_FAILED - invalid arg 'x-consumer-timeout' for a consumer/,
    );
  });
});

describe('arguments that change nothing', () => {
  const inert: readonly [string, FieldValue][] = [
    ['x-queue-mode', 'lazy'],
    ['x-queue-version', 2],
    ['x-queue-leader-locator', 'balanced'],
    ['x-queue-master-locator', 'min-masters'],
    ['x-quorum-initial-group-size', 3],
    ['x-quorum-target-group-size', 3],
    ['x-max-in-memory-length', 0],
    ['x-max-in-memory-bytes', 0],
    ['x-consumer-disconnected-timeout', 0],
    ['x-ha-policy', 'all'],
    ['comment', 'whatever'],
  ];

  it('are taken, and compared as RabbitMQ does', async () => {
    await using server = await TestServer.start();
    using peer = await server.open();
    await peer.declare('jobs', table(...inert));
    const uncompared = ['x-quorum-target-group-size', 'x-ha-policy', 'comment'];
    const fewer = inert.filter(([name]) => !uncompared.includes(name));
    assert.match(await peer.declare('jobs', table(...fewer)), /^1 queue\.declare-ok/);
    assert.match(
      await peer.declare('jobs', table(...fewer.slice(1))),
      /inequivalent arg 'x-queue-mode' for queue 'jobs' in vhost '\/': received none/,
    );
  });

  it('are refused with values that RabbitMQ refuses', async () => {
    await using server = await TestServer.start();
    for (const [name, value] of [
      ['x-queue-mode', 'odd'],
      ['x-queue-version', 3],
      ['x-queue-leader-locator', 'here'],
      ['x-quorum-initial-group-size', 0],
      ['x-max-in-memory-length', -1],
    ] as const) {
      using peer = await server.open();
      assert.match(await peer.declare('q', table([name, value])), new RegExp(`406.*invalid arg '${name}'`));
    }
  });
});
