import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats, headers } from '@nats-io/transport-node';
import amqplib, { type GetMessage } from 'amqplib';
import { type PillarboxServer, startServer } from '../../../src/server/index.ts';
import { KafkaClient } from '../../protocols/kafka/kit.ts';
import { kafkaAt } from '../../interop/kafka/kafka-clients.ts';
import { makeTemporaryDirectory } from '../../support/index.ts';
import { freePorts, protocolsOff } from '../../support/ports.ts';
import { type CollectedSpan, startCollector } from './collector.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${parentId}-01`;
const unsampled = `00-${traceId.replace('0a', '0b')}-${parentId}-00`;

interface Wanted {
  readonly name: string;
  readonly of?: { readonly [attribute: string]: string | number };
}

function find(spans: readonly CollectedSpan[], { name, of = {} }: Wanted): CollectedSpan {
  const found = spans.filter(
    (span) =>
      span.name === name && Object.entries(of).every(([key, value]) => span.attributes[key] === value),
  );
  assert.equal(found.length, 1, `${name} ${JSON.stringify(of)} in ${JSON.stringify(spans, null, 1)}`);
  return found[0]!;
}

test('a message that NATS publishes is delivered to AMQP and Kafka in one trace', async () => {
  await using directory = await makeTemporaryDirectory();
  await using collector = await startCollector();
  const server = await startServer({
    data: directory.path,
    ...protocolsOff,
    natsPort: 0,
    amqpPort: 0,
    kafkaPort: 0,
    adminPort: 0,
    tracingEndpoint: `${collector.url}/`,
    tracingRatio: 0,
  });
  try {
    const { nats, amqp, kafka } = server.ports;
    const connection = await connectNats({ servers: `127.0.0.1:${nats}` });
    await (await jetstreamManager(connection)).streams.add({ name: 'orders', subjects: ['orders.>'] });
    const traced = headers();
    traced.set('traceparent', traceparent);
    traced.set('tracestate', 'vendor=1');
    const other = headers();
    other.set('traceparent', unsampled);
    await jetstream(connection).publish('orders.new', 'one', { headers: traced });
    await jetstream(connection).publish('orders.new', 'two', { headers: other });
    await jetstream(connection).publish('orders.new', 'three');
    await connection.close();

    const model = await amqplib.connect(`amqp://127.0.0.1:${amqp}`);
    const channel = await model.createChannel();
    const failed = (await channel.get('orders')) as GetMessage;
    assert.equal(failed.properties.headers?.['traceparent'], traceparent);
    channel.nack(failed, false, true);
    for (const text of ['one', 'two', 'three']) {
      const message = (await channel.get('orders')) as GetMessage;
      assert.equal(message.content.toString(), text);
      channel.ack(message);
    }
    await channel.close();
    await model.close();
    using reader = await KafkaClient.connect(kafka!);
    assert.equal((await reader.records('orders')).length, 3);
  } finally {
    await server.close({ graceMs: 5000 });
  }
  const { spans } = collector;
  assert.ok(
    spans.every(
      (span) => (span.traceId === traceId && span.state === 'vendor=1') || span.parentId === parentId,
    ),
    'nothing else is traced',
  );
  const publish = find(spans, { name: 'publish orders' });
  assert.deepEqual([publish.parentId, publish.kind], [parentId, 4]); // kinds are one more than in the API
  assert.deepEqual(publish.attributes, {
    'messaging.system': 'pillarbox',
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'orders',
    'messaging.destination.partition.id': '0',
    'messaging.message.id': '0-0',
    'messaging.message.body.size': 3,
  });
  const first = find(spans, { name: 'deliver orders', of: { 'pillarbox.deliveries': 1 } });
  const second = find(spans, { name: 'deliver orders', of: { 'pillarbox.deliveries': 2 } });
  for (const span of [first, second])
    assert.deepEqual(
      [span.parentId, span.kind, span.attributes['network.protocol.name']],
      [parentId, 5, 'amqp'],
    );
  const nack = find(spans, { name: 'nack orders' });
  const ack = find(spans, { name: 'ack orders' });
  assert.deepEqual([nack.parentId, ack.parentId], [first.spanId, second.spanId]);
  assert.deepEqual([first.isError, second.isError], [true, false]);
  assert.equal(ack.attributes['messaging.operation.type'], 'settle');
  assert.ok(publish.startMs <= publish.endMs && first.endMs <= second.startMs, 'in order');
  const fetched = find(spans, { name: 'deliver orders', of: { 'network.protocol.name': 'kafka' } });
  assert.equal(fetched.parentId, parentId);
  assert.equal(collector.resource()['service.name'], 'pillarbox');
});

test('a Kafka batch is searched, and messages without a context begin traces', async () => {
  await using directory = await makeTemporaryDirectory();
  await using collector = await startCollector();
  const server = await startServer({
    data: directory.path,
    ...freePorts,
    tracingEndpoint: collector.url,
    tracingRatio: 1,
  });
  try {
    await server.broker.defineQueue({ name: 'jobs' });
    const producer = kafkaAt(server.ports.kafka!).producer();
    await producer.connect();
    await producer.send({ topic: 'jobs', messages: [{ value: 'by kafka', headers: { traceparent } }] });
    await producer.disconnect();
    await server.broker.topic('jobs')!.send({ value: 'plain' });
    await receiveTwo(server);
  } finally {
    await server.close({ graceMs: 5000 });
  }
  const { spans } = collector;
  const [byKafka, born] = [traceId, undefined].map((id) =>
    spans.filter((span) => (span.traceId === traceId) === (id !== undefined)),
  );
  assert.deepEqual(
    [byKafka!, born!].map((spans) => spans.map(({ name }) => name).sort()),
    [
      ['ack jobs', 'deliver jobs', 'publish jobs'],
      ['ack jobs', 'deliver jobs', 'publish jobs'],
    ],
  );
  assert.equal(find(byKafka!, { name: 'publish jobs' }).attributes['messaging.batch.message_count'], 1);
  const publish = find(born!, { name: 'publish jobs' });
  assert.equal(publish.parentId, '');
  assert.equal(find(born!, { name: 'deliver jobs' }).parentId, publish.spanId);
  assert.equal(new Set(born!.map((span) => span.traceId)).size, 1);
});

/** By the admin HTTP. */
async function receiveTwo(server: PillarboxServer): Promise<void> {
  const base = `http://127.0.0.1:${server.ports.admin}/api/v1/topics/jobs/groups/default`;
  const post = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(base + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(answer.ok, await answer.clone().text());
    return answer.json();
  };
  const { messages } = (await post('/receive', { max: 2, waitMs: 5000 })) as {
    messages: { receipt: string }[];
  };
  assert.equal(messages.length, 2);
  await post('/settle', { answers: messages.map(({ receipt }) => ({ receipt, answer: 'ack' })) });
}
