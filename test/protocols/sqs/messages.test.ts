import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { SqsServer } from './sqs-kit.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

describe('a message', () => {
  test('is received as it was sent, and deleted', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const sent = await server.call('SendMessage', { QueueUrl: url, MessageBody: 'hello ✓' });
    assert.deepEqual(Object.keys(sent).sort(), ['MD5OfMessageBody', 'MessageId']);
    assert.equal(sent.MD5OfMessageBody, md5('hello ✓'));
    assert.match(sent.MessageId, /^[0-9a-f]{8}-[0-9a-f]{4}-3[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const [message, ...others] = await server.receive(url);
    assert.deepEqual(others, []);
    const { ReceiptHandle, ...rest } = message;
    assert.deepEqual(rest, {
      MessageId: sent.MessageId,
      MD5OfBody: md5('hello ✓'),
      Body: 'hello ✓',
    });
    assert.equal(await server.told('DeleteMessage', { QueueUrl: url, ReceiptHandle }), '200');
    assert.equal(server.broker.topic('orders')!.count, 0);
  });

  test('is not there: the answer is an empty object', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const { text } = await server.ask('ReceiveMessage', { QueueUrl: url });
    assert.equal(text, '{}');
  });

  test('is invisible until its timeout is over, and has the same id then', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders', { VisibilityTimeout: '10' });
    await server.send(url, 'a');
    const [first] = await server.receive(url, { AttributeNames: ['All'] });
    server.clock.advance(9_900);
    assert.deepEqual(await server.receive(url), []);
    server.clock.advance(100);
    const [second] = await server.receive(url, { AttributeNames: ['All'] });
    assert.equal(second.MessageId, first.MessageId);
    assert.notEqual(second.ReceiptHandle, first.ReceiptHandle);
    const { ApproximateReceiveCount, ApproximateFirstReceiveTimestamp, SentTimestamp } = second.Attributes;
    assert.equal(ApproximateReceiveCount, '2');
    assert.deepEqual(
      [ApproximateFirstReceiveTimestamp, SentTimestamp],
      [first.Attributes.ApproximateFirstReceiveTimestamp, first.Attributes.SentTimestamp],
    );
  });

  test('is received with a timeout of its own', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, 'a');
    assert.deepEqual(await server.bodies(url, { VisibilityTimeout: 3 }), ['a']);
    server.clock.advance(3_000);
    assert.deepEqual(await server.bodies(url, { VisibilityTimeout: 100 }), ['a']);
    server.clock.advance(99_000);
    assert.deepEqual(await server.bodies(url), []);
    server.clock.advance(1_000);
    assert.deepEqual(await server.bodies(url), ['a']);
  });

  test('is received at most ten at once', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, ...Array.from({ length: 12 }, (_, at) => String(at)));
    assert.equal((await server.receive(url, { MaxNumberOfMessages: 3 })).length, 3);
    assert.equal((await server.call('ReceiveMessage', { QueueUrl: url })).Messages.length, 1);
    assert.equal((await server.receive(url)).length, 8);
    for (const MaxNumberOfMessages of [0, 11, -1])
      assert.equal(
        await server.told('ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages }),
        `400 InvalidParameterValue: Value ${MaxNumberOfMessages} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.`,
      );
  });

  test('keeps its id and its handle over a restart', async () => {
    const first = await SqsServer.start();
    const url = await first.queue('orders');
    await first.send(url, 'a', 'b');
    const [a, b] = await first.receive(url, { VisibilityTimeout: 60 });
    await using server = await first.restart();
    assert.deepEqual(await server.bodies(url), [], 'both are still in flight');
    assert.equal(
      await server.told('DeleteMessage', { QueueUrl: url, ReceiptHandle: a.ReceiptHandle }),
      '200',
    );
    assert.equal(server.broker.topic('orders')!.count, 1);
    server.clock.advance(60_000);
    const [again] = await server.receive(url);
    assert.deepEqual([again.MessageId, again.Body], [b.MessageId, 'b']);
  });

  test('has an id of its own in every queue, also one that was deleted and made again', async () => {
    await using server = await SqsServer.start();
    const ids = new Set<string>();
    for (const name of ['orders', 'other']) {
      const url = await server.queue(name);
      ids.add((await server.call('SendMessage', { QueueUrl: url, MessageBody: 'a' })).MessageId);
      ids.add((await server.call('SendMessage', { QueueUrl: url, MessageBody: 'a' })).MessageId);
      await server.call('DeleteQueue', { QueueUrl: url });
      await server.queue(name);
      ids.add((await server.call('SendMessage', { QueueUrl: url, MessageBody: 'a' })).MessageId);
    }
    assert.equal(ids.size, 6);
  });
});

describe('a body', () => {
  for (const [what, MessageBody, says] of [
    ['empty', '', '400 MissingParameter: The request must contain the parameter MessageBody.'],
    ['with a forbidden character', 'a\u0000', /^400 InvalidMessageContents: Invalid characters found/],
    ['with half a pair of surrogates', 'a\uD800', /^400 InvalidMessageContents/],
    [
      'that is too large',
      'x'.repeat(1025),
      '400 InvalidParameterValue: One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.',
    ],
  ] as const)
    test(`that is ${what} is refused`, async () => {
      await using server = await SqsServer.start();
      const QueueUrl = await server.queue('orders', { MaximumMessageSize: '1024' });
      const told = await server.told('SendMessage', { QueueUrl, MessageBody });
      if (typeof says === 'string') assert.equal(told, says);
      else assert.match(told, says);
    });

  test('may have a MiB, of which JSON makes more', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    const MessageBody = 'é'.repeat(2 ** 19);
    const escaped = JSON.stringify({ QueueUrl, MessageBody }).replaceAll('é', String.raw`\u00e9`);
    assert.equal(await server.told('SendMessage', escaped), '200');
    const [{ Body }] = await server.receive(QueueUrl);
    assert.equal(Body === MessageBody, true);
    assert.match(
      await server.told('SendMessage', { QueueUrl, MessageBody: `${MessageBody}!` }),
      /^400 InvalidParameterValue: .* Message must be shorter than 1048576 bytes\.$/,
    );
  });
});

describe('the attributes of a message', () => {
  const given = {
    colour: { DataType: 'String', StringValue: 'red' },
    price: { DataType: 'Number', StringValue: '12.50' },
    'price.unit': { DataType: 'String.currency', StringValue: 'EUR' },
    picture: { DataType: 'Binary.png', BinaryValue: Buffer.from([0, 1, 255]).toString('base64') },
    'sqs-origin': { DataType: 'String', StringValue: 'mine' },
  };

  test('come back exactly, and are headers for others', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    const sent = await server.call('SendMessage', { QueueUrl, MessageBody: 'a', MessageAttributes: given });
    const [message] = await server.receive(QueueUrl, { MessageAttributeNames: ['All'] });
    assert.deepEqual(message.MessageAttributes, given);
    assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
    const stored = await server.broker.topic('orders')!.partitions.at(0)!.get(0);
    const headers = stored!.headers.map(({ name, value }) => [name, Buffer.from(value!).toString('latin1')]);
    assert.deepEqual(headers.slice(-5), [
      ['colour', 'red'],
      ['price', '12.50'],
      ['price.unit', 'EUR'],
      ['picture', '\u0000\u0001\u00FF'],
      ['sqs-origin', 'mine'],
    ]);
    assert.deepEqual(
      headers.slice(0, -5).map(([name]) => name),
      ['sqs-attribute-types', 'sqs-origin'],
    );
  });

  for (const [names, expected] of [
    [['.*'], Object.keys(given)],
    [['colour', 'unknown'], ['colour']],
    [['price.*'], ['price.unit']],
    [
      ['price', 'picture'],
      ['price', 'picture'],
    ],
  ] as const)
    test(`that are asked for as ${names.join(' and ')}`, async () => {
      await using server = await SqsServer.start();
      const QueueUrl = await server.queue('orders');
      await server.call('SendMessage', { QueueUrl, MessageBody: 'a', MessageAttributes: given });
      const [message] = await server.receive(QueueUrl, { MessageAttributeNames: names });
      assert.deepEqual(Object.keys(message.MessageAttributes), expected);
    });

  test('have the hash of those that are returned', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    const colour = { colour: given.colour };
    const { MD5OfMessageAttributes } = await server.call('SendMessage', {
      QueueUrl,
      MessageBody: 'a',
      MessageAttributes: colour,
    });
    await server.receive(QueueUrl);
    await server.call('SendMessage', { QueueUrl, MessageBody: 'a', MessageAttributes: given });
    const [message] = await server.receive(QueueUrl, { MessageAttributeNames: ['colour'] });
    assert.equal(message.MD5OfMessageAttributes, MD5OfMessageAttributes);
    server.clock.advance(30_000);
    const [other] = await server.receive(QueueUrl, { MessageAttributeNames: ['none'] });
    assert.equal('MD5OfMessageAttributes' in other || 'MessageAttributes' in other, false);
  });

  for (const [what, attributes, says] of [
    [
      'no value',
      { a: { DataType: 'String' } },
      "attribute 'a' must contain a non-empty value of type 'String'",
    ],
    ['an empty value', { a: { DataType: 'Number', StringValue: '' } }, 'non-empty value of type'],
    ['a text for bytes', { a: { DataType: 'Binary', StringValue: 'x' } }, 'non-empty value of type'],
    ['another type', { a: { DataType: 'Float', StringValue: '1' } }, 'supported type prefixes'],
    ['no number', { a: { DataType: 'Number', StringValue: 'x' } }, 'to a number'],
    ['a reserved name', { 'AWS.a': { DataType: 'String', StringValue: '1' } }, 'reserved'],
    ['a dot at the end', { 'a.': { DataType: 'String', StringValue: '1' } }, 'end with'],
    ['a blank in its name', { 'a b': { DataType: 'String', StringValue: '1' } }, 'can only contain'],
    [
      'ten others',
      Object.fromEntries(
        Array.from({ length: 11 }, (_, at) => [`a${at}`, { DataType: 'String', StringValue: '1' }]),
      ),
      'Number of message attributes [11] exceeds the allowed maximum [10].',
    ],
  ] as const)
    test(`are refused with ${what}`, async () => {
      await using server = await SqsServer.start();
      const QueueUrl = await server.queue('orders');
      const told = await server.told('SendMessage', {
        QueueUrl,
        MessageBody: 'a',
        MessageAttributes: attributes,
      });
      assert.ok(told.startsWith('400 InvalidParameterValue: ') && told.includes(says), told);
    });

  test('of the system: AWSTraceHeader alone can be sent', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    const AWSTraceHeader = { DataType: 'String', StringValue: 'Root=1-5759e988' };
    const { MD5OfMessageSystemAttributes } = await server.call('SendMessage', {
      QueueUrl,
      MessageBody: 'a',
      MessageSystemAttributes: { AWSTraceHeader },
    });
    assert.match(MD5OfMessageSystemAttributes, /^[0-9a-f]{32}$/);
    const [message] = await server.receive(QueueUrl, {
      MessageSystemAttributeNames: ['AWSTraceHeader', 'SenderId'],
      MessageAttributeNames: ['All'],
    });
    assert.deepEqual(message.Attributes, { AWSTraceHeader: 'Root=1-5759e988', SenderId: '000000000000' });
    assert.equal('MessageAttributes' in message, false);
    const MessageSystemAttributes = { Other: AWSTraceHeader };
    assert.match(
      await server.told('SendMessage', { QueueUrl, MessageBody: 'a', MessageSystemAttributes }),
      /^400 InvalidParameterValue/,
    );
    assert.equal(
      await server.told('ReceiveMessage', { QueueUrl, AttributeNames: ['Colour'] }),
      '400 InvalidAttributeName: Unknown Attribute Colour.',
    );
  });
});

describe('a message of another protocol', () => {
  test('has headers as attributes, and its key as group', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.broker.topic('orders')!.send({
      key: 'orders.new',
      value: 'hello',
      headers: [
        { name: 'colour', value: Buffer.from('red') },
        { name: 'picture', value: Buffer.from([255]) },
      ],
    });
    const [message] = await server.receive(url, {
      AttributeNames: ['MessageGroupId'],
      MessageAttributeNames: ['All'],
    });
    assert.equal(message.Body, 'hello');
    assert.deepEqual(message.Attributes, { MessageGroupId: 'orders.new' });
    assert.deepEqual(message.MessageAttributes, {
      colour: { DataType: 'String', StringValue: 'red' },
      picture: { DataType: 'Binary', BinaryValue: '/w==' },
    });
  });

  test('that is no text has a body in base64, and an attribute that says so', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.broker.topic('orders')!.send({ value: Buffer.from([0, 255]) });
    const [message] = await server.receive(url, { MessageAttributeNames: ['All'] });
    assert.equal(message.Body, 'AP8=');
    assert.deepEqual(message.MessageAttributes, {
      'Content-Transfer-Encoding': { DataType: 'String', StringValue: 'base64' },
    });
  });
});

describe('a delay', () => {
  test('of a message, or of its queue, keeps it back', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders', { DelaySeconds: '5' });
    await server.call('SendMessage', { QueueUrl: url, MessageBody: 'now', DelaySeconds: 0 });
    const { MessageId } = await server.call('SendMessage', { QueueUrl: url, MessageBody: 'queue' });
    await server.call('SendMessage', { QueueUrl: url, MessageBody: 'own', DelaySeconds: 900 });
    assert.deepEqual(
      await server.attributes(url, 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesDelayed'),
      { ApproximateNumberOfMessages: '1', ApproximateNumberOfMessagesDelayed: '2' },
    );
    const sentMs = String(server.clock.now());
    assert.deepEqual(await server.bodies(url), ['now']);
    server.clock.advance(5_000);
    const [message] = await server.receive(url, { AttributeNames: ['SentTimestamp'], WaitTimeSeconds: 1 });
    assert.deepEqual(
      [message.Body, message.MessageId, message.Attributes.SentTimestamp],
      ['queue', MessageId, sentMs],
    );
    server.clock.advance(895_000);
    assert.equal((await server.bodies(url, { WaitTimeSeconds: 1 })).includes('own'), true);
    for (const DelaySeconds of [-1, 901])
      assert.match(
        await server.told('SendMessage', { QueueUrl: url, MessageBody: 'a', DelaySeconds }),
        /^400 InvalidParameterValue: Value .* for parameter DelaySeconds is invalid/,
      );
  });

  test('survives a restart', async () => {
    const first = await SqsServer.start();
    const url = await first.queue('orders');
    const input = { QueueUrl: url, MessageBody: 'later', DelaySeconds: 60 };
    const { MessageId } = await first.call('SendMessage', input);
    await using server = await first.restart();
    assert.deepEqual(await server.bodies(url), []);
    server.clock.advance(60_000);
    const [message] = await server.receive(url, { WaitTimeSeconds: 1 });
    assert.deepEqual([message.Body, message.MessageId], ['later', MessageId]);
  });
});

describe('a queue that is purged', () => {
  test('has nothing left: waiting, in flight, or delayed', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    await server.send(url, 'a', 'b');
    await server.receive(url, { MaxNumberOfMessages: 1 });
    await server.call('SendMessage', { QueueUrl: url, MessageBody: 'c', DelaySeconds: 60 });
    assert.equal(await server.told('PurgeQueue', { QueueUrl: url }), '200');
    const names = ['', 'Delayed', 'NotVisible'].map((name) => `ApproximateNumberOfMessages${name}`);
    assert.deepEqual(Object.values(await server.attributes(url, ...names)), ['0', '0', '0']);
    server.clock.advance(60_000);
    assert.deepEqual(await server.bodies(url), []);
  });
});

describe('the retention of a queue', () => {
  test('removes messages that are too old', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders', { MessageRetentionPeriod: '60' });
    await server.send(url, 'old');
    server.clock.advance(59_000);
    await server.send(url, 'new');
    server.clock.advance(1_500);
    assert.deepEqual(await server.bodies(url), ['new']);
  });
});
