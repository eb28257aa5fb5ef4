/** How clients see a server that ends and comes back on the same port: they reconnect and go on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { type NatsConnection, connect } from '@nats-io/transport-node';
import { type TestServer, eventually, oraclePath, parallel, startServer } from '../../support/index.ts';
import { SECOND_NS, collect, patient } from './clients.ts';

const endings = [
  ['a graceful stop', (server: TestServer): Promise<unknown> => server.stop()],
  ['kill -9', (server: TestServer): Promise<unknown> => server.kill()],
] as const;

/** A client that keeps trying, as fast as it may. */
const connectPatiently = (server: TestServer): Promise<NatsConnection> =>
  connect({
    servers: server.natsAddress,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    reconnectJitter: 0,
  });

describe('NATS clients and restarts', parallel, () => {
  for (const [ending, end] of endings) {
    test(`streams, consumers, values and messages are there after ${ending}`, async () => {
      await using server = await startServer();
      await using nc = await connectPatiently(server);
      const jsm = await jetstreamManager(nc, patient);
      const js = jetstream(nc, patient);
      const added = await jsm.streams.add({
        name: 'S',
        subjects: ['s.>'],
        max_msgs_per_subject: 100,
        metadata: { owner: 'tests' },
      });
      for (let i = 1; i <= 5; i += 1) await js.publish('s.a', `${i}`);
      await jsm.streams.deleteMessage('S', 4);
      const consumer = await jsm.consumers.add('S', {
        durable_name: 'c',
        ack_policy: AckPolicy.Explicit,
        filter_subject: 's.a',
        max_deliver: 9,
      });
      const kv = await new Kvm(js).create('values', { history: 2 });
      await kv.put('a', '1');
      await kv.put('a', '2');
      const state = async (): Promise<unknown> =>
        (await jsm.streams.info('S', { subjects_filter: '>', deleted_details: true })).state;
      const before = await state();

      await end(server);
      await server.restart();
      await eventually(() => nc.rtt());
      assert.deepEqual(await state(), before);
      const { config, created } = await jsm.streams.info('S');
      assert.deepEqual({ ...config, metadata: 0 }, { ...added.config, metadata: 0 });
      assert.equal(config.metadata?.['owner'], 'tests');
      assert.equal(Date.parse(created), Date.parse(added.created));
      assert.deepEqual((await jsm.consumers.info('S', 'c')).config, consumer.config);
      assert.equal((await kv.get('a'))?.string(), '2');
      assert.equal((await collect(await kv.history({ key: 'a' }))).length, 2);
      assert.equal((await js.publish('s.a', '6')).seq, 6);
      const messages = await collect(
        await (await js.consumers.get('S', 'c')).fetch({ max_messages: 5, expires: 5000 }),
      );
      assert.deepEqual(
        messages.map((message) => message.string()),
        ['1', '2', '3', '5', '6'],
      );
    });

    test(`a subscription and a consume go on by themselves after ${ending}`, async () => {
      await using server = await startServer();
      await using nc = await connectPatiently(server);
      await using publisher = await connectPatiently(server);
      const jsm = await jetstreamManager(nc, patient);
      await jsm.streams.add({ name: 'S', subjects: ['s.>'] });
      await jsm.consumers.add('S', {
        durable_name: 'c',
        ack_policy: AckPolicy.Explicit,
        ack_wait: 60 * SECOND_NS,
      });
      const heard: string[] = [];
      nc.subscribe('live', { callback: (_, message) => void heard.push(message.string()) });
      const received: string[] = [];
      const callback = (message: JsMsg): void => {
        received.push(message.string());
        message.ack();
      };
      const messages = await (
        await jetstream(nc, patient).consumers.get('S', 'c')
      ).consume({ callback, expires: 2000, idle_heartbeat: 500 });
      await jetstream(publisher, patient).publish('s.a', 'before');
      await eventually(() => received.includes('before'));

      await end(server);
      await server.restart();
      await eventually(async () => {
        await publisher.rtt();
        await nc.rtt();
        return true;
      });
      await jetstream(publisher, patient).publish('s.a', 'after');
      await eventually(() => received.includes('after'), { timeoutMs: 30_000 });
      publisher.publish('live', 'still here');
      await eventually(() => heard.includes('still here'));
      await messages.close();
    });
  }

  test('SIGTERM with clients connected ends the server with exit code 0', async (t) => {
    if (oraclePath !== undefined) return t.skip('nats-server has its own exit codes');
    await using server = await startServer();
    await using nc = await connect({ servers: server.natsAddress, reconnect: false });
    nc.subscribe('x');
    await nc.flush();
    assert.equal(await server.stop(), 0);
    await nc.closed();
  });
});
