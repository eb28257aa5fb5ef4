/** The AWS SDK for JavaScript, version 3: it checks the hashes of bodies and attributes itself. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { makeQueue, type Output, skip, sqsAt, type SqsClient } from './clients.ts';

describe('the AWS SDK', { skip }, () => {
  const server = useServer();
  const client = (): SqsClient => sqsAt(server().sqsPort);

  test('sends, receives and deletes', async () => {
    const sqs = client();
    const QueueUrl = await makeQueue(sqs, uniqueName('orders'));
    const MessageAttributes = {
      colour: { DataType: 'String', StringValue: 'red' },
      price: { DataType: 'Number', StringValue: '1.5' },
      picture: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
    };
    const MessageSystemAttributes = { AWSTraceHeader: { DataType: 'String', StringValue: 'Root=1-2-3' } };
    const sent = await sqs['sendMessage']!({
      QueueUrl,
      MessageBody: 'hello ✓ "quoted"\r\n',
      MessageAttributes,
      MessageSystemAttributes,
    });
    const { Messages } = await sqs['receiveMessage']!({
      QueueUrl,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
      WaitTimeSeconds: 5,
    });
    const [message] = Messages;
    assert.deepEqual(
      [message.Body, message.MessageId, message.MessageAttributes],
      ['hello ✓ "quoted"\r\n', sent.MessageId, MessageAttributes],
    );
    assert.equal(message.Attributes.AWSTraceHeader, 'Root=1-2-3');
    assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
    await sqs['deleteMessage']!({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
    const empty = await sqs['receiveMessage']!({ QueueUrl });
    assert.equal(empty.Messages, undefined);
  });

  test('sends and deletes in batches, with failures', async () => {
    const sqs = client();
    const QueueUrl = await makeQueue(sqs, uniqueName('orders'));
    const { Successful, Failed } = await sqs['sendMessageBatch']!({
      QueueUrl,
      Entries: [
        { Id: 'a', MessageBody: 'a' },
        { Id: 'b', MessageBody: '\u0001' },
      ],
    });
    assert.deepEqual([Successful.length, Failed.length, Failed[0].Code], [1, 1, 'InvalidMessageContents']);
    const { Messages } = await sqs['receiveMessage']!({ QueueUrl, MaxNumberOfMessages: 10 });
    const result = await sqs['deleteMessageBatch']!({
      QueueUrl,
      Entries: [{ Id: 'a', ReceiptHandle: Messages[0].ReceiptHandle }],
    });
    assert.deepEqual(result.Successful, [{ Id: 'a' }]);
  });

  test('gets errors with their names, codes and status', async () => {
    const sqs = client();
    const errorOf = (promise: Promise<Output>): Promise<Output> =>
      promise.then(
        () => assert.fail('succeeded'),
        (error: Output) => error,
      );
    const missing = await errorOf(sqs['getQueueUrl']!({ QueueName: uniqueName('none') }));
    assert.deepEqual(
      [missing.name, missing.Code, missing.message, missing.$metadata.httpStatusCode],
      [
        'QueueDoesNotExist',
        'AWS.SimpleQueueService.NonExistentQueue',
        'The specified queue does not exist.',
        400,
      ],
    );
    const QueueUrl = await makeQueue(sqs, uniqueName('orders'));
    const invalid = await errorOf(sqs['deleteMessage']!({ QueueUrl, ReceiptHandle: 'x' }));
    assert.deepEqual([invalid.name, invalid.$metadata.httpStatusCode], ['ReceiptHandleIsInvalid', 404]);
    const range = await errorOf(sqs['receiveMessage']!({ QueueUrl, MaxNumberOfMessages: 11 }));
    assert.match(range.message, /Value 11 for parameter MaxNumberOfMessages is invalid/);
  });

  test('waits for a message, and may give up', async () => {
    const sqs = client();
    const QueueUrl = await makeQueue(sqs, uniqueName('orders'));
    const waiting = sqs['receiveMessage']!({ QueueUrl, WaitTimeSeconds: 20 });
    await sqs['sendMessage']!({ QueueUrl, MessageBody: 'a' });
    const { Messages } = await waiting;
    assert.equal(Messages[0].Body, 'a');
    const aborting = new AbortController();
    const given = sqs['receiveMessage']!({ QueueUrl, WaitTimeSeconds: 20 }, { abortSignal: aborting.signal });
    aborting.abort();
    await assert.rejects(given, { name: 'AbortError' });
    await sqs['sendMessage']!({ QueueUrl, MessageBody: 'b' });
    const next = await sqs['receiveMessage']!({ QueueUrl, WaitTimeSeconds: 20 });
    assert.equal(next.Messages[0].Body, 'b');
  });

  test('uses FIFO queues, and what they repeat', async () => {
    const sqs = client();
    const name = uniqueName('orders');
    const QueueUrl = await makeQueue(sqs, `${name}.fifo`, { ContentBasedDeduplication: 'true' });
    const input = { QueueUrl, MessageBody: 'a', MessageGroupId: 'g' };
    const first = await sqs['sendMessage']!(input);
    const second = await sqs['sendMessage']!(input);
    assert.deepEqual([second.MessageId, second.SequenceNumber], [first.MessageId, first.SequenceNumber]);
    await sqs['sendMessage']!({ ...input, MessageBody: 'b' });
    const { Messages } = await sqs['receiveMessage']!({
      QueueUrl,
      MaxNumberOfMessages: 10,
      ReceiveRequestAttemptId: 'one',
    });
    assert.deepEqual(
      Messages.map(({ Body }: Output) => Body),
      ['a', 'b'],
    );
  });

  test('moves dead letters there and back', async () => {
    const sqs = client();
    const name = uniqueName('orders');
    const dead = await makeQueue(sqs, `${name}-dead`);
    const { Attributes } = await sqs['getQueueAttributes']!({ QueueUrl: dead, AttributeNames: ['QueueArn'] });
    const QueueUrl = await makeQueue(sqs, name, {
      VisibilityTimeout: '0',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: 1 }),
    });
    await sqs['sendMessage']!({ QueueUrl, MessageBody: 'poison' });
    await sqs['receiveMessage']!({ QueueUrl });
    const letter = await sqs['receiveMessage']!({
      QueueUrl: dead,
      WaitTimeSeconds: 20,
      VisibilityTimeout: 0,
    });
    assert.equal(letter.Messages[0].Body, 'poison');
    const { queueUrls } = await sqs['listDeadLetterSourceQueues']!({ QueueUrl: dead });
    assert.deepEqual(queueUrls, [QueueUrl]);
    await eventually(async () => {
      const { Attributes: figures } = await sqs['getQueueAttributes']!({
        QueueUrl: dead,
        AttributeNames: ['ApproximateNumberOfMessages'],
      });
      return figures.ApproximateNumberOfMessages === '1';
    });
    const SourceArn = Attributes.QueueArn;
    await sqs['startMessageMoveTask']!({ SourceArn });
    const back = await sqs['receiveMessage']!({ QueueUrl, WaitTimeSeconds: 20 });
    assert.equal(back.Messages[0].Body, 'poison');
    const { Results } = await sqs['listMessageMoveTasks']!({ SourceArn });
    assert.equal(Results[0].ApproximateNumberOfMessagesMoved, 1);
  });

  test('lists queues, tags them and purges one', async () => {
    const sqs = client();
    const name = uniqueName('orders');
    const QueueUrl = await makeQueue(sqs, name);
    await sqs['tagQueue']!({ QueueUrl, Tags: { team: 'a' } });
    assert.deepEqual((await sqs['listQueueTags']!({ QueueUrl })).Tags, { team: 'a' });
    await sqs['sendMessage']!({ QueueUrl, MessageBody: 'a' });
    await sqs['purgeQueue']!({ QueueUrl });
    assert.equal((await sqs['receiveMessage']!({ QueueUrl })).Messages, undefined);
    const { QueueUrls } = await sqs['listQueues']!({ QueueNamePrefix: name, MaxResults: 5 });
    assert.deepEqual(QueueUrls, [QueueUrl]);
  });

  test('finds its messages after a kill, and its handles', async () => {
    const sqs = client();
    const QueueUrl = await makeQueue(sqs, uniqueName('orders'));
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => sqs['sendMessage']!({ QueueUrl, MessageBody: String(at) })),
    );
    const { Messages } = await sqs['receiveMessage']!({ QueueUrl, MaxNumberOfMessages: 10 });
    await server().kill();
    await server().restart();
    const again = client();
    const Entries = Messages.map(({ ReceiptHandle }: Output, at: number) => ({
      Id: String(at),
      ReceiptHandle,
    }));
    const { Failed } = await again['deleteMessageBatch']!({ QueueUrl, Entries });
    assert.equal(Failed, undefined);
    const bodies = new Set<string>(Messages.map(({ Body }: Output) => Body));
    while (bodies.size < 20) {
      const { Messages: more = [] } = await again['receiveMessage']!({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 20,
      });
      for (const { Body } of more) bodies.add(Body);
    }
  });
});
