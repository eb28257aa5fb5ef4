/** One topic, two protocols: NATS clients consume the messages of Kafka clients, and the other way round. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { CompressionTypes } from 'kafkajs';
import { uniqueName, useServer } from '../../support/index.ts';
import { consumeAll, kafkaAt, type Consumed } from './kafka-clients.ts';
import { Producer, writesNull } from './platformatic.ts';

const binary = Buffer.from([0, 255, 13, 10, 58, 37, 200]);

describe('a topic for Kafka and NATS clients', () => {
  const server = useServer();
  let nats: NatsConnection;
  before(async () => {
    nats = await connect({ servers: server().natsAddress });
  });
  after(async () => {
    await nats?.close();
  });

  /** Every message of a stream, by a consumer of its own. */
  async function natsMessages(stream: string, count: number): Promise<JsMsg[]> {
    const manager = await jetstreamManager(nats);
    const name = uniqueName('reader');
    await manager.consumers.add(stream, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
    });
    const consumer = await jetstream(nats).consumers.get(stream, name);
    const messages: JsMsg[] = [];
    for await (const message of await consumer.fetch({ max_messages: count, expires: 10_000 })) {
      message.ack();
      messages.push(message);
    }
    return messages;
  }

  const codecs = [
    ['kafkajs, not compressed', 'none'],
    ['kafkajs, gzip', 'kafkajs-gzip'],
    ['@platformatic/kafka, gzip', 'gzip'],
    ['@platformatic/kafka, snappy', 'snappy'],
    ['@platformatic/kafka, lz4', 'lz4'],
    // Which only newer Nodes have.
    ...('zstdCompress' in zlib ? ([['@platformatic/kafka, zstd', 'zstd']] as const) : []),
  ] as const;
  for (const [title, codec] of codecs)
    test(`what ${title}, publishes nats.js consumes whole`, async () => {
      const topic = uniqueName('orders');
      if (codec === 'none' || codec === 'kafkajs-gzip') {
        const producer = kafkaAt(server().kafkaPort).producer();
        await producer.connect();
        await producer.send({
          topic,
          compression: codec === 'none' ? CompressionTypes.None : CompressionTypes.GZIP,
          messages: [
            { key: 'customer-7', value: 'one', headers: { trace: 'abc', raw: binary } },
            { key: null, value: binary },
            { key: binary, value: null },
          ],
        });
        await producer.disconnect();
      } else {
        const producer = new Producer({
          clientId: 'cross',
          bootstrapBrokers: [`127.0.0.1:${server().kafkaPort}`],
          autocreateTopics: true,
        });
        await producer.send({
          compression: codec,
          messages: [
            {
              topic,
              key: Buffer.from('customer-7'),
              value: Buffer.from('one'),
              headers: new Map([
                [Buffer.from('trace'), Buffer.from('abc')],
                [Buffer.from('raw'), binary],
              ]),
            },
            { topic, value: binary },
            { topic, key: binary },
          ] as never,
        });
        await producer.close();
      }
      const [one, two, three] = await natsMessages(topic, 3);
      assert.equal(one!.subject, topic, 'its key is no subject of the stream');
      assert.equal(one!.headers?.get('Pillarbox-Key'), 'customer-7');
      assert.equal(one!.headers?.get('trace'), 'abc');
      assert.equal(one!.string(), 'one');
      assert.deepEqual(Buffer.from(two!.data), binary);
      assert.equal(two!.headers?.get('Pillarbox-Key') ?? '', '');
      assert.equal(three!.data.length, 0);
      const info = await (await jetstreamManager(nats)).streams.info(topic);
      assert.equal(info.state.messages, 3);
      if (codec === 'snappy' || codec === 'lz4' || codec === 'zstd') return; // kafkajs has no codec for these
      // It takes publishes under its name, and Kafka clients see them.
      await jetstream(nats).publish(topic, 'by nats');
      const consumed = await consumeAll(server().kafkaPort, topic, 4);
      const missing = codec === 'gzip' && !writesNull ? '' : null;
      assert.deepEqual(
        consumed.map(({ value }) => value?.toString('latin1') ?? null),
        ['one', binary.toString('latin1'), missing, 'by nats'],
      );
      assert.deepEqual(consumed[2]!.key, binary);
    });

  test('kafkajs consumes messages of nats.js whole, with the subject as the key', async () => {
    const stream = uniqueName('events');
    await (await jetstreamManager(nats)).streams.add({ name: stream, subjects: [`${stream}.>`] });
    const js = jetstream(nats);
    const extra = headers();
    extra.append('trace', 'abc');
    extra.append('twice', '1');
    extra.append('twice', '2');
    await js.publish(`${stream}.new`, 'hello', { headers: extra });
    await js.publish(`${stream}.paid`, binary);
    const consumed = await consumeAll(server().kafkaPort, stream, 2);
    assert.deepEqual(
      consumed.map(({ key, offset }) => [key?.toString(), offset]),
      [
        [`${stream}.new`, '0'],
        [`${stream}.paid`, '1'],
      ],
    );
    assert.equal(consumed[0]!.value?.toString(), 'hello');
    assert.deepEqual(consumed[1]!.value, binary);
    const got = consumed[0]!.headers;
    assert.equal(String(got?.['trace']), 'abc');
    assert.deepEqual([got?.['twice']].flat().map(String), ['1', '2']);
  });

  test('a message published by Kafka under a subject of the stream is that subject’s', async () => {
    const stream = uniqueName('mixed');
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name: stream, subjects: [`${stream}.*`] });
    await jetstream(nats).publish(`${stream}.a`, 'by nats');
    const producer = kafkaAt(server().kafkaPort).producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    await producer.send({
      topic: stream,
      messages: [
        { key: `${stream}.b`, value: 'by kafka' },
        { key: 'other', value: 'foreign' },
      ],
    });
    await producer.disconnect();
    const messages = await natsMessages(stream, 3);
    assert.deepEqual(
      messages.map((message) => [message.seq, message.subject, message.string()]),
      [
        [1, `${stream}.a`, 'by nats'],
        [2, `${stream}.b`, 'by kafka'],
        [3, stream, 'foreign'],
      ],
    );
    const last = await manager.streams.getMessage(stream, { last_by_subj: `${stream}.b` });
    assert.equal(last?.string(), 'by kafka');
    // Deleted by the one, it is gone for the other.
    await manager.streams.deleteMessage(stream, 2);
    const left: Consumed[] = await consumeAll(server().kafkaPort, stream, 2);
    assert.deepEqual(
      left.map(({ offset, value }) => [offset, String(value)]),
      [
        ['0', 'by nats'],
        ['2', 'foreign'],
      ],
    );
  });
});
