/** amqplib, with its defaults, against a server in a process of its own. */
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

  /** A channel whose errors are collected. */
  async function openChannel(): Promise<{ channel: Channel; errors: string[] }> {
    const channel = await connection.createChannel();
    const errors: string[] = [];
    channel.on('error', (error: Error) => errors.push(error.message));
    return { channel, errors };
  }

  /** Consumes until there are `count` messages. */
  async function consume(
    channel: Channel,
    queue: string,
    count: number,
    answer: (message: ConsumeMessage) => void,
  ): Promise<ConsumeMessage[]> {
    const messages: ConsumeMessage[] = [];
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (!message) return;
      messages.push(message);
      answer(message);
    });
    await eventually(() => messages.length >= count);
    await channel.cancel(consumerTag);
    return messages;
  }

  test('a work queue: confirmed, delivered once, acked', async () => {
    const queue = uniqueName('jobs');
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(queue);
    for (let i = 0; i < 100; i++) channel.sendToQueue(queue, Buffer.from(`job ${i}`), { persistent: true });
    await channel.waitForConfirms();
    await channel.prefetch(10);
    const messages = await consume(channel, queue, 100, (message) => channel.ack(message));
    assert.deepEqual(
      messages.map(({ content }) => content.toString()),
      Array.from({ length: 100 }, (_, i) => `job ${i}`),
    );
    assert.equal((await channel.checkQueue(queue)).messageCount, 0);
    assert.equal(await channel.get(queue), false);
    await channel.close();
  });

  test('properties and typed headers arrive whole', async () => {
    const { channel } = await openChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const headers = {
      text: 'x',
      whole: 7,
      large: 2 ** 40,
      part: 1.5,
      yes: true,
      none: null,
      bytes: Buffer.from([0, 255]),
      list: [1, 'two'],
      table: { deep: { er: 1 } },
      time: { '!': 'timestamp', value: 1_700_000_000 },
    };
    channel.sendToQueue(queue, Buffer.from('hello'), {
      contentType: 'text/plain',
      contentEncoding: 'identity',
      headers,
      persistent: true,
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      messageId: 'm',
      timestamp: 1_700_000_000,
      type: 't',
      userId: 'guest',
      appId: 'a',
    });
    const message = (await channel.get(queue)) as GetMessage;
    assert.deepEqual(message.properties.headers, headers);
    const { properties } = message;
    assert.equal(properties.contentType, 'text/plain');
    assert.equal(properties.correlationId, 'c');
    assert.equal(properties.timestamp, 1_700_000_000);
    assert.equal(properties.deliveryMode, 2);
    await channel.close();
  });

  test('every type of exchange routes as in RabbitMQ', async () => {
    const { channel } = await openChannel();
    const reached = async (exchange: string, key: string, headers = {}): Promise<string[]> => {
      channel.publish(exchange, key, Buffer.from('x'), { headers });
      const queues: string[] = [];
      for (const name of names) if (await channel.get(queueOf(name), { noAck: true })) queues.push(name);
      return queues;
    };
    const names = ['a', 'b', 'c'];
    const suffix = uniqueName('q');
    const queueOf = (name: string): string => `${name}-${suffix}`;
    for (const name of names) await channel.assertQueue(queueOf(name), { exclusive: true });
    const exchangeOf = async (type: string): Promise<string> => {
      const { exchange } = await channel.assertExchange(uniqueName(type), type, { autoDelete: true });
      return exchange;
    };

    const direct = await exchangeOf('direct');
    await channel.bindQueue(queueOf('a'), direct, 'red');
    await channel.bindQueue(queueOf('b'), direct, 'red');
    await channel.bindQueue(queueOf('c'), direct, 'blue');
    assert.deepEqual(await reached(direct, 'red'), ['a', 'b']);
    assert.deepEqual(await reached(direct, 'green'), []);
    await channel.unbindQueue(queueOf('a'), direct, 'red');
    assert.deepEqual(await reached(direct, 'red'), ['b']);

    const fanout = await exchangeOf('fanout');
    for (const name of names) await channel.bindQueue(queueOf(name), fanout, '');
    assert.deepEqual(await reached(fanout, 'any'), names);

    const topic = await exchangeOf('topic');
    await channel.bindQueue(queueOf('a'), topic, '*.orange.*');
    await channel.bindQueue(queueOf('b'), topic, '#.rabbit');
    await channel.bindQueue(queueOf('c'), topic, 'lazy.#');
    const cases: readonly (readonly [key: string, queues: string[]])[] = [
      ['quick.orange.rabbit', ['a', 'b']],
      ['lazy.orange.elephant', ['a', 'c']],
      ['rabbit', ['b']],
      ['lazy', ['c']],
      ['lazy.pink.rabbit', ['b', 'c']],
      ['quick.orange', []],
      ['quick.orange.new.rabbit', ['b']],
      ['', []],
    ];
    for (const [key, queues] of cases) assert.deepEqual(await reached(topic, key), queues, key);

    const headers = await exchangeOf('headers');
    await channel.bindQueue(queueOf('a'), headers, '', { 'x-match': 'all', type: 'pdf', size: 1 });
    await channel.bindQueue(queueOf('b'), headers, '', { 'x-match': 'any', type: 'pdf', size: 1 });
    assert.deepEqual(await reached(headers, '', { type: 'pdf', size: 1 }), ['a', 'b']);
    assert.deepEqual(await reached(headers, '', { type: 'pdf', size: 2 }), ['b']);
    assert.deepEqual(await reached(headers, '', { type: 'zip' }), []);

    const outer = await exchangeOf('fanout');
    await channel.bindExchange(topic, outer, '');
    await channel.bindExchange(direct, outer, '');
    assert.deepEqual(await reached(outer, 'lazy.orange.x'), ['a', 'c']);
    assert.deepEqual(await reached(outer, 'blue'), ['c']);

    const alternate = uniqueName('with-alternate');
    await channel.assertExchange(alternate, 'direct', { autoDelete: true, alternateExchange: fanout });
    assert.deepEqual(await reached(alternate, 'nowhere'), names);
    await channel.close();
  });

  test('durable exchanges and bindings survive a restart, others do not', async () => {
    const [kept, lost, queue] = [uniqueName('kept'), uniqueName('lost'), uniqueName('queue')];
    const { channel } = await openChannel();
    await channel.assertExchange(kept, 'topic');
    await channel.assertExchange(lost, 'topic', { durable: false });
    await channel.assertQueue(queue);
    for (const exchange of [kept, lost]) await channel.bindQueue(queue, exchange, 'a.*');
    connection.on('error', () => {});
    await server().restart();
    connection = await amqplib.connect(`amqp://127.0.0.1:${server().amqpPort}`);
    const { channel: again, errors } = await openChannel();
    again.publish(kept, 'a.b', Buffer.from('x'));
    await eventually(async () => (await again.checkQueue(queue)).messageCount === 1);
    await assert.rejects(again.checkExchange(lost), /NOT_FOUND - no exchange/);
    assert.equal(errors.length, 1);
  });

  test('messages without a route come back, and errors end only their channel', async () => {
    const channel = await connection.createConfirmChannel();
    const returned: string[] = [];
    channel.on('return', ({ content }: { content: Buffer }) => returned.push(content.toString()));
    channel.publish('amq.direct', 'nowhere', Buffer.from('back'), { mandatory: true });
    await channel.waitForConfirms();
    assert.deepEqual(returned, ['back']);
    const { channel: other, errors } = await openChannel();
    await assert.rejects(
      other.checkQueue('no-such-queue'),
      /NOT_FOUND - no queue 'no-such-queue' in vhost '\/'/,
    );
    assert.equal(errors.length, 1);
    await channel.checkExchange('amq.topic');
    await channel.close();
  });

  test('what is given back comes again, and what is refused does not', async () => {
    const { channel } = await openChannel();
    const queue = uniqueName('again');
    await channel.assertQueue(queue);
    for (const body of ['back', 'away']) channel.sendToQueue(queue, Buffer.from(body));
    const seen = await consume(channel, queue, 3, (message) => {
      if (message.content.toString() === 'away') channel.nack(message, false, false);
      else if (message.fields.redelivered) channel.ack(message);
      else channel.nack(message);
    });
    assert.deepEqual(
      seen.map(({ content, fields }) => `${content.toString()} ${fields.redelivered}`).toSorted(),
      ['away false', 'back false', 'back true'],
    );
    await eventually(async () => (await channel.checkQueue(queue)).messageCount === 0);
    await channel.close();
  });

  test('a large message passes in many frames', async () => {
    const { channel } = await openChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const content = Buffer.alloc(1_000_000, 'abcdefg');
    channel.sendToQueue(queue, content);
    const message = (await channel.get(queue)) as GetMessage;
    assert.equal(message.content.equals(content), true);
    await channel.close();
  });

  test('a consumer hears that its queue is gone', async () => {
    const { channel } = await openChannel();
    const { queue } = await channel.assertQueue(uniqueName('short'));
    let cancelled = 0;
    await channel.consume(queue, (message) => void (message ?? cancelled++));
    await channel.deleteQueue(queue);
    await eventually(() => cancelled === 1);
    await channel.close();
  });
});
