import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SqsServer } from './sqs-kit.ts';

const entries = (count: number, MessageBody = 'a'): object[] =>
  Array.from({ length: count }, (_, at) => ({ Id: `m${at}`, MessageBody }));

describe('a batch', () => {
  test('of messages is one commit, and each entry succeeds or fails by itself', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders', { MaximumMessageSize: '1024' });
    const { commits } = server.broker.stats().log;
    const { Successful, Failed } = await server.call('SendMessageBatch', {
      QueueUrl,
      Entries: [
        ...entries(3),
        { Id: 'large', MessageBody: 'x'.repeat(1025) },
        { Id: 'odd', MessageBody: '\u0001' },
        { Id: 'late', MessageBody: 'a', DelaySeconds: 901 },
      ],
    });
    assert.equal(server.broker.stats().log.commits - commits, 1);
    assert.deepEqual(
      Successful.map(({ Id }: { Id: string }) => Id),
      ['m0', 'm1', 'm2'],
    );
    assert.equal(new Set(Successful.map(({ MessageId }: { MessageId: string }) => MessageId)).size, 3);
    assert.deepEqual(Failed[0], {
      Id: 'large',
      SenderFault: true,
      Code: 'InvalidParameterValue',
      Message: 'One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.',
    });
    assert.deepEqual(
      Failed.slice(1).map(({ Id, Code }: { Id: string; Code: string }) => [Id, Code]),
      [
        ['odd', 'InvalidMessageContents'],
        ['late', 'InvalidParameterValue'],
      ],
    );
    assert.equal((await server.receive(QueueUrl)).length, 3);
  });

  test('without failures has no Failed, and the other way round', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    const good = await server.call('SendMessageBatch', { QueueUrl, Entries: entries(1) });
    assert.deepEqual(Object.keys(good), ['Successful']);
    const bad = await server.call('SendMessageBatch', { QueueUrl, Entries: entries(1, '\u0001') });
    assert.deepEqual(Object.keys(bad), ['Failed']);
  });

  for (const [what, given, says] of [
    [
      'no entries',
      [],
      '400 AWS.SimpleQueueService.EmptyBatchRequest: There should be at least one SendMessageBatchRequestEntry in the request.',
    ],
    [
      'more than ten entries',
      entries(11),
      '400 AWS.SimpleQueueService.TooManyEntriesInBatchRequest: Maximum number of entries per request are 10. You have sent 11.',
    ],
    [
      'an id twice',
      [...entries(1), ...entries(1)],
      '400 AWS.SimpleQueueService.BatchEntryIdsNotDistinct: Id m0 repeated.',
    ],
    [
      'an id that does not fit',
      [{ Id: 'a b', MessageBody: 'a' }],
      '400 AWS.SimpleQueueService.InvalidBatchEntryId: A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    ],
    [
      'an entry without a body',
      [{ Id: 'a' }],
      '400 MissingParameter: The request must contain the parameter SendMessageBatchRequestEntry.1.MessageBody.',
    ],
    [
      'more than a MiB',
      [...entries(1, 'x'.repeat(2 ** 20)), { Id: 'more', MessageBody: 'x' }],
      '400 AWS.SimpleQueueService.BatchRequestTooLong: Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.',
    ],
  ] as const)
    test(`with ${what} is refused`, async () => {
      await using server = await SqsServer.start();
      const QueueUrl = await server.queue('orders');
      assert.equal(await server.told('SendMessageBatch', { QueueUrl, Entries: given }), says);
      assert.equal(server.broker.topic('orders')!.count, 0);
    });

  test('of receipt handles deletes messages, or changes their timeouts', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    await server.send(QueueUrl, 'a', 'b', 'c');
    const [a, b] = await server.receive(QueueUrl);
    const bad = { Id: 'bad', ReceiptHandle: 'x' };
    const removed = await server.call('DeleteMessageBatch', {
      QueueUrl,
      Entries: [{ Id: 'a', ReceiptHandle: a.ReceiptHandle }, bad],
    });
    const Failed = [
      {
        Id: 'bad',
        SenderFault: true,
        Code: 'ReceiptHandleIsInvalid',
        Message: 'The input receipt handle "x" is not a valid receipt handle.',
      },
    ];
    assert.deepEqual(removed, { Successful: [{ Id: 'a' }], Failed });
    const changed = await server.call('ChangeMessageVisibilityBatch', {
      QueueUrl,
      Entries: [{ Id: 'b', ReceiptHandle: b.ReceiptHandle, VisibilityTimeout: 0 }, bad],
    });
    assert.deepEqual(changed, { Successful: [{ Id: 'b' }], Failed });
    assert.deepEqual(await server.bodies(QueueUrl), ['b']);
    assert.equal(server.broker.topic('orders')!.count, 2);
  });
});
