import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SqsServer } from '../sqs/sqs-kit.ts';
import { elements, messageAttributes, queueArn, SnsClient } from './sns-kit.ts';

test('a message reaches every queue that subscribes, in an envelope', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const urls = [await server.queue('a'), await server.queue('b')];
  const subscription = await sns.subscribe(topic, 'a');
  await sns.subscribe(topic, 'b');
  const id = await sns.publish(topic, 'héllo\r\n"x"', {
    Subject: 'News',
    ...messageAttributes({ colour: 'red', size: 4 }),
  });
  const [a] = await sns.envelopes(urls[0]!);
  const { Timestamp: timestamp, UnsubscribeURL: unsubscribe, ...rest } = a;
  assert.deepEqual(rest, {
    Type: 'Notification',
    MessageId: id,
    TopicArn: topic,
    Subject: 'News',
    Message: 'héllo\r\n"x"',
    SignatureVersion: '1',
    Signature: '',
    SigningCertURL: '',
    MessageAttributes: {
      colour: { Type: 'String', Value: 'red' },
      size: { Type: 'Number', Value: '4' },
    },
  });
  assert.equal(timestamp, new Date(server.clock.now()).toISOString());
  assert.equal(
    unsubscribe,
    `http://127.0.0.1:${server.port}/?Action=Unsubscribe&SubscriptionArn=${subscription}`,
  );
  const [b] = await sns.envelopes(urls[1]!);
  assert.equal(b.MessageId, id);
  // The URL in the envelope is good.
  assert.equal((await fetch(unsubscribe)).status, 200);
  await sns.publish(topic, 'again');
  assert.equal((await sns.envelopes(urls[0]!)).length, 0);
  assert.equal((await sns.envelopes(urls[1]!)).length, 1);
});

test('raw delivery gives the message itself, with its attributes', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const url = await server.queue('a');
  await sns.subscribe(topic, 'a', { RawMessageDelivery: 'true' });
  await sns.publish(topic, 'hello', { Subject: 's', ...messageAttributes({ colour: 'red', size: 4 }) });
  const [message] = await server.receive(url, { MessageAttributeNames: ['All'] });
  assert.equal(message.Body, 'hello');
  assert.deepEqual(message.MessageAttributes, {
    colour: { DataType: 'String', StringValue: 'red' },
    size: { DataType: 'Number', StringValue: '4' },
  });
});

test('a filter decides by attributes or by the body', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const [red, big] = [await server.queue('red'), await server.queue('big')];
  await sns.subscribe(topic, 'red', {
    RawMessageDelivery: 'true',
    FilterPolicy: JSON.stringify({ colour: ['red'] }),
  });
  await sns.subscribe(topic, 'big', {
    RawMessageDelivery: 'true',
    FilterPolicyScope: 'MessageBody',
    FilterPolicy: JSON.stringify({ order: { sum: [{ numeric: ['>', 100] }] } }),
  });
  await sns.publish(topic, '{"order":{"sum":150}}', messageAttributes({ colour: 'blue' }));
  await sns.publish(topic, '{"order":{"sum":50}}', messageAttributes({ colour: 'red' }));
  await sns.publish(topic, 'no JSON');
  assert.deepEqual(await server.bodies(big), ['{"order":{"sum":150}}']);
  assert.deepEqual(await server.bodies(red), ['{"order":{"sum":50}}']);
});

test('a message may have a text of its own for queues', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const url = await server.queue('a');
  await sns.subscribe(topic, 'a', { RawMessageDelivery: 'true' });
  const publish = (message: object): Promise<string> =>
    sns.told('Publish', { TopicArn: topic, MessageStructure: 'json', Message: JSON.stringify(message) });
  assert.equal(await publish({ default: 'd', sqs: 'q' }), '200');
  assert.equal(await publish({ default: 'd', email: 'e' }), '200');
  assert.equal(
    await publish({ sqs: 'q' }),
    '400 InvalidParameter: Invalid parameter: Message Structure - No default entry in JSON message body',
  );
  assert.deepEqual(await server.bodies(url), ['q', 'd']);
});

test('a batch publishes each entry for itself', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const url = await server.queue('a');
  await sns.subscribe(topic, 'a', { RawMessageDelivery: 'true' });
  const entry = (index: number, id: string, message: string): { readonly [name: string]: string } => ({
    [`PublishBatchRequestEntries.member.${index}.Id`]: id,
    [`PublishBatchRequestEntries.member.${index}.Message`]: message,
  });
  const body = await sns.call('PublishBatch', {
    TopicArn: topic,
    ...entry(1, 'x', 'one'),
    ...entry(2, 'y', 'two'),
    ...entry(3, 'z', 'three'),
    'PublishBatchRequestEntries.member.2.Subject': '\n',
  });
  assert.deepEqual(elements(body, 'Id'), ['x', 'z', 'y']);
  assert.deepEqual(elements(body, 'Code'), ['InvalidParameter']);
  assert.deepEqual(await server.bodies(url), ['one', 'three']);
  const told = (fields: { readonly [name: string]: string }): Promise<string> =>
    sns.told('PublishBatch', { TopicArn: topic, ...fields });
  assert.match(await told({}), /^400 EmptyBatchRequest: /);
  assert.match(
    await told({ ...entry(1, 'a', 'b'), ...entry(2, 'a', 'b') }),
    /^400 BatchEntryIdsNotDistinct: /,
  );
  assert.match(await told(entry(1, 'a b', 'b')), /^400 InvalidBatchEntryId: /);
  const eleven = Array.from({ length: 11 }, (_, index) => entry(index + 1, `i${index}`, 'b'));
  assert.match(await told(Object.assign({}, ...eleven) as {}), /^400 TooManyEntriesInBatchRequest: /);
  const large = 'x'.repeat(200_000);
  assert.match(
    await told({ ...entry(1, 'a', large), ...entry(2, 'b', large) }),
    /^400 BatchRequestTooLong: /,
  );
});

test('a FIFO topic keeps order, group and deduplication', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events.fifo');
  const url = await server.queue('a.fifo');
  await sns.subscribe(topic, 'a.fifo');
  const publish = async (message: string, id: string): Promise<{ id: string; sequence: string }> => {
    const body = await sns.call('Publish', {
      TopicArn: topic,
      Message: message,
      MessageGroupId: 'g',
      MessageDeduplicationId: id,
    });
    return { id: elements(body, 'MessageId')[0]!, sequence: elements(body, 'SequenceNumber')[0]! };
  };
  const one = await publish('one', '1');
  const two = await publish('two', '2');
  assert.deepEqual(await publish('one again', '1'), one);
  assert.match(one.sequence, /^\d{20}$/);
  assert.ok(two.sequence > one.sequence);
  const received = await server.receive(url, { AttributeNames: ['All'] });
  const envelopes = received.map(({ Body }) => JSON.parse(Body));
  assert.deepEqual(
    envelopes.map(({ Message, MessageId, SequenceNumber }) => [Message, MessageId, SequenceNumber]),
    [
      ['one', one.id, one.sequence],
      ['two', two.id, two.sequence],
    ],
  );
  assert.equal('Signature' in envelopes[0], false);
  assert.deepEqual(
    received.map(({ Attributes }) => [Attributes.MessageGroupId, Attributes.MessageDeduplicationId]),
    [
      ['g', '1'],
      ['g', '2'],
    ],
  );
});

test('a repeated message of a FIFO topic is the first one, even after a restart', async () => {
  const first = await SqsServer.start();
  const sns = new SnsClient(first);
  const topic = await sns.topic('events.fifo', { ContentBasedDeduplication: 'true' });
  await first.queue('a.fifo');
  await first.queue('b');
  for (const queue of ['a.fifo', 'b']) await sns.subscribe(topic, queue, { RawMessageDelivery: 'true' });
  const one = { TopicArn: topic, Message: 'one', MessageGroupId: 'g' };
  const told = await sns.call('Publish', one);
  assert.equal((await first.call('ListQueues')).QueueUrls.length, 2, 'the ledger is not shown');
  await using second = await first.restart();
  sns.server = second;
  const again = await sns.call('Publish', one);
  for (const name of ['MessageId', 'SequenceNumber'])
    assert.deepEqual(elements(again, name), elements(told, name));
  await sns.publish(topic, 'two', { MessageGroupId: 'g' });
  assert.deepEqual(await second.bodies(await second.queue('a.fifo')), ['one', 'two']);
  assert.deepEqual(await second.bodies(await second.queue('b')), ['one', 'two'], 'a standard queue');
  second.clock.advance(300_000);
  const later = await sns.call('Publish', one);
  assert.notDeepEqual(elements(later, 'MessageId'), elements(told, 'MessageId'));
});

test('a queue that cannot take a message leaves it to the dead-letter queue of its subscription', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const letters = await server.queue('letters');
  const other = await server.queue('other');
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn('letters') });
  // The queue does not exist.
  await sns.subscribe(topic, 'missing', { RawMessageDelivery: 'true', RedrivePolicy });
  await sns.subscribe(topic, 'missing-too', { RawMessageDelivery: 'true' });
  await sns.subscribe(topic, 'other', { RawMessageDelivery: 'true' });
  await sns.publish(topic, 'lost');
  assert.deepEqual(await server.bodies(letters), ['lost']);
  assert.deepEqual(await server.bodies(other), ['lost']);
});

test('more attributes than SQS allows are for envelopes', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const [all, raw, letters] = [
    await server.queue('all'),
    await server.queue('raw'),
    await server.queue('letters'),
  ];
  await sns.subscribe(topic, 'all');
  await sns.subscribe(topic, 'raw', {
    RawMessageDelivery: 'true',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: queueArn('letters') }),
  });
  const attributes = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`a${index}`, index + 1]));
  await sns.publish(topic, 'm', messageAttributes(attributes));
  const [envelope] = await sns.envelopes(all);
  assert.equal(Object.keys(envelope.MessageAttributes).length, 11);
  assert.deepEqual(await server.bodies(raw), []);
  // The dead-letter queue could not take the raw message either.
  const [letter] = await sns.envelopes(letters);
  assert.equal(Object.keys(letter.MessageAttributes).length, 11);
});

test('the letters of two subscriptions are no duplicates in a FIFO dead-letter queue', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events.fifo', { ContentBasedDeduplication: 'true' });
  const letters = await server.queue('letters.fifo');
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn('letters.fifo') });
  for (const queue of ['a.fifo', 'b.fifo'])
    await sns.subscribe(topic, queue, { RawMessageDelivery: 'true', RedrivePolicy });
  await sns.publish(topic, 'm', { MessageGroupId: 'g' });
  assert.deepEqual(await server.bodies(letters), ['m', 'm']);
});

test('a full queue refuses the publish for all, unless it has a dead-letter queue', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const other = await server.queue('other');
  await server.broker.createTopic({ name: 'full', messagesMax: 1, overflow: 'reject' });
  await sns.subscribe(topic, 'other', { RawMessageDelivery: 'true' });
  const subscription = await sns.subscribe(topic, 'full', { RawMessageDelivery: 'true' });
  await sns.publish(topic, 'one');
  assert.match(await sns.told('Publish', { TopicArn: topic, Message: 'two' }), /^400 Throttling: /);
  assert.deepEqual(await server.bodies(other), ['one']);
  const letters = await server.queue('letters');
  await sns.call('SetSubscriptionAttributes', {
    SubscriptionArn: subscription,
    AttributeName: 'RedrivePolicy',
    AttributeValue: JSON.stringify({ deadLetterTargetArn: queueArn('letters') }),
  });
  await sns.publish(topic, 'three');
  assert.deepEqual(await server.bodies(other), ['three']);
  assert.deepEqual(await server.bodies(letters), ['three']);
});

test('what cannot be published is told in the words of SNS', async () => {
  await using server = await SqsServer.start();
  const sns = new SnsClient(server);
  const topic = await sns.topic('events');
  const fifo = await sns.topic('events.fifo');
  const told = (fields: { readonly [name: string]: string }): Promise<string> =>
    sns.told('Publish', { TopicArn: topic, Message: 'm', ...fields });
  assert.equal(await told({}), '200');
  const cases: readonly [{ readonly [name: string]: string }, string][] = [
    [
      { TopicArn: 'x' },
      '400 InvalidParameter: Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1',
    ],
    [{ TopicArn: `${topic}s` }, '404 NotFound: Topic does not exist'],
    [{ TopicArn: queueArn('q') }, '400 InvalidParameter: Invalid parameter: TopicArn'],
    [
      { Message: '' },
      "400 ValidationError: 1 validation error detected: Value null at 'message' failed to satisfy constraint: Member must not be null",
    ],
    [{ Message: 'x'.repeat(262_145) }, '400 InvalidParameter: Invalid parameter: Message too long'],
    [{ Subject: 'x'.repeat(101) }, '400 InvalidParameter: Invalid parameter: Subject'],
    [{ MessageStructure: 'xml' }, '400 InvalidParameter: Invalid parameter: MessageStructure'],
    [
      { MessageDeduplicationId: 'd' },
      '400 InvalidParameter: Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type',
    ],
    [
      { TopicArn: fifo },
      '400 InvalidParameter: Invalid parameter: The MessageGroupId parameter is required for FIFO topics',
    ],
    [
      { TopicArn: fifo, MessageGroupId: 'g' },
      '400 InvalidParameter: Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    ],
    [
      messageAttributes({ a: '' }),
      "400 ParameterValueInvalid: Message (user) attribute 'a' must contain a non-empty value of type 'String'.",
    ],
  ];
  for (const [fields, expected] of cases) assert.equal(await told(fields), expected);
  assert.equal(
    await sns.told('Publish', { Message: 'm' }),
    '400 InvalidParameter: Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter',
  );
  assert.equal(await sns.told('Publish', { Message: 'm', TargetArn: topic }), '200');
});
