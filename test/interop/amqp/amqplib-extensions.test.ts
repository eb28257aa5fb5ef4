/** What RabbitMQ adds to AMQP, with amqplib against a server in a process of its own. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import amqplib, { type Channel, type ChannelModel, type ConsumeMessage, type GetMessage } from 'amqplib';
import { eventually, uniqueName, useServer } from '../../support/index.ts';

describe('amqplib', () => {
  const server = useServer();
  let connection: ChannelModel;
  before(async () => {
    connection = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${server().amqpPort}`);
  });
  after(async () => {
    await connection?.close().catch(() => {}); // the server may have stopped before
  });

  /** The next message of a queue. */
  async function take(channel: Channel, queue: string): Promise<GetMessage> {
    let message: GetMessage | false = false;
    await eventually(async () => (message = await channel.get(queue, { noAck: true })));
    return message as unknown as GetMessage;
  }

  test('CC and BCC bring a message to further queues', async () => {
    const channel = await connection.createConfirmChannel();
    const queues = ['to', 'cc', 'bcc'].map(uniqueName);
    for (const queue of queues) await channel.assertQueue(queue, { exclusive: true });
    const [to, cc, bcc] = queues as [string, string, string];
    channel.sendToQueue(to, Buffer.from('x'), { CC: [cc, to], BCC: bcc });
    await channel.waitForConfirms();
    for (const queue of queues) {
      const { fields, properties } = await take(channel, queue);
      assert.equal(fields.routingKey, to);
      assert.deepEqual(properties.headers, { CC: [cc, to] });
      assert.equal(await channel.get(queue), false);
    }
    await channel.close();
  });

  test('direct reply-to is a call of a responder on another connection', async () => {
    const other = await amqplib.connect(`amqp://guest:guest@127.0.0.1:${server().amqpPort}`);
    const responder = await other.createChannel();
    const requester = await connection.createChannel();
    const queue = uniqueName('calls');
    await responder.assertQueue(queue, { exclusive: true });
    await responder.consume(
      queue,
      (message) =>
        message &&
        responder.sendToQueue(message.properties.replyTo as string, message.content, {
          correlationId: message.properties.correlationId as string,
        }),
      { noAck: true },
    );
    const replies: ConsumeMessage[] = [];
    await requester.consume('amq.rabbitmq.reply-to', (message) => message && replies.push(message), {
      noAck: true,
    });
    for (const correlationId of ['1', '2'])
      requester.sendToQueue(queue, Buffer.from(`call ${correlationId}`), {
        correlationId,
        replyTo: 'amq.rabbitmq.reply-to',
      });
    await eventually(() => replies.length === 2);
    assert.deepEqual(
      replies.map(({ content, properties }) => [content.toString(), properties.correlationId]),
      [
        ['call 1', '1'],
        ['call 2', '2'],
      ],
    );
    await other.close();
    await requester.close();
  });

  test('a queue with x-expires is gone when nobody uses it', async () => {
    const channel = await connection.createChannel();
    const queue = uniqueName('brief');
    await channel.assertQueue(queue, { expires: 100 });
    const other = await connection.createChannel();
    other.on('error', () => {}); // the channel ends with the first check that fails
    await eventually(() =>
      other.checkQueue(queue).then(
        () => false,
        () => true,
      ),
    );
    await channel.close();
  });

  test('a rejected message waits, and a redelivery is counted', async () => {
    const channel = await connection.createChannel();
    const queue = uniqueName('retries');
    await channel.assertQueue(queue, {
      exclusive: true,
      arguments: {
        'x-delayed-retry-type': 'failed',
        'x-delayed-retry-min': 30,
        'x-delayed-retry-max': 60,
        'x-consumer-timeout': 60_000,
        'x-queue-leader-locator': 'balanced',
        'x-queue-mode': 'lazy',
      },
    });
    const counts: unknown[] = [];
    await channel.consume(queue, (message) => {
      if (!message) return;
      const { headers = {} } = message.properties;
      counts.push([headers['x-delivery-count'], headers['x-acquired-count']]);
      if (counts.length < 3) channel.reject(message, true);
      else channel.ack(message);
    });
    channel.sendToQueue(queue, Buffer.from('x'));
    await eventually(() => counts.length === 3);
    assert.deepEqual(counts, [
      [undefined, undefined],
      [1, 1],
      [2, 2],
    ]);
    await channel.close();
  });

  test('x-pillarbox-backoff is a backoff of its own', async () => {
    const channel = await connection.createChannel();
    const queue = uniqueName('backoff');
    await channel.assertQueue(queue, {
      exclusive: true,
      arguments: { 'x-pillarbox-backoff': [20, 40], 'x-pillarbox-backoff-jitter': 0.2 },
    });
    let deliveries = 0;
    await channel.consume(queue, (message) => {
      if (!message) return;
      if (++deliveries < 3) channel.nack(message);
      else channel.ack(message);
    });
    channel.sendToQueue(queue, Buffer.from('x'));
    await eventually(async () => deliveries === 3 && (await channel.checkQueue(queue)).messageCount === 0);
    await channel.close();
  });

  test('x-consumer-timeout of a consumer closes its channel', async () => {
    const channel = await connection.createChannel();
    const errors: string[] = [];
    channel.on('error', (error: Error) => errors.push(error.message));
    const { queue } = await channel.assertQueue(uniqueName('slow'), { expires: 60_000 });
    await channel.consume(queue, () => {}, { arguments: { 'x-consumer-timeout': 100 } });
    channel.sendToQueue(queue, Buffer.from('x'));
    await eventually(() => errors.length > 0);
    assert.match(errors[0]!, /PRECONDITION_FAILED - delivery acknowledgement on channel \d+ timed out/);
  });

  test('a queue that drops duplicates', async () => {
    const channel = await connection.createConfirmChannel();
    const queue = uniqueName('once');
    await channel.assertQueue(queue, { exclusive: true, arguments: { 'x-message-deduplication': true } });
    for (const messageId of ['a', 'b', 'a'])
      channel.sendToQueue(queue, Buffer.from(messageId), { messageId });
    await channel.waitForConfirms();
    assert.equal((await channel.checkQueue(queue)).messageCount, 2);
    await channel.close();
  });

  test('a full queue gives what it refuses to its dead-letter exchange', async () => {
    const channel = await connection.createConfirmChannel();
    const [queue, letters] = [uniqueName('full'), uniqueName('letters')];
    await channel.assertQueue(letters, { exclusive: true });
    await channel.assertQueue(queue, {
      exclusive: true,
      maxLength: 1,
      deadLetterExchange: '',
      deadLetterRoutingKey: letters,
      arguments: { 'x-overflow': 'reject-publish-dlx' },
    });
    channel.sendToQueue(queue, Buffer.from('first'));
    await channel.waitForConfirms();
    const refused = new Promise((resolve) => channel.sendToQueue(queue, Buffer.from('second'), {}, resolve));
    assert.match(String(await refused), /nacked/);
    const { content, properties } = await take(channel, letters);
    assert.equal(content.toString(), 'second');
    assert.equal(properties.headers?.['x-first-death-reason'], 'maxlen');
    await channel.close();
  });

  test('exchanges of plugins: by hash, at random, delayed', async () => {
    const channel = await connection.createConfirmChannel();
    const queues = ['a', 'b'].map(uniqueName) as [string, string];
    for (const queue of queues) await channel.assertQueue(queue, { exclusive: true });
    const exchangeOf = async (type: string, options = {}): Promise<string> => {
      const { exchange } = await channel.assertExchange(uniqueName(type), type, {
        autoDelete: true,
        arguments: options,
      });
      for (const queue of queues) await channel.bindQueue(queue, exchange, '1');
      return exchange;
    };
    const counts = async (): Promise<number[]> => {
      await channel.waitForConfirms();
      const all: number[] = [];
      for (const queue of queues) all.push((await channel.purgeQueue(queue)).messageCount);
      return all;
    };
    const hash = await exchangeOf('x-consistent-hash');
    for (let i = 0; i < 40; i++) channel.publish(hash, 'same', Buffer.from('x'));
    assert.ok((await counts()).includes(40));
    const random = await exchangeOf('x-random');
    for (let i = 0; i < 40; i++) channel.publish(random, 'same', Buffer.from('x'));
    const [a, b] = (await counts()) as [number, number];
    assert.ok(a > 0 && b > 0 && a + b === 40);
    const delayed = await exchangeOf('x-delayed-message', { 'x-delayed-type': 'direct' });
    channel.publish(delayed, '1', Buffer.from('late'), { headers: { 'x-delay': 150 } });
    const { properties } = await take(channel, queues[0]);
    assert.equal(properties.headers?.['x-delay'], -150);
    await channel.close();
  });
});
