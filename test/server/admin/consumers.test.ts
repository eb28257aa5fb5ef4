/** The consumers of a group, of every protocol, as the admin HTTP and the command line show them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, connect } from '@nats-io/transport-node';
import { connect as connectAmqp } from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import type { ConnectionsJson, ConsumerJson, GroupDetailsJson } from '../../../src/admin-api/index.ts';
import { open } from '../../../src/index.ts';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { runCli } from '../../cli/run-cli.ts';
import { type TemporaryDirectory, eventually, makeTemporaryDirectory } from '../../support/index.ts';
import { freePorts } from '../../support/ports.ts';

let directory: TemporaryDirectory;
let server: PillarboxServer;
let nats: NatsConnection;

before(async () => {
  directory = await makeTemporaryDirectory();
  server = await startServer({
    data: join(directory.path, 'data'),
    ...freePorts,
  });
  nats = await connect({ port: server.ports.nats!, name: 'tester' });
});
after(async () => {
  await nats.close();
  await server.close({ graceMs: 0 });
  await directory[Symbol.asyncDispose]();
});

const url = (): string => `http://127.0.0.1:${server.ports.admin}`;

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`${url()}/api/v1/${path}`)).json()) as T;
}

async function consumersOf(topic: string, group: string): Promise<readonly ConsumerJson[]> {
  return (await get<GroupDetailsJson>(`topics/${topic}/groups/${group}`)).consumerList;
}

async function connectionOf(name: string): Promise<number | undefined> {
  const { connections } = await get<ConnectionsJson>('connections');
  return connections.find((connection) => connection.name === name)?.id;
}

describe('the consumers of a group', () => {
  test('are pulls of NATS clients, with their inbox and connection and what was given to them', async () => {
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: 'pulled', subjects: ['pulled.>'] });
    await manager.consumers.add('pulled', { durable_name: 'workers', ack_policy: AckPolicy.Explicit });
    const inbox = nats.subscribe('_INBOX.mine');
    const pull = JSON.stringify({ batch: 10, expires: 60e9 });
    nats.publish('$JS.API.CONSUMER.MSG.NEXT.pulled.workers', pull, { reply: '_INBOX.mine' });
    try {
      await jetstream(nats).publish('pulled.1', 'x');
      const [only] = await eventually(async () => {
        const list = await consumersOf('pulled', 'workers');
        return list[0]?.held === 1 && list;
      });
      assert.equal(only?.label, '_INBOX.mine');
      assert.deepEqual([only?.connection, only?.credit], [await connectionOf('tester'), 9]);
      assert.ok(Date.now() - (only?.heldSinceMs ?? 0) < 60_000);
      const shown = await runCli(['groups', 'show', 'pulled', 'workers', '--url', url()]);
      assert.match(
        shown.out,
        /\n\nCONSUMER +CONNECTION +PRIORITY +GETS +HOLDS +FOR +TAKES\n_INBOX\.mine +\d+ +0 +messages +1 +\S+ +9\n$/,
      );
    } finally {
      inbox.unsubscribe();
    }
  });

  test('are push subscriptions of NATS clients, with their subject and connection', async () => {
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: 'pushed', subjects: ['pushed.>'] });
    await manager.consumers.add('pushed', {
      durable_name: 'push',
      deliver_subject: 'to.me',
      ack_policy: AckPolicy.Explicit,
    });
    const subscription = nats.subscribe('to.me');
    await nats.flush();
    try {
      const [only] = await eventually(async () => {
        const list = await consumersOf('pushed', 'push');
        return list.length === 1 && list;
      });
      assert.deepEqual([only?.label, only?.connection], ['to.me', await connectionOf('tester')]);
    } finally {
      subscription.unsubscribe();
    }
  });

  test('are members of Kafka groups, by their client ids', async () => {
    const kafka = new Kafka({
      clientId: 'shop-7',
      brokers: [`127.0.0.1:${server.ports.kafka}`],
      logLevel: logLevel.NOTHING,
    });
    await server.broker.createTopic({ name: 'read' });
    const consumer = kafka.consumer({ groupId: 'readers' });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic: 'read', fromBeginning: true });
      await consumer.run({ eachMessage: () => Promise.resolve() });
      const [only] = await eventually(async () => {
        const list = await consumersOf('read', 'readers');
        return list.length === 1 && list;
      });
      assert.deepEqual(only, {
        label: 'shop-7',
        connection: null,
        member: null,
        priority: 0,
        active: true,
        exclusive: false,
        credit: 0,
        held: 0,
        heldSinceMs: null,
      });
    } finally {
      await consumer.disconnect();
    }
  });

  test('have a precedence, and an operator lets the next one be the active one', async () => {
    const box = await open({ broker: server.broker });
    const topic = await box.topic('ledger');
    const group = await topic.group('writer', { activeConsumers: 'single' });
    group.consume(() => Promise.resolve(), { member: 'host 1' });
    group.consume(() => Promise.resolve(), { member: 'host 2', priority: 3 });
    const path = 'topics/ledger/groups/writer';
    const details = await get<GroupDetailsJson>(path);
    assert.deepEqual([details.active?.member, details.active?.label], ['host 1', 'embedded handler']);
    assert.deepEqual(
      details.consumerList.map(({ member, priority, active }) => [member, priority, active]),
      [
        ['host 1', 0, true],
        ['host 2', 3, false],
      ],
    );
    const { out: shown } = await runCli(['groups', 'show', 'ledger', 'writer', '--url', url()]);
    assert.match(shown, /embedded handler \(host 1\) +- +0 +messages .*\n.*\(host 2\) +- +3 +none, waits /);
    const { out } = await runCli(['groups', 'release', 'ledger', 'writer', '--url', url()]);
    assert.equal(out, 'The active consumer of group writer of topic ledger is now host 2.\n');
    const metrics = await (await fetch(`${url()}/metrics`)).text();
    assert.match(metrics, /pillarbox_group_active\{topic="ledger",group="writer"\} 1\n/);
    assert.match(metrics, /pillarbox_group_active_chosen_total\{topic="ledger",group="writer"\} 2\n/);
    const lone = await topic.group('lone');
    lone.consume(() => Promise.resolve(), { exclusive: true });
    const list = await runCli(['groups', 'show', 'ledger', 'lone', '--url', url()]);
    assert.match(list.out, / all, exclusive /);
    await box.close();
  });

  test('are those of AMQP by their tag, and receives of SQS', async () => {
    const amqp = await connectAmqp(`amqp://127.0.0.1:${server.ports.amqp}`);
    const channel = await amqp.createChannel();
    await channel.assertQueue('posted');
    await channel.consume('posted', () => {}, { consumerTag: 'the-printer' });
    await channel.consume('posted', () => {}, { consumerTag: 'another', noAck: true });
    const [by, also] = await consumersOf('posted', 'default');
    assert.deepEqual([by?.label, also?.label], ['the-printer', 'another']);
    assert.equal(typeof by?.connection, 'number');
    const { out } = await runCli(['groups', 'show', 'posted', 'default', '--url', url()]);
    assert.match(out, /the-printer/);
    await amqp.close();

    const sqs = async (action: string, input: object, signal?: AbortSignal): Promise<Response> =>
      fetch(`http://127.0.0.1:${server.ports.sqs}/`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` },
        body: JSON.stringify(input),
        ...(signal && { signal }),
      });
    const { QueueUrl } = (await (await sqs('CreateQueue', { QueueName: 'polled' })).json()) as {
      QueueUrl: string;
    };
    const leaves = new AbortController();
    const poll = sqs('ReceiveMessage', { QueueUrl, WaitTimeSeconds: 20 }, leaves.signal);
    const [receive] = await eventually(async () => {
      const list = await consumersOf('polled', 'default');
      return list.length > 0 && list;
    });
    assert.equal(receive?.label, 'ReceiveMessage');
    leaves.abort();
    await assert.rejects(poll, { name: 'AbortError' });
    await eventually(async () => (await consumersOf('polled', 'default')).length === 0);
  });

  test('are handlers, loops and pulls of the process itself', async () => {
    const box = await open({ broker: server.broker });
    const topic = await box.topic('inside');
    const group = await topic.group('own');
    group.consume(() => Promise.resolve());
    const loop = group.deliveries();
    const pull = group.batches().next();
    const labels = (await consumersOf('inside', 'own')).map(({ label }) => label);
    assert.deepEqual(new Set(labels), new Set(['embedded handler', 'embedded loop', 'embedded pull']));
    await box.close();
    await Promise.allSettled([loop.return(), pull]);
  });
});
