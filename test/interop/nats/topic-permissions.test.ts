/** Permissions by topic, which nats-server does not have, by the official client. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, jetstream, jetstreamManager, JetStreamApiError } from '@nats-io/jetstream';
import {
  connect,
  type NatsConnection,
  PermissionViolationError,
  type Subscription,
} from '@nats-io/transport-node';
import { eventually, oraclePath, useServer, WireClient } from '../../support/index.ts';
import { patient } from './clients.ts';
import { lines, quietConnect } from './handshake.ts';

const users = `
[[users]]
name = "admin"
password = "p"

[[users]]
name = "shop"
password = "p"
permissions = { publish = ["orders"], consume = ["bills"], manage = ["shop-*"] }

[[users]]
name = "reader"
password = "p"
permissions = { consume = { allow = ["*"], deny = ["bills"] } }
`;

describe('permissions by topic', { skip: oraclePath !== undefined }, () => {
  const server = useServer({ configuration: { pillarbox: users, natsServer: '' } });
  const as = (user: string): Promise<NatsConnection> =>
    connect({ servers: server().natsAddress, user, pass: 'p' });

  const wire = async (user: string): Promise<WireClient> => {
    const client = await WireClient.open(server().natsPort);
    await client.line();
    client.send(`CONNECT ${JSON.stringify({ ...quietConnect, user, pass: 'p' })}\r\nPING\r\n`);
    await client.readThrough('PONG\r\n');
    return client;
  };

  /** Streams `orders` and `bills` with a message each and a consumer `all`. */
  const withStreams = async (): Promise<void> => {
    made ??= (async () => {
      await using nc = await as('admin');
      const jsm = await jetstreamManager(nc, patient);
      for (const name of ['orders', 'bills']) {
        await jsm.streams.add({ name, subjects: [`${name}.>`], allow_direct: true });
        await jsm.consumers.add(name, { durable_name: 'all', ack_policy: AckPolicy.Explicit });
        await jetstream(nc, patient).publish(`${name}.1`, 'one');
      }
    })();
    await made;
  };
  let made: Promise<void> | undefined;

  const forbidden = (error: unknown): boolean =>
    error instanceof JetStreamApiError && error.apiError().code === 403;

  test('publishing', async () => {
    await withStreams();
    await using nc = await as('shop');
    const ack = await jetstream(nc, patient).publish('orders.2', 'two');
    assert.equal(ack.stream, 'orders');
    using client = await wire('shop');
    await client.exchange(
      lines('PUB bills.2 1', '1', 'PUB bills.2 1', '1', 'PUB live.2 1', '1', 'PUB orders.3 1', '1', 'PING'),
      lines(
        `-ERR 'Permissions Violation for Publish to "bills.2"'`,
        `-ERR 'Permissions Violation for Publish to "bills.2"'`,
        'PONG',
      ),
    );
    await using admin = await as('admin');
    const jsm = await jetstreamManager(admin, patient);
    assert.equal((await jsm.streams.info('bills')).state.messages, 1);
    await jsm.streams.add({ name: 'audit', subjects: ['$JS.EVENT.ADVISORY.>'] });
    await client.exchange(
      lines('PUB $JS.EVENT.ADVISORY.X 1', '1', 'PING'),
      lines(`-ERR 'Permissions Violation for Publish to "$JS.EVENT.ADVISORY.X"'`, 'PONG'),
    );
    await jsm.streams.delete('audit');
  });

  test('managing', async () => {
    await withStreams();
    await using nc = await as('shop');
    const jsm = await jetstreamManager(nc, { ...patient, checkAPI: false });
    await jsm.streams.add({ name: 'shop-a', subjects: ['shop-a.>'] });
    await jsm.streams.delete('shop-a');
    for (const refused of [
      () => jsm.streams.add({ name: 'other', subjects: ['other.>'] }),
      () => jsm.streams.update('orders', { description: 'mine' }),
      () => jsm.streams.purge('bills'),
      () => jsm.streams.delete('bills'),
      () => jsm.streams.deleteMessage('bills', 1),
    ])
      await assert.rejects(refused(), forbidden);
    assert.deepEqual((await jsm.streams.list().next()).map(({ config }) => config.name).toSorted(), [
      'bills',
      'orders',
    ]);
    await using reader = await as('reader');
    const seen = await (await jetstreamManager(reader, patient)).streams.names().next();
    assert.equal(seen.includes('bills'), false);
    assert.equal(seen.includes('orders'), true);
  });

  test('consuming', async () => {
    await withStreams();
    await using nc = await as('shop');
    const jsm = await jetstreamManager(nc, patient);
    assert.equal((await jsm.streams.getMessage('bills', { seq: 1 }))?.subject, 'bills.1');
    assert.equal((await jsm.direct.getMessage('bills', { seq: 1 }))?.subject, 'bills.1');
    const consumer = await jetstream(nc, patient).consumers.get('bills', 'all');
    const message = await consumer.next({ expires: patient.timeout });
    assert.equal(await message?.ackAck(), true);
    for (const refused of [
      () => jsm.streams.getMessage('orders', { seq: 1 }),
      () => jsm.consumers.add('orders', { durable_name: 'mine' }),
      () => jsm.consumers.info('orders', 'all'),
      () => jsm.consumers.delete('orders', 'all'),
      () =>
        jsm.consumers.add('bills', {
          durable_name: 'dlq',
          max_deliver: 1,
          ack_policy: AckPolicy.Explicit,
          metadata: { 'pillarbox.dead-letter': 'other' },
        }),
    ])
      await assert.rejects(refused(), forbidden);
    using client = await wire('shop');
    const requests = [
      '$JS.API.CONSUMER.MSG.NEXT.orders.all',
      '$JS.API.DIRECT.GET.orders',
      '$JS.API.DIRECT.GET.orders.orders.1',
      '$JS.ACK.orders.all.1.1.1.1700000000000000000.0',
    ];
    await client.exchange(
      lines('SUB in.* 1', ...requests.flatMap((subject) => [`PUB ${subject} in.1 0`, '']), 'PING'),
      lines(...requests.map((subject) => `-ERR 'Permissions Violation for Publish to "${subject}"'`), 'PONG'),
    );
    await assert.rejects(
      jsm.direct.getMessage('orders', { seq: 1 }),
      (error: Error) =>
        error.cause instanceof PermissionViolationError || error instanceof PermissionViolationError,
    );
  });

  test('live copies of stored messages, by wildcards and by a subject', async () => {
    await withStreams();
    await using reader = await as('reader');
    await using admin = await as('admin');
    const heard: string[] = [];
    const listen = (pattern: string): Subscription =>
      reader.subscribe(pattern, { callback: (_, message) => void heard.push(message.subject) });
    listen('>');
    listen('*.7');
    await reader.flush();
    for (const subject of ['bills.7', 'live.7', 'orders.7', 'bills.7', 'end']) admin.publish(subject, 'x');
    await admin.flush();
    await eventually(() => heard.includes('end'));
    const ofTest = heard.filter((subject) => /^\w+\.7$|^end$/.test(subject));
    assert.deepEqual(ofTest, ['live.7', 'live.7', 'orders.7', 'orders.7', 'end']);
    using client = await wire('reader');
    await client.exchange(
      lines('SUB _INBOX.> 1', 'SUB _INBOX.*.1 2', 'SUB _INBOX.mine.> 3', 'PING'),
      lines(
        `-ERR 'Permissions Violation for Subscription to "_INBOX.>"'`,
        `-ERR 'Permissions Violation for Subscription to "_INBOX.*.1"'`,
        'PONG',
      ),
    );
    await client.exchange(
      lines('SUB bills.7 1', 'SUB bills.> 2', 'SUB orders.7 3', 'PING'),
      lines(
        `-ERR 'Permissions Violation for Subscription to "bills.7"'`,
        `-ERR 'Permissions Violation for Subscription to "bills.>"'`,
        'PONG',
      ),
    );
  });

  test('deliveries and replies to others', async () => {
    await withStreams();
    await using reader = await as('reader');
    await using admin = await as('admin');
    const heard: string[] = [];
    const listen = (pattern: string): Subscription =>
      reader.subscribe(pattern, { callback: (_, message) => void heard.push(message.subject) });
    listen('>');
    listen('deliver.*');
    await reader.flush();
    const jsm = await jetstreamManager(admin, patient);
    for (const stream of ['orders', 'bills'])
      await jsm.consumers.add(stream, { deliver_subject: `deliver.${stream}`, ack_policy: AckPolicy.None });
    await eventually(() => heard.filter((subject) => subject === 'orders.1').length === 2);
    admin.publish('end');
    await admin.flush();
    await eventually(() => heard.includes('end'));
    assert.deepEqual(
      heard.filter((subject) => /^_INBOX|^bills/.test(subject)),
      [],
    );
  });
});
