import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '../../support/index.ts';
import { type Body, SqsServer } from './sqs-kit.ts';

/** Sends `group:body` texts, in order, each with a deduplication id of its own. */
async function send(server: SqsServer, QueueUrl: string, ...texts: readonly string[]): Promise<Body[]> {
  const sent: Body[] = [];
  for (const text of texts) {
    const [MessageGroupId, MessageBody] = text.split(':');
    const MessageDeduplicationId = `${text}-${server.broker.topics.size}-${Math.random()}`;
    sent.push(
      await server.call('SendMessage', { QueueUrl, MessageGroupId, MessageBody, MessageDeduplicationId }),
    );
  }
  return sent;
}

const removeAll = (server: SqsServer, QueueUrl: string, messages: readonly Body[]): Promise<Body> =>
  server.call('DeleteMessageBatch', {
    QueueUrl,
    Entries: messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle })),
  });

describe('a FIFO queue', () => {
  test('gives up to ten messages of one group in one receive, and no more of it until they are deleted', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo');
    await send(server, url, ...Array.from({ length: 12 }, (_, at) => `a:${at}`));
    const messages = await server.receive(url);
    assert.deepEqual(
      messages.map(({ Body }) => Body),
      ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    );
    assert.deepEqual(await server.bodies(url), []);
    await removeAll(server, url, messages.slice(0, 9));
    assert.deepEqual(await server.bodies(url), [], 'one of them is still in flight');
    await removeAll(server, url, messages.slice(9));
    assert.deepEqual(await server.bodies(url), ['10', '11']);
  });

  test('gives delayed messages ascending numbers, after a purge of delayed ones, too', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { DelaySeconds: '5' });
    const [, before] = await send(server, url, 'a:1', 'a:2');
    await server.call('PurgeQueue', { QueueUrl: url });
    const [after] = await send(server, url, 'a:3');
    assert.ok(
      after.SequenceNumber > before.SequenceNumber,
      `${before.SequenceNumber} ${after.SequenceNumber}`,
    );
  });

  test('gives other groups to other receivers', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo');
    await send(server, url, 'a:1', 'a:2', 'b:3', 'c:4');
    assert.deepEqual(await server.bodies(url, { MaxNumberOfMessages: 1 }), ['1']);
    assert.deepEqual(await server.bodies(url, { MaxNumberOfMessages: 1 }), ['3']);
    assert.deepEqual(await server.bodies(url), ['4']);
    assert.deepEqual(await server.bodies(url), []);
  });

  test('gives a group again in order when its timeout is over', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { VisibilityTimeout: '10' });
    await send(server, url, 'a:1', 'a:2', 'a:3');
    assert.deepEqual(await server.bodies(url, { MaxNumberOfMessages: 2 }), ['1', '2']);
    server.clock.advance(10_000);
    assert.deepEqual(await server.bodies(url), ['1', '2', '3']);
  });

  test('hides messages again after each receive', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { VisibilityTimeout: '10' });
    await send(server, url, 'a:1');
    for (let time = 0; time < 3; time++) {
      assert.deepEqual(await server.bodies(url), ['1']);
      assert.deepEqual(await server.bodies(url), []);
      server.clock.advance(10_000);
    }
  });

  test('answers a long poll when a group is free again', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo');
    await send(server, url, 'a:1', 'a:2');
    const first = await server.receive(url, { MaxNumberOfMessages: 1 });
    const waiting = server.bodies(url, { WaitTimeSeconds: 20 });
    await eventually(() => server.broker.topic('orders.fifo')!.groups.get('default')!.consumers === 1);
    await removeAll(server, url, first);
    assert.deepEqual(await waiting, ['2']);
  });

  test('shows group, deduplication id and ascending sequence numbers', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders.fifo');
    const input = { QueueUrl, MessageBody: 'a', MessageGroupId: 'g!', MessageDeduplicationId: 'd~1' };
    const first = await server.call('SendMessage', input);
    const second = await server.call('SendMessage', { ...input, MessageDeduplicationId: 'd~2' });
    assert.match(first.SequenceNumber, /^\d{20}$/);
    assert.ok(second.SequenceNumber > first.SequenceNumber);
    const [message] = await server.receive(QueueUrl, { MessageSystemAttributeNames: ['All'] });
    const { MessageGroupId, MessageDeduplicationId, SequenceNumber } = message.Attributes;
    assert.deepEqual(
      [MessageGroupId, MessageDeduplicationId, SequenceNumber],
      ['g!', 'd~1', first.SequenceNumber],
    );
  });

  test('is used by a thousand groups at once, each in order', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { ContentBasedDeduplication: 'true' });
    for (let round = 0; round < 3; round++)
      await Promise.all(
        Array.from({ length: 100 }, (_, batch) =>
          server.call('SendMessageBatch', {
            QueueUrl: url,
            Entries: Array.from({ length: 10 }, (_, at) => ({
              Id: String(at),
              MessageGroupId: `g${batch * 10 + at}`,
              MessageBody: `g${batch * 10 + at}:${round}`,
            })),
          }),
        ),
      );
    const seen = new Map<string, string[]>();
    const drain = async (): Promise<void> => {
      for (
        let messages = await server.receive(url);
        messages.length > 0;
        messages = await server.receive(url)
      ) {
        for (const { Body } of messages) {
          const [group, round] = Body.split(':');
          seen.set(group, [...(seen.get(group) ?? []), round]);
        }
        await removeAll(server, url, messages);
      }
    };
    await Promise.all([drain(), drain(), drain(), drain()]);
    assert.equal(seen.size, 1000);
    for (const rounds of seen.values()) assert.deepEqual(rounds, ['0', '1', '2']);
  });
});

describe('a duplicate', () => {
  const duplicate = async (server: SqsServer, QueueUrl: string, input: object): Promise<Body> => {
    const both = { QueueUrl, MessageBody: 'a', MessageGroupId: 'g', ...input };
    const [first, second] = [await server.call('SendMessage', both), await server.call('SendMessage', both)];
    assert.deepEqual(second, first);
    return both;
  };

  test('is answered with the original, and is not stored', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo');
    await duplicate(server, url, { MessageDeduplicationId: 'd' });
    assert.deepEqual(await server.bodies(url), ['a']);
  });

  test('is known after the original was deleted, and after a restart', async () => {
    const before = await SqsServer.start();
    const url = await before.queue('orders.fifo');
    const input = await duplicate(before, url, { MessageDeduplicationId: 'd' });
    const { MessageId } = await before.call('SendMessage', input);
    await removeAll(before, url, await before.receive(url));
    await using server = await before.restart();
    assert.equal((await server.call('SendMessage', input)).MessageId, MessageId);
    assert.deepEqual(await server.bodies(url), []);
  });

  test('is a new message after five minutes', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo');
    const input = await duplicate(server, url, { MessageDeduplicationId: 'd' });
    server.clock.advance(299_000);
    await server.call('SendMessage', input);
    assert.equal(server.broker.topic('orders.fifo')!.count, 1);
    server.clock.advance(1_001);
    await server.call('SendMessage', input);
    assert.equal(server.broker.topic('orders.fifo')!.count, 2);
  });

  test('is told by the body alone, if the queue says so', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { ContentBasedDeduplication: 'true' });
    const input = await duplicate(server, url, {});
    const MessageAttributes = { a: { DataType: 'String', StringValue: '1' } };
    await server.call('SendMessage', { ...input, MessageAttributes });
    assert.equal(server.broker.topic('orders.fifo')!.count, 1);
    await server.call('SendMessage', { ...input, MessageDeduplicationId: 'own' });
    assert.equal(server.broker.topic('orders.fifo')!.count, 2);
  });

  test('is told by group, if the queue says so', async () => {
    for (const [DeduplicationScope, count] of [
      ['queue', 1],
      ['messageGroup', 2],
    ] as const) {
      await using server = await SqsServer.start();
      const url = await server.queue('orders.fifo', { DeduplicationScope });
      const input = await duplicate(server, url, { MessageDeduplicationId: 'd' });
      await server.call('SendMessage', { ...input, MessageGroupId: 'other' });
      assert.equal(server.broker.topic('orders.fifo')!.count, count, DeduplicationScope);
    }
  });

  test('of a delayed message is answered with the original, too', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { DelaySeconds: '60' });
    const input = await duplicate(server, url, { MessageDeduplicationId: 'd' });
    const first = await server.call('SendMessage', input);
    server.clock.advance(60_000);
    const [message] = await server.receive(url, { AttributeNames: ['SequenceNumber'], WaitTimeSeconds: 1 });
    assert.deepEqual(
      [message.MessageId, message.Attributes.SequenceNumber],
      [first.MessageId, first.SequenceNumber],
    );
    assert.deepEqual(await server.call('SendMessage', input), first);
  });

  test('of a standard queue is no duplicate: the id is refused', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders');
    assert.match(
      await server.told('SendMessage', { QueueUrl, MessageBody: 'a', MessageDeduplicationId: 'd' }),
      /^400 InvalidParameterValue: .*not valid for this queue type/,
    );
  });
});

describe('a message for a FIFO queue', () => {
  for (const [what, input, says] of [
    [
      'without a group',
      { MessageDeduplicationId: 'd' },
      '400 MissingParameter: The request must contain the parameter MessageGroupId.',
    ],
    [
      'without an id',
      { MessageGroupId: 'g' },
      '400 InvalidParameterValue: The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    ],
    [
      'with a delay',
      { MessageGroupId: 'g', MessageDeduplicationId: 'd', DelaySeconds: 2 },
      '400 InvalidParameterValue: Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.',
    ],
    [
      'with a blank in its group',
      { MessageGroupId: 'group 123', MessageDeduplicationId: 'd' },
      '400 InvalidParameterValue: Value group 123 for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
    ],
    [
      'with an empty id',
      { MessageGroupId: 'g', MessageDeduplicationId: '' },
      '400 InvalidParameterValue: Value  for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
    ],
  ] as const)
    test(`${what} is refused`, async () => {
      await using server = await SqsServer.start();
      const QueueUrl = await server.queue('orders.fifo');
      assert.equal(await server.told('SendMessage', { QueueUrl, MessageBody: 'a', ...input }), says);
    });

  test('in a batch without a group refuses the batch, with another code', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders.fifo');
    const Entries = [{ Id: 'a', MessageBody: 'a', MessageDeduplicationId: 'd' }];
    assert.equal(
      await server.told('SendMessageBatch', { QueueUrl, Entries }),
      '400 InvalidParameterValue: The request must contain the parameter MessageGroupId.',
    );
  });

  test('may say a delay of 0, which is that of the queue', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders.fifo', { DelaySeconds: '5' });
    const input = { QueueUrl, MessageBody: 'a', MessageGroupId: 'g', MessageDeduplicationId: 'd' };
    await server.call('SendMessage', { ...input, DelaySeconds: 0 });
    assert.deepEqual(await server.bodies(QueueUrl), []);
    server.clock.advance(5_000);
    assert.deepEqual(await server.bodies(QueueUrl, { WaitTimeSeconds: 1 }), ['a']);
  });

  test('that is delayed keeps no other of its group back', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders.fifo', { DelaySeconds: '60' });
    await send(server, QueueUrl, 'g:late');
    await server.call('SetQueueAttributes', { QueueUrl, Attributes: { DelaySeconds: '0' } });
    await send(server, QueueUrl, 'g:now');
    assert.deepEqual(await server.bodies(QueueUrl), ['now']);
  });
});

describe('a handle of a FIFO queue', () => {
  test('deletes nothing after its timeout', async () => {
    await using server = await SqsServer.start();
    const QueueUrl = await server.queue('orders.fifo', { VisibilityTimeout: '1' });
    await send(server, QueueUrl, 'g:a');
    const [{ ReceiptHandle }] = await server.receive(QueueUrl);
    const remove = (): Promise<string> => server.told('DeleteMessage', { QueueUrl, ReceiptHandle });
    server.clock.advance(1_000);
    const says = `400 InvalidParameterValue: Value ${ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`;
    assert.equal(await remove(), says);
    const [again] = await server.receive(QueueUrl);
    assert.equal(await remove(), says);
    await removeAll(server, QueueUrl, [again]);
    assert.equal(await remove(), '200', 'the message is gone');
  });
});

describe('an attempt to receive', () => {
  const attempt = { ReceiveRequestAttemptId: 'try-1' };

  test('gets the same messages and handles again, and their timeouts begin again', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { VisibilityTimeout: '10' });
    await send(server, url, 'g:a', 'g:b', 'h:c');
    const first = await server.receive(url, { ...attempt, MaxNumberOfMessages: 2 });
    server.clock.advance(9_000);
    assert.deepEqual(await server.receive(url, { ...attempt, MaxNumberOfMessages: 2 }), first);
    server.clock.advance(9_000);
    assert.deepEqual(await server.bodies(url), ['c'], 'the others are in flight');
    assert.deepEqual(await removeAll(server, url, first), { Successful: [{ Id: '0' }, { Id: '1' }] });
  });

  test('is another one after a message was deleted, or after five minutes', async () => {
    await using server = await SqsServer.start();
    const url = await server.queue('orders.fifo', { VisibilityTimeout: '600' });
    await send(server, url, 'g:a', 'h:b', 'i:c');
    const one = { ...attempt, MaxNumberOfMessages: 1 };
    await removeAll(server, url, await server.receive(url, one));
    assert.deepEqual(await server.bodies(url, one), ['b']);
    server.clock.advance(300_000);
    assert.deepEqual(await server.bodies(url, one), ['c']);
  });
});
