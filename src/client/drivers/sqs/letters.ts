import type { Message } from '@aws-sdk/client-sqs';
import type { LetterStore, StoredLetter } from '../../driver.ts';
import { originOf } from '../letter-headers.ts';
import type { SqsQueues } from './queues.ts';
import { headersOf, sqsMessage, stored } from './stored.ts';

/** How long dead letters are hidden while they are read or moved. */
const hiddenSeconds = 60;
const batchMax = 10;

/** The dead letters in a queue. SQS reads by taking: what was only read is shown again at the end. */
export class SqsLetters implements LetterStore {
  readonly #queues: SqsQueues;
  readonly #queue: string;

  constructor(queues: SqsQueues, queue: string) {
    this.#queues = queues;
    this.#queue = queue;
  }

  /** About how many there are: SQS promises no more. */
  async count(): Promise<number> {
    const { GetQueueAttributesCommand } = this.#queues.sdk;
    const QueueUrl = await this.#queues.urlOf(this.#queue);
    const AttributeNames = ['ApproximateNumberOfMessages'] as ['ApproximateNumberOfMessages'];
    const request = this.#queues.client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    const { Attributes } = await this.#queues.ask('count dead letters', request);
    return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
  }

  async *browse(signal?: AbortSignal): AsyncGenerator<StoredLetter, void, void> {
    const { ChangeMessageVisibilityBatchCommand } = this.#queues.sdk;
    const taken: Message[] = [];
    try {
      for await (const message of this.#take()) {
        signal?.throwIfAborted();
        taken.push(message);
        yield letterOf(message);
      }
    } finally {
      const QueueUrl = await this.#queues.urlOf(this.#queue);
      for (let at = 0; at < taken.length; at += batchMax) {
        const Entries = taken.slice(at, at + batchMax).map(({ ReceiptHandle }, index) => ({
          Id: String(index),
          ReceiptHandle,
          VisibilityTimeout: 0,
        }));
        await this.#queues.client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
      }
    }
  }

  async redrive(limit: number): Promise<number> {
    const { SendMessageCommand, DeleteMessageCommand } = this.#queues.sdk;
    const from = await this.#queues.urlOf(this.#queue);
    let moved = 0;
    if (limit <= 0) return moved;
    for await (const taken of this.#take()) {
      const { message, origin } = letterOf(taken);
      const { id, key, headers, bytes } = message;
      const to = await this.#queues.urlOf(origin.topic);
      const sent = sqsMessage(id, key, headers, bytes ?? new Uint8Array(0));
      const send = this.#queues.client.send(new SendMessageCommand({ QueueUrl: to, ...sent }));
      await this.#queues.ask(`put message "${id}" back`, send);
      const handle = { QueueUrl: from, ReceiptHandle: taken.ReceiptHandle };
      const remove = this.#queues.client.send(new DeleteMessageCommand(handle));
      await this.#queues.ask(`delete dead letter "${id}"`, remove);
      moved += 1;
      if (moved >= limit) break;
    }
    return moved;
  }

  async purge(): Promise<number> {
    const { PurgeQueueCommand } = this.#queues.sdk;
    const count = await this.count();
    const QueueUrl = await this.#queues.urlOf(this.#queue);
    await this.#queues.ask('purge', this.#queues.client.send(new PurgeQueueCommand({ QueueUrl })));
    return count;
  }

  /** Takes one after another until none is left; each is hidden for a while. */
  async *#take(): AsyncGenerator<Message, void, void> {
    const { ReceiveMessageCommand } = this.#queues.sdk;
    const QueueUrl = await this.#queues.urlOf(this.#queue);
    const seen = new Set<string | undefined>();
    for (;;) {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 1,
        WaitTimeSeconds: 1,
        VisibilityTimeout: hiddenSeconds,
        MessageAttributeNames: ['All'],
        AttributeNames: ['All'],
      });
      const { Messages = [] } = await this.#queues.ask(
        'read dead letters',
        this.#queues.client.send(command),
      );
      const [message] = Messages;
      if (!message || seen.has(message.MessageId)) return;
      seen.add(message.MessageId);
      yield message;
    }
  }
}

function letterOf(message: Message): StoredLetter {
  const origin = originOf(headersOf(message));
  return { message: stored(origin.topic, message), origin };
}
