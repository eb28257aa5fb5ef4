/**
 * The package sqs-consumer: it polls, extends timeouts while a handler works, and deletes what was handled.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually, uniqueName, useServer } from '../../support/index.ts';
import { consumerOf, makeQueue, type Output, skip, sqsAt } from './clients.ts';

describe('sqs-consumer', { skip }, () => {
  const server = useServer();

  test('handles messages, one by one, and deletes them', async () => {
    const sqs = sqsAt(server().sqsPort);
    const queueUrl = await makeQueue(sqs, uniqueName('orders'));
    const seen: string[] = [];
    const consumer = consumerOf({
      queueUrl,
      sqs,
      waitTimeSeconds: 5,
      handleMessage: async (message: Output) => {
        seen.push(message.Body);
        return message;
      },
    });
    consumer.start();
    try {
      for (const MessageBody of ['a', 'b', 'c'])
        await sqs['sendMessage']!({ QueueUrl: queueUrl, MessageBody });
      await eventually(() => seen.length === 3);
      assert.deepEqual(seen, ['a', 'b', 'c']);
      await eventually(async () => (await figuresOf(queueUrl)).every((count) => count === 0));
    } finally {
      consumer.stop({ abort: true });
    }
  });

  test('gets a message again that its handler failed for, and leaves the rest of a batch', async () => {
    const sqs = sqsAt(server().sqsPort);
    const queueUrl = await makeQueue(sqs, uniqueName('orders'));
    const seen: string[] = [];
    const consumer = consumerOf({
      queueUrl,
      sqs,
      batchSize: 10,
      terminateVisibilityTimeout: true,
      handleMessageBatch: async (messages: readonly Output[]) => {
        for (const { Body } of messages) seen.push(Body);
        if (seen.length < 3) throw new Error('not now');
        return messages;
      },
    });
    consumer.on('error', () => {}); // that of the handler
    const Entries = ['a', 'b'].map((MessageBody) => ({ Id: MessageBody, MessageBody }));
    await sqs['sendMessageBatch']!({ QueueUrl: queueUrl, Entries });
    consumer.start();
    try {
      await eventually(async () => (await figuresOf(queueUrl)).every((count) => count === 0));
      assert.deepEqual(seen, ['a', 'b', 'a', 'b']);
    } finally {
      consumer.stop({ abort: true });
    }
  });

  test('keeps a message while its handler works, by heartbeats', async () => {
    const sqs = sqsAt(server().sqsPort);
    const queueUrl = await makeQueue(sqs, uniqueName('orders'), { VisibilityTimeout: '2' });
    let handled = 0;
    const beats = { count: 0 };
    const counted = new Proxy(sqs, {
      get: (target, name) =>
        name === 'send'
          ? async (command: Output, ...rest: readonly Output[]) => {
              const answer = await (target['send'] as Output).call(target, command, ...rest);
              // With its answer: the stop aborts what is under way, and nobody waits for a beat.
              if (command.constructor.name.startsWith('ChangeMessageVisibility')) beats.count++;
              return answer;
            }
          : target[name as string],
    });
    const consumer = consumerOf({
      queueUrl,
      sqs: counted,
      visibilityTimeout: 2,
      heartbeatInterval: 1,
      handleMessage: async (message: Output) => {
        handled++;
        await eventually(() => beats.count >= 3);
        return message;
      },
    });
    await sqs['sendMessage']!({ QueueUrl: queueUrl, MessageBody: 'slow' });
    consumer.start();
    try {
      await eventually(async () => (await figuresOf(queueUrl)).every((count) => count === 0));
      assert.equal(handled, 1);
    } finally {
      consumer.stop({ abort: true });
    }
  });

  async function figuresOf(QueueUrl: string): Promise<number[]> {
    const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
    const { Attributes } = await sqsAt(server().sqsPort)['getQueueAttributes']!({ QueueUrl, AttributeNames });
    return AttributeNames.map((name) => Number(Attributes[name]));
  }
});
