import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../../support/index.ts';
import { type Body, SqsServer } from './sqs-kit.ts';

const arnOf = (queue: string): string => `arn:aws:sqs:us-east-1:000000000000:${queue}`;
const policy = (queue: string, maxReceiveCount: unknown): { readonly RedrivePolicy: string } => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(queue), maxReceiveCount }),
});

/** A queue and its dead-letter queue, which gets messages after one receive. */
async function pair(
  server: SqsServer,
  suffix = '',
): Promise<{ readonly url: string; readonly dead: string }> {
  const dead = await server.queue(`dead${suffix}`);
  const url = await server.queue(`orders${suffix}`, {
    ...policy(`dead${suffix}`, 1),
    VisibilityTimeout: '10',
  });
  return { url, dead };
}

/** Receives messages that nobody deletes, so that they become dead letters. */
async function bury(server: SqsServer, url: string, count: number, queue = 'dead'): Promise<void> {
  const topic = server.broker.topic(queue)!;
  const before = topic.count;
  for (let left = count; left > 0;) left -= (await server.receive(url)).length;
  server.clock.advance(10_000);
  await eventually(() => topic.count === before + count);
}

describe('a redrive policy', () => {
  test('moves a message that was received too often, with its id, body, attributes and time', async () => {
    await using server = await SqsServer.start();
    await server.queue('dead');
    const url = await server.queue('orders', { ...policy('dead', 2), VisibilityTimeout: '10' });
    const MessageAttributes = { colour: { DataType: 'String.x', StringValue: 'red' } };
    const input = { QueueUrl: url, MessageBody: 'poison', MessageGroupId: 'tenant', MessageAttributes };
    const { MessageId } = await server.call('SendMessage', input);
    const sentMs = String(server.clock.now());
    assert.deepEqual(await server.bodies(url), ['poison']);
    server.clock.advance(10_000);
    const [{ ReceiptHandle }] = await server.receive(url);
    await server.call('ChangeMessageVisibility', { QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 });
    const dead = await server.call('GetQueueUrl', { QueueName: 'dead' });
    const [letter] = await server.receive(dead.QueueUrl, {
      WaitTimeSeconds: 20,
      AttributeNames: ['DeadLetterQueueSourceArn', 'SentTimestamp', 'MessageGroupId'],
      MessageAttributeNames: ['All'],
    });
    assert.deepEqual(
      [letter.MessageId, letter.Body, letter.MessageAttributes],
      [MessageId, 'poison', MessageAttributes],
    );
    assert.deepEqual(letter.Attributes, {
      DeadLetterQueueSourceArn: arnOf('orders'),
      SentTimestamp: sentMs,
      MessageGroupId: 'tenant',
    });
    assert.deepEqual(await server.bodies(url), []);
    assert.equal(server.broker.topic('orders')!.count, 0);
  });

  test('is the configuration of the group, and goes with the attribute', async () => {
    await using server = await SqsServer.start();
    const { url } = await pair(server);
    const group = server.broker.topic('orders')!.groups.get('default')!;
    assert.equal(group.config.maxDeliver, 1);
    assert.deepEqual(group.config.deadLetter, { to: 'dead', causes: ['max-deliveries', 'rejected'] });
    await server.call('SetQueueAttributes', { QueueUrl: url, Attributes: { RedrivePolicy: '' } });
    assert.equal(group.config.maxDeliver, undefined);
    assert.equal(group.config.deadLetter, undefined);
    assert.deepEqual(await server.attributes(url, 'RedrivePolicy'), undefined);
  });

  test('of a topic of another protocol gives it a group', async () => {
    await using server = await SqsServer.start();
    const dead = await server.queue('dead');
    await server.broker.createTopic({ name: 'events' });
    const { QueueUrl } = await server.call('GetQueueUrl', { QueueName: 'events' });
    await server.call('SetQueueAttributes', { QueueUrl, Attributes: policy('dead', '1') });
    await server.send(QueueUrl, 'a');
    await server.receive(QueueUrl, { VisibilityTimeout: 5 });
    server.clock.advance(5_000);
    assert.deepEqual(await server.bodies(dead, { WaitTimeSeconds: 20 }), ['a']);
  });

  for (const [what, RedrivePolicy, says] of [
    ['no JSON', 'x', 'Redrive policy is not a valid JSON map.'],
    ['no count', JSON.stringify({ deadLetterTargetArn: arnOf('dead') }), 'attribute: maxReceiveCount.'],
    ['no target', JSON.stringify({ maxReceiveCount: 1 }), 'attribute: deadLetterTargetArn.'],
    [
      'a count of 0',
      policy('dead', 0).RedrivePolicy,
      'Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.',
    ],
    ['a count of 1001', policy('dead', '1001').RedrivePolicy, 'from 1 to 1000'],
    ['another target', policy('unknown', 1).RedrivePolicy, 'Dead letter target does not exist.'],
    ['itself as target', policy('orders', 1).RedrivePolicy, 'another queue'],
    ['a FIFO queue as target', policy('dead.fifo', 1).RedrivePolicy, 'must be same type of queue'],
    ['a target that denies', policy('denying', 1).RedrivePolicy, 'does not allow this queue'],
    ['a target that allows others', policy('choosy', 1).RedrivePolicy, 'does not allow this queue'],
  ] as const)
    test(`with ${what} is refused`, async () => {
      await using server = await SqsServer.start();
      await server.queue('dead');
      await server.queue('dead.fifo');
      await server.queue('denying', { RedriveAllowPolicy: '{"redrivePermission":"denyAll"}' });
      const allowed = { redrivePermission: 'byQueue', sourceQueueArns: [arnOf('other')] };
      await server.queue('choosy', { RedriveAllowPolicy: JSON.stringify(allowed) });
      const url = await server.queue('orders');
      const told = await server.told('SetQueueAttributes', { QueueUrl: url, Attributes: { RedrivePolicy } });
      assert.ok(told.startsWith('400 InvalidParameterValue: Value ') && told.includes(says), told);
      assert.equal(
        await server.told('SetQueueAttributes', {
          QueueUrl: await server.queue('other'),
          Attributes: policy('choosy', 1),
        }),
        '200',
      );
    });

  for (const RedriveAllowPolicy of [
    'x',
    '{}',
    '{"redrivePermission":"some"}',
    '{"redrivePermission":"byQueue"}',
    '{"redrivePermission":"allowAll","sourceQueueArns":["a"]}',
  ])
    test(`that allows ${RedriveAllowPolicy} is refused`, async () => {
      await using server = await SqsServer.start();
      const input = { QueueName: 'dead', Attributes: { RedriveAllowPolicy } };
      assert.match(await server.told('CreateQueue', input), /^400 InvalidParameterValue: Value /);
    });
});

describe('a dead letter', () => {
  test('is deleted, and stays deleted after a restart; the policy stays, too', async () => {
    const first = await SqsServer.start();
    const { url, dead } = await pair(first);
    await first.send(url, 'a', 'b');
    await bury(first, url, 2);
    const [a] = await first.receive(dead, { MaxNumberOfMessages: 1 });
    await first.call('DeleteMessage', { QueueUrl: dead, ReceiptHandle: a.ReceiptHandle });
    await using server = await first.restart();
    assert.deepEqual(await server.bodies(dead), ['b']);
    assert.deepEqual(await server.bodies(url), []);
    await server.send(url, 'c');
    await bury(server, url, 1);
    assert.deepEqual(await server.bodies(dead), ['c']);
  });

  test('counts the receives of before a restart', async () => {
    const first = await SqsServer.start();
    await first.queue('dead');
    const url = await first.queue('orders', { ...policy('dead', 2), VisibilityTimeout: '10' });
    await first.send(url, 'a');
    await first.receive(url);
    await using server = await first.restart();
    server.clock.advance(10_000);
    const [again] = await server.receive(url, { AttributeNames: ['ApproximateReceiveCount'] });
    assert.equal(again.Attributes.ApproximateReceiveCount, '2');
    server.clock.advance(10_000);
    await eventually(() => server.broker.topic('dead')!.count === 1);
  });
});

describe('the sources of a dead-letter queue', () => {
  test('are listed, in pages', async () => {
    await using server = await SqsServer.start();
    const dead = await server.queue('dead');
    for (const name of ['c', 'a', 'b']) await server.queue(name, policy('dead', 3));
    await server.queue('other');
    const first = await server.call('ListDeadLetterSourceQueues', { QueueUrl: dead, MaxResults: 2 });
    const names = ({ queueUrls }: Body): string[] => queueUrls.map((url: string) => url.at(-1));
    assert.deepEqual(names(first), ['a', 'b']);
    const second = await server.call('ListDeadLetterSourceQueues', {
      QueueUrl: dead,
      MaxResults: 2,
      NextToken: first.NextToken,
    });
    assert.deepEqual([names(second), second.NextToken], [['c'], undefined]);
  });
});

describe('a move task', () => {
  const list = async (server: SqsServer, MaxResults = 10): Promise<Body[]> =>
    (await server.call('ListMessageMoveTasks', { SourceArn: arnOf('dead'), MaxResults })).Results ?? [];
  const ended = (server: SqsServer): Promise<Body> =>
    eventually(async () => {
      const [task] = await list(server);
      return task.Status !== 'RUNNING' && task.Status !== 'CANCELLING' && task;
    });

  test('moves messages back to the queues that they came from, with their ids', async () => {
    await using server = await SqsServer.start();
    const { url, dead } = await pair(server);
    const other = await server.queue('other', { ...policy('dead', 1), VisibilityTimeout: '10' });
    const { MessageId } = await server.call('SendMessage', { QueueUrl: url, MessageBody: 'a' });
    await server.send(url, 'b');
    await server.send(other, 'c');
    await bury(server, url, 2);
    await bury(server, other, 1);
    assert.equal(
      (await server.attributes(dead, 'ApproximateNumberOfMessages')).ApproximateNumberOfMessages,
      '3',
    );
    await server.call('StartMessageMoveTask', { SourceArn: arnOf('dead') });
    const { StartedTimestamp, ...task } = await ended(server);
    assert.equal(StartedTimestamp, server.clock.now());
    assert.deepEqual(task, {
      Status: 'COMPLETED',
      SourceArn: arnOf('dead'),
      ApproximateNumberOfMessagesMoved: 3,
      ApproximateNumberOfMessagesToMove: 3,
    });
    const [a, b] = await server.receive(url, { AttributeNames: ['All'] });
    assert.deepEqual([a.Body, a.MessageId, b.Body], ['a', MessageId, 'b']);
    assert.equal(a.Attributes.ApproximateReceiveCount, '1');
    assert.equal('DeadLetterQueueSourceArn' in a.Attributes, false);
    assert.deepEqual(await server.bodies(other), ['c']);
    assert.equal(server.broker.topic('dead')!.count, 0);
  });

  test('moves messages to another queue, also those that never were in one before', async () => {
    await using server = await SqsServer.start();
    const { url, dead } = await pair(server);
    const target = await server.queue('target');
    await server.send(url, 'a');
    await bury(server, url, 1);
    await server.send(dead, 'b');
    await server.call('StartMessageMoveTask', { SourceArn: arnOf('dead'), DestinationArn: arnOf('target') });
    assert.deepEqual((await ended(server)).DestinationArn, arnOf('target'));
    assert.deepEqual(await server.bodies(target), ['a', 'b']);
  });

  test('moves as many messages a second as it may, until it is cancelled', async () => {
    await using server = await SqsServer.start();
    const { url } = await pair(server);
    await server.send(url, 'a', 'b', 'c', 'd');
    await bury(server, url, 4);
    const { TaskHandle } = await server.call('StartMessageMoveTask', {
      SourceArn: arnOf('dead'),
      MaxNumberOfMessagesPerSecond: 1,
    });
    const moved = (count: number): Promise<Body> =>
      eventually(async () => (await list(server))[0].ApproximateNumberOfMessagesMoved === count);
    await moved(1);
    const timers = server.clock.timerCount;
    server.clock.advance(1_000);
    await moved(2);
    await eventually(() => server.clock.timerCount === timers); // it waits again
    const [running] = await list(server);
    assert.deepEqual([running.Status, running.TaskHandle], ['RUNNING', TaskHandle]);
    assert.match(
      await server.told('StartMessageMoveTask', { SourceArn: arnOf('dead') }),
      /^400 InvalidParameterValue: There is already a task running\./,
    );
    assert.deepEqual(await server.call('CancelMessageMoveTask', { TaskHandle }), {
      ApproximateNumberOfMessagesMoved: 2,
    });
    const { Status, TaskHandle: handle } = await ended(server);
    assert.deepEqual([Status, handle], ['CANCELLED', undefined]);
    assert.equal(server.broker.topic('dead')!.count, 2);
    assert.match(
      await server.told('CancelMessageMoveTask', { TaskHandle }),
      /^400 AWS\.SimpleQueueService\.UnsupportedOperation/,
    );
  });

  test('fails if the queue of origin is gone, or not known, and loses nothing', async () => {
    await using server = await SqsServer.start();
    const { url, dead } = await pair(server);
    await server.send(url, 'a');
    await bury(server, url, 1);
    await server.call('DeleteQueue', { QueueUrl: url });
    await server.queue('other', policy('dead', 1));
    await server.call('StartMessageMoveTask', { SourceArn: arnOf('dead') });
    const { Status, FailureReason } = await ended(server);
    assert.deepEqual([Status, FailureReason], ['FAILED', 'AWS.SimpleQueueService.NonExistentQueue']);
    assert.deepEqual(await server.bodies(dead), ['a']);
  });

  test('keeps the groups of a FIFO queue', async () => {
    await using server = await SqsServer.start();
    const { url } = await pair(server, '.fifo');
    for (const [MessageGroupId, MessageBody] of [
      ['g', 'a'],
      ['h', 'b'],
      ['g', 'c'],
    ])
      await server.call('SendMessage', {
        QueueUrl: url,
        MessageBody,
        MessageGroupId,
        MessageDeduplicationId: MessageBody,
      });
    await bury(server, url, 3, 'dead.fifo');
    await server.call('StartMessageMoveTask', { SourceArn: arnOf('dead.fifo') });
    await eventually(() => server.broker.topic('orders.fifo')!.count === 3);
    const [first] = await server.receive(url, { MaxNumberOfMessages: 1, AttributeNames: ['MessageGroupId'] });
    assert.deepEqual([first.Body, first.Attributes.MessageGroupId], ['a', 'g']);
    assert.deepEqual(await server.bodies(url), ['b']);
  });

  for (const [what, action, input, says] of [
    [
      'a queue that is no dead-letter queue',
      'StartMessageMoveTask',
      { SourceArn: arnOf('orders') },
      '400 InvalidParameterValue: Source queue must be configured as a Dead Letter Queue.',
    ],
    [
      'an unknown source',
      'StartMessageMoveTask',
      { SourceArn: arnOf('unknown') },
      "404 ResourceNotFoundException: The resource that you specified for the SourceArn parameter doesn't exist.",
    ],
    [
      'an unknown destination',
      'StartMessageMoveTask',
      { SourceArn: arnOf('dead'), DestinationArn: arnOf('unknown') },
      "404 ResourceNotFoundException: The resource that you specified for the DestinationArn parameter doesn't exist.",
    ],
    [
      'a text that is no ARN',
      'ListMessageMoveTasks',
      { SourceArn: 'dead' },
      '400 InvalidParameterValue: You must use this format to specify the SourceArn: arn:<partition>:<service>:<region>:<account-id>:<resource-id>',
    ],
    [
      'a rate that is too high',
      'StartMessageMoveTask',
      { SourceArn: arnOf('dead'), MaxNumberOfMessagesPerSecond: 501 },
      /^400 InvalidParameterValue/,
    ],
    [
      'a handle that is none',
      'CancelMessageMoveTask',
      { TaskHandle: 'x' },
      '400 InvalidParameterValue: Value for parameter TaskHandle is invalid.',
    ],
    [
      'the handle of another task',
      'CancelMessageMoveTask',
      { TaskHandle: Buffer.from('{"taskId":"x"}').toString('base64') },
      '404 ResourceNotFoundException: Task does not exist.',
    ],
  ] as const)
    test(`refuses ${what}`, async () => {
      await using server = await SqsServer.start();
      await pair(server);
      const told = await server.told(action, input);
      if (typeof says === 'string') assert.equal(told, says);
      else assert.match(told, says);
    });
});
