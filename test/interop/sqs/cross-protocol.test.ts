/**
 * One topic, four ways: what the AWS SDK sends, NATS, Kafka and AMQP clients consume, and the other way
 * round.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import amqplib, { type ChannelModel, type ConfirmChannel, type GetMessage } from 'amqplib';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { kafkaAt } from '../kafka/kafka-clients.ts';
import { makeQueue, type Output, skip, sqsAt, type SqsClient } from './clients.ts';

describe('a topic for SQS, NATS, Kafka and AMQP clients', { skip }, () => {
  const server = useServer();
  let nats: NatsConnection;
  let amqp: ChannelModel;
  let channel: ConfirmChannel;
  let sqs: SqsClient;
  before(async () => {
    nats = await connect({ servers: server().natsAddress });
    amqp = await amqplib.connect(`amqp://127.0.0.1:${server().amqpPort}`);
    channel = await amqp.createConfirmChannel();
    sqs = sqsAt(server().sqsPort);
  });
  after(async () => {
    await amqp?.close().catch(() => {}); // the server may have stopped before
    await nats?.close();
  });

  test('the AWS SDK sends; nats.js, kafkajs and amqplib consume', async () => {
    const name = uniqueName('orders');
    const QueueUrl = await makeQueue(sqs, name);
    const reader = kafkaAt(server().kafkaPort).consumer({ groupId: uniqueName('group') });
    await reader.connect();
    await reader.subscribe({ topic: name, fromBeginning: true });
    const seen: string[] = [];
    await reader.run({
      eachMessage: async ({ message: { key, value, headers } }) =>
        void seen.push(`${key?.toString()} ${value?.toString()} ${headers?.['colour']?.toString()}`),
    });
    const MessageAttributes = {
      colour: { DataType: 'String', StringValue: 'red' },
      price: { DataType: 'Number', StringValue: '1.5' },
    };
    for (const MessageBody of ['one', 'two'])
      await sqs['sendMessage']!({ QueueUrl, MessageBody, MessageGroupId: 'tenant', MessageAttributes });

    // The group of the queue is the consumer `default` of NATS, and that of AMQP: each message goes to one.
    const consumer = await jetstream(nats).consumers.get(name, 'default');
    const message = (await consumer.next({ expires: 5000 })) as JsMsg;
    assert.deepEqual(
      [message.string(), message.headers?.get('colour'), message.headers?.get('price')],
      ['one', 'red', '1.5'],
    );
    assert.equal(await message.ackAck(), true);
    const got = (await channel.get(name)) as GetMessage;
    assert.deepEqual([got.content.toString(), got.properties.headers?.['colour']], ['two', 'red']);
    channel.ack(got);
    await eventually(() => seen.length === 2);
    assert.deepEqual(seen, ['tenant one red', 'tenant two red']);
    await reader.disconnect();
    await eventually(async () => (await sqs['receiveMessage']!({ QueueUrl })).Messages === undefined);
  });

  test('nats.js, kafkajs and amqplib publish; the AWS SDK receives', async () => {
    const name = uniqueName('orders');
    const manager = await jetstreamManager(nats);
    await manager.streams.add({ name, subjects: [`${name}.>`] });
    const made = headers();
    made.set('tenant', 'acme');
    await jetstream(nats).publish(`${name}.one`, 'by nats', { headers: made });
    const producer = kafkaAt(server().kafkaPort).producer();
    await producer.connect();
    await producer.send({ topic: name, messages: [{ key: 'k', value: 'by kafka', headers: { n: '1' } }] });
    await producer.disconnect();
    channel.sendToQueue(name, Buffer.from([255, 0]), { contentType: 'image/png', headers: { try: 3 } });
    await channel.waitForConfirms();

    const { QueueUrl } = await sqs['getQueueUrl']!({ QueueName: name });
    const { Messages } = await sqs['receiveMessage']!({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['MessageGroupId'],
      WaitTimeSeconds: 5,
    });
    const shown = Messages.map(({ Body, Attributes, MessageAttributes = {} }: Output) => [
      Body,
      Attributes?.MessageGroupId,
      Object.entries(MessageAttributes)
        .map(([attribute, { StringValue }]: readonly [string, Output]) => `${attribute}=${StringValue}`)
        .join(' '),
    ]);
    assert.deepEqual(shown, [
      ['by nats', `${name}.one`, 'tenant=acme'],
      ['by kafka', 'k', 'n=1'],
      ['/wA=', undefined, 'amqp-content-type=image/png try=3 Content-Transfer-Encoding=base64'],
    ]);
  });

  test('a dead letter of SQS is one for AMQP, and the other way round', async () => {
    const name = uniqueName('orders');
    const dead = await makeQueue(sqs, `${name}-dead`);
    const { Attributes } = await sqs['getQueueAttributes']!({ QueueUrl: dead, AttributeNames: ['QueueArn'] });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: 5 });
    const QueueUrl = await makeQueue(sqs, name, { RedrivePolicy });
    await sqs['sendMessage']!({ QueueUrl, MessageBody: 'poison' });
    const got = (await channel.get(name)) as GetMessage;
    channel.reject(got, false);
    const { Messages } = await sqs['receiveMessage']!({
      QueueUrl: dead,
      WaitTimeSeconds: 20,
      MessageSystemAttributeNames: ['DeadLetterQueueSourceArn'],
    });
    assert.equal(Messages[0].Body, 'poison');
    assert.match(Messages[0].Attributes.DeadLetterQueueSourceArn, new RegExp(`:${name}$`));
  });
});
