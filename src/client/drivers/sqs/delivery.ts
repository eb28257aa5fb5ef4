import type { Message } from '@aws-sdk/client-sqs';
import type { Answer, Incoming, StoredMessage } from '../../driver.ts';
import { causeText } from '../letter-headers.ts';
import type { SqsQueues } from './queues.ts';
import { stored } from './stored.ts';

/** Twelve hours: SQS hides a message for no longer. */
const hiddenSecondsMax = 43_200;

/** A delivery of a queue: the message is hidden until its time to answer is over. */
export class SqsDelivery implements Incoming {
  readonly message: StoredMessage;
  readonly deliveries: number;
  readonly #queues: SqsQueues;
  readonly #handle: { readonly QueueUrl: string; readonly ReceiptHandle: string };
  readonly #visibilitySeconds: number;
  readonly #makeLetter: (delivery: SqsDelivery, cause: string) => Promise<void>;

  constructor(
    queues: SqsQueues,
    topic: string,
    url: string,
    given: Message,
    visibilitySeconds: number,
    makeLetter: (delivery: SqsDelivery, cause: string) => Promise<void>,
  ) {
    this.#queues = queues;
    this.message = stored(topic, given);
    this.deliveries = Number(given.Attributes?.ApproximateReceiveCount ?? 1);
    this.#handle = { QueueUrl: url, ReceiptHandle: given.ReceiptHandle ?? '' };
    this.#visibilitySeconds = visibilitySeconds;
    this.#makeLetter = makeLetter;
  }

  async settle(answer: Answer): Promise<boolean> {
    switch (answer.kind) {
      case 'ack':
        return this.#delete();
      case 'dead':
        // First the letter, then the end of the message: after a crash between them there are two letters.
        await this.#makeLetter(this, causeText(answer.cause, answer.reason));
        return this.#delete();
      case 'release':
        return this.#hide(0);
      case 'retry':
      case 'postpone':
        break;
    }
    return this.#hide(Math.min(Math.ceil(answer.delayMs / 1_000), hiddenSecondsMax));
  }

  extend(): void {
    this.#hide(this.#visibilitySeconds).catch(() => undefined); // the next beat tries again
  }

  async #delete(): Promise<boolean> {
    const { DeleteMessageCommand } = this.#queues.sdk;
    const request = this.#queues.client.send(new DeleteMessageCommand(this.#handle));
    await this.#queues.ask(`delete message "${this.message.id}"`, request);
    return true;
  }

  async #hide(seconds: number): Promise<boolean> {
    const { ChangeMessageVisibilityCommand } = this.#queues.sdk;
    const command = new ChangeMessageVisibilityCommand({ ...this.#handle, VisibilityTimeout: seconds });
    await this.#queues.ask(`hide message "${this.message.id}"`, this.#queues.client.send(command));
    return true;
  }
}
