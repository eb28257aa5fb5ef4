import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { describe, test } from 'node:test';
import { SqsServer } from './sqs-kit.ts';

describe('a queue', () => {
  test('is created, found and deleted', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    assert.equal(url, `http://127.0.0.1:${server.port}/000000000000/orders`);
    assert.deepEqual(await server.call('GetQueueUrl', { QueueName: 'orders' }), { QueueUrl: url });
    assert.deepEqual(await server.call('ListQueues'), { QueueUrls: [url] });
    assert.equal(await server.told('DeleteQueue', { QueueUrl: url }), '200');
    assert.deepEqual(await server.call('ListQueues'), {});
    assert.equal(
      await server.told('GetQueueUrl', { QueueName: 'orders' }),
      '400 AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist.',
    );
  });

  test('is a topic with the group default, which has what its attributes say', async () => {
    await using server = await SqsServer.start();
    await server.queue('orders', { VisibilityTimeout: '12', MessageRetentionPeriod: '600' });
    const { config, groups } = server.broker.topic('orders')!;
    assert.deepEqual([config.retention, config.ageMsMax], ['queue', 600_000]);
    const { ackWaitMs, redeliverAfterRestart, maxInFlight } = groups.get('default')!.config;
    assert.deepEqual([ackWaitMs, redeliverAfterRestart, maxInFlight], [12_000, 'at-deadline', 120_000]);
  });

  test('is created again, if no attribute differs', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders', { DelaySeconds: '5' });
    assert.equal(await server.queue('orders'), url);
    assert.equal(await server.queue('orders', { DelaySeconds: '5', VisibilityTimeout: '30' }), url);
    assert.equal(
      await server.told('CreateQueue', { QueueName: 'orders', Attributes: { DelaySeconds: '6' } }),
      '400 QueueAlreadyExists: A queue already exists with the same name and a different value for attribute DelaySeconds',
    );
  });

  test('is created and purged again at once, or after the waits of AWS where these are set', async () => {
    await using server = await SqsServer.start({ waits: { purgeMs: 60_000, recreateMs: 60_000 } });
    const QueueUrl = await server.queue('orders');
    assert.equal(await server.told('PurgeQueue', { QueueUrl }), '200');
    const purgedLately =
      '403 AWS.SimpleQueueService.PurgeQueueInProgress: Only one PurgeQueue operation on orders is allowed every 60 seconds.';
    server.clock.advance(59_999);
    assert.equal(await server.told('PurgeQueue', { QueueUrl }), purgedLately);
    server.clock.advance(1);
    assert.equal(await server.told('PurgeQueue', { QueueUrl }), '200');
    await server.call('DeleteQueue', { QueueUrl });
    server.clock.advance(59_999);
    assert.equal(
      await server.told('CreateQueue', { QueueName: 'orders' }),
      '400 AWS.SimpleQueueService.QueueDeletedRecently: You must wait 60 seconds after deleting a queue before you can create another with the same name.',
    );
    await server.queue('others');
    server.clock.advance(1);
    assert.equal(await server.told('CreateQueue', { QueueName: 'orders' }), '200');
    assert.equal(await server.told('PurgeQueue', { QueueUrl }), '200', 'it is another queue');
    await using usual = await SqsServer.start();
    for (const action of ['CreateQueue', 'PurgeQueue', 'PurgeQueue', 'DeleteQueue', 'CreateQueue'])
      assert.equal(await usual.told(action, { QueueName: 'orders', QueueUrl }), '200', action);
  });

  test('is created once by clients that ask at the same time', async () => {
    await using server = await SqsServer.start();
    const urls = await Promise.all(Array.from({ length: 5 }, () => server.queue('orders')));
    assert.equal(new Set(urls).size, 1);
  });

  for (const [name, isFifo] of [
    ['', false],
    ['a b', false],
    ['orders.new', false],
    ['orders.fifo', false],
    ['x'.repeat(81), false],
    ['orders', true],
  ] as const)
    test(`is not created with the name "${name.slice(0, 20)}"${isFifo ? ' as a FIFO queue' : ''}`, async () => {
      await using server = await SqsServer.start();
      const input = { QueueName: name, Attributes: isFifo ? { FifoQueue: 'true' } : {} };
      assert.match(await server.told('CreateQueue', input), /^400 (InvalidParameterValue|MissingParameter)/);
      assert.deepEqual(await server.call('ListQueues'), {});
    });

  test('has the account of an access key of twelve digits, and the region of its scope', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const { body } = await server.ask(
      'GetQueueAttributes',
      { QueueUrl: url, AttributeNames: ['QueueArn'] },
      { authorization: 'AWS4-HMAC-SHA256 Credential=123456789012/20261201/eu-west-1/sqs/aws4_request, x' },
    );
    assert.deepEqual(body, { Attributes: { QueueArn: 'arn:aws:sqs:eu-west-1:123456789012:orders' } });
  });

  test('has the region of a host below localhost', async () => {
    await using server = await SqsServer.start();
    await server.queue('orders');
    const body = JSON.stringify({
      QueueUrl: `http://eu-west-1.queue.localhost:${server.port}/000000000000/orders`,
      AttributeNames: ['QueueArn'],
    });
    for (const host of ['sqs.eu-west-1.localhost:9324', 'eu-west-1.queue.localhost']) {
      const answer = await new Promise<string>((resolve, reject) => {
        const headers = { host, 'x-amz-target': 'AmazonSQS.GetQueueAttributes' };
        const request = httpRequest({ port: server.port, method: 'POST', headers }, (response) => {
          response.setEncoding('utf8').once('data', resolve);
        });
        request.once('error', reject).end(body);
      });
      assert.match(answer, /"arn:aws:sqs:eu-west-1:000000000000:orders"/);
    }
  });

  test('has a URL with the host by which the client came', async () => {
    await using server = await SqsServer.start();
    await server.queue('orders');
    const response = await fetch(`http://localhost:${server.port}/`, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.GetQueueUrl' },
      body: '{"QueueName":"orders"}',
    });
    assert.deepEqual(await response.json(), {
      QueueUrl: `http://localhost:${server.port}/000000000000/orders`,
    });
  });

  test('is addressed by any URL whose path ends in its name', async () => {
    await using server = await SqsServer.start();
    await server.queue('orders');
    for (const url of [
      'http://localhost:4566/000000000000/orders',
      'https://sqs.us-east-1.amazonaws.com/123456789012/orders',
      'http://localhost:4566/queue/us-east-1/000000000000/orders',
      '/000000000000/orders',
    ])
      assert.equal(await server.told('SendMessage', { QueueUrl: url, MessageBody: 'a' }), '200', url);
    assert.equal(
      await server.told('SendMessage', { QueueUrl: 'orders', MessageBody: 'a' }),
      '404 InvalidAddress: The address orders is not valid for this endpoint.',
    );
  });
});

describe('the list of queues', () => {
  test('has pages, if a number is given', async () => {
    await using server = await SqsServer.start();
    for (const name of ['b', 'a', 'c', 'other', 'd']) await server.queue(name);
    const seen: string[] = [];
    for (let next: object | undefined = {}; next !== undefined;) {
      const { QueueUrls, NextToken } = await server.call('ListQueues', { MaxResults: 2, ...next });
      assert.ok(QueueUrls.length <= 2);
      seen.push(...QueueUrls.map((url: string) => url.slice(url.lastIndexOf('/') + 1)));
      next = NextToken === undefined ? undefined : { NextToken };
    }
    assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'other']);
    const { QueueUrls } = await server.call('ListQueues', { QueueNamePrefix: 'o' });
    assert.equal(QueueUrls.length, 1);
    assert.match(await server.told('ListQueues', { MaxResults: 1001 }), /^400 InvalidParameterValue/);
    assert.match(await server.told('ListQueues', { NextToken: '!' }), /^400 InvalidParameterValue/);
  });

  test('shows a topic of another protocol, whose name is escaped', async () => {
    await using server = await SqsServer.start();
    await server.broker.createTopic({ name: 'orders.eu' });
    const { QueueUrls } = await server.call('ListQueues');
    const url = `http://127.0.0.1:${server.port}/000000000000/escaped-orders_2eeu`;
    assert.deepEqual(QueueUrls, [url]);
    await server.send(url, 'hello');
    assert.deepEqual(await server.bodies(url), ['hello']);
    assert.equal(server.broker.topic('orders.eu')!.count, 1);
  });
});

describe('the attributes of a queue', () => {
  test('have defaults', async () => {
    await using server = await SqsServer.start();
    const { CreatedTimestamp, LastModifiedTimestamp, ...rest } = await server.attributes(
      await server.queue('orders'),
    );
    assert.equal(CreatedTimestamp, LastModifiedTimestamp);
    assert.deepEqual(rest, {
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesDelayed: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
      DelaySeconds: '0',
      MaximumMessageSize: '1048576',
      MessageRetentionPeriod: '345600',
      QueueArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
      ReceiveMessageWaitTimeSeconds: '0',
      SqsManagedSseEnabled: 'true',
      VisibilityTimeout: '30',
    });
  });

  test('are more in a FIFO queue', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { ContentBasedDeduplication: 'true' });
    const names = ['FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'];
    assert.deepEqual(await server.attributes(url, ...names), {
      FifoQueue: 'true',
      ContentBasedDeduplication: 'true',
      DeduplicationScope: 'queue',
      FifoThroughputLimit: 'perQueue',
    });
  });

  test('are changed, and the topic and its group with them', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const changed = { DelaySeconds: '420', VisibilityTimeout: '69', MessageRetentionPeriod: '60' };
    await server.call('SetQueueAttributes', { QueueUrl: url, Attributes: changed });
    assert.deepEqual(await server.attributes(url, ...Object.keys(changed)), changed);
    const topic = server.broker.topic('orders')!;
    assert.deepEqual(
      [topic.config.ageMsMax, topic.groups.get('default')!.config.ackWaitMs],
      [60_000, 69_000],
    );
  });

  test('show what another client has changed in the topic', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    const topic = server.broker.topic('orders')!;
    await topic.update({ ...topic.config, ageMsMax: 90_000 });
    const group = topic.groups.get('default')!;
    await group.update({ ...group.config, ackWaitMs: 7_000 });
    assert.deepEqual(await server.attributes(url, 'MessageRetentionPeriod', 'VisibilityTimeout'), {
      MessageRetentionPeriod: '90',
      VisibilityTimeout: '7',
    });
  });

  test('survive a restart', async () => {
    const first = await SqsServer.start();
    const url = await first.queue('orders', { DelaySeconds: '1', VisibilityTimeout: '0' });
    await first.call('TagQueue', { QueueUrl: url, Tags: { team: 'a' } });
    await using server = await first.restart();
    assert.deepEqual(await server.attributes(url, 'DelaySeconds', 'VisibilityTimeout'), {
      DelaySeconds: '1',
      VisibilityTimeout: '0',
    });
    assert.deepEqual(await server.call('ListQueueTags', { QueueUrl: url }), { Tags: { team: 'a' } });
  });

  test('are not asked for: none is shown', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders');
    assert.deepEqual(await server.call('GetQueueAttributes', { QueueUrl: url }), {});
  });

  for (const [attributes, says] of [
    [{ Colour: 'red' }, '400 InvalidAttributeName: Unknown Attribute Colour.'],
    [{ QueueArn: 'x' }, '400 InvalidAttributeName: Unknown Attribute QueueArn.'],
    [{ FifoQueue: 'false' }, '400 InvalidAttributeName: Unknown Attribute FifoQueue.'],
    [
      { ContentBasedDeduplication: 'true' },
      '400 InvalidAttributeName: Unknown Attribute ContentBasedDeduplication.',
    ],
    [
      { DeduplicationScope: 'queue' },
      '400 InvalidAttributeName: You can specify the DeduplicationScope only when FifoQueue is set to true.',
    ],
    [{ DelaySeconds: '901' }, '400 InvalidAttributeValue: Invalid value for the parameter DelaySeconds.'],
    [{ DelaySeconds: '-1' }, '400 InvalidAttributeValue: Invalid value for the parameter DelaySeconds.'],
    [{ DelaySeconds: '1.5' }, '400 InvalidAttributeValue: Invalid value for the parameter DelaySeconds.'],
    [
      { MaximumMessageSize: '1023' },
      '400 InvalidAttributeValue: Invalid value for the parameter MaximumMessageSize.',
    ],
    [
      { VisibilityTimeout: '43201' },
      '400 InvalidAttributeValue: Invalid value for the parameter VisibilityTimeout.',
    ],
    [
      { SqsManagedSseEnabled: 'yes' },
      '400 InvalidAttributeValue: Invalid value for the parameter SqsManagedSseEnabled.',
    ],
  ] as const)
    test(`are refused: ${JSON.stringify(attributes)}`, async () => {
      await using server = await SqsServer.start();
      assert.equal(await server.told('CreateQueue', { QueueName: 'orders', Attributes: attributes }), says);
      const url = await server.queue('orders');
      assert.equal(await server.told('SetQueueAttributes', { QueueUrl: url, Attributes: attributes }), says);
    });

  test('cannot make a FIFO queue a standard one', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo');
    assert.equal(
      await server.told('SetQueueAttributes', { QueueUrl: url, Attributes: { FifoQueue: 'false' } }),
      '400 InvalidAttributeValue: Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.',
    );
  });
});

describe('the encryption of a queue', () => {
  test('is of one kind: that which was named last', async () => {
    await using server = await SqsServer.start();
    const kms = { KmsMasterKeyId: 'key', KmsDataKeyReusePeriodSeconds: '6000' };
    const url = await server.queue('orders', kms);
    const shown = (): Promise<object> =>
      server.attributes(url, 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled');
    assert.deepEqual(await shown(), { ...kms, SqsManagedSseEnabled: 'false' });
    const Attributes = { SqsManagedSseEnabled: 'true' };
    await server.call('SetQueueAttributes', { QueueUrl: url, Attributes });
    assert.deepEqual(await shown(), Attributes);
  });
});

describe('the tags of a queue', () => {
  test('come with the queue, which in JSON is "tags", and change', async () => {
    await using server = await SqsServer.start();
    const { QueueUrl } = await server.call('CreateQueue', { QueueName: 'orders', tags: { a: '1', b: '2' } });
    await server.call('TagQueue', { QueueUrl, Tags: { b: '3', c: '' } });
    await server.call('UntagQueue', { QueueUrl, TagKeys: ['a', 'unknown'] });
    assert.deepEqual(await server.call('ListQueueTags', { QueueUrl }), { Tags: { b: '3', c: '' } });
  });

  test('are fifty at most', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    const tags = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, 'x']));
    assert.equal(await server.told('TagQueue', { QueueUrl, Tags: tags(50) }), '200');
    assert.match(await server.told('TagQueue', { QueueUrl, Tags: { more: 'x' } }), /Maximum allowed is 50/);
  });
});
