import { hashOf } from './payload.ts';
import { bodyOf } from './sqs-queue.ts';
import { SqsWire, type SqsAnswer } from './sqs-wire.ts';

/** The steps of an SQS canary's round; each is timed. */
export const sqsCanarySteps = ['create', 'send', 'receive', 'delete'] as const;
export type SqsCanaryStep = (typeof sqsCanarySteps)[number];

const queue = 'sqs-canary';
const bodyMax = 1000;
const waitSeconds = 20;

/** The queue of the storm's own sends, bounded by age: this is about the canary, not about the disk. */
export const floodedQueue = 'sqs-flood';
const floodedSeconds = 60;

/**
 * An SQS canary is a canary that uses SQS: it creates a queue, sends, and receives and deletes its message.
 */
export class SqsCanary {
  readonly timesMs: Record<SqsCanaryStep, number[]> = { create: [], send: [], receive: [], delete: [] };
  readonly problems: string[] = [];
  rounds = 0;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async prepare(): Promise<void> {
    using wire = new SqsWire(this.#port);
    const Attributes = { MessageRetentionPeriod: String(floodedSeconds) };
    await wire.call('CreateQueue', { QueueName: floodedQueue, Attributes });
  }

  /** Rounds until `isDone`. An operation that fails is a problem, and the canary goes on. */
  async run(isDone: () => boolean): Promise<void> {
    while (!isDone())
      await this.#rounds(isDone).catch((error: unknown) => void this.problems.push(`SQS: ${String(error)}`));
  }

  async #rounds(isDone: () => boolean): Promise<void> {
    using wire = new SqsWire(this.#port);
    const QueueUrl = wire.url(queue);
    while (!isDone()) {
      const id = `sqs-canary-${++this.rounds}`;
      const MessageBody = bodyOf(id).slice(0, bodyMax);
      await this.#time('create', () => wire.call('CreateQueue', { QueueName: queue }));
      await this.#time('send', () => wire.call('SendMessage', { QueueUrl, MessageBody }));
      const received = await this.#time('receive', () =>
        wire.call('ReceiveMessage', { QueueUrl, WaitTimeSeconds: waitSeconds }),
      );
      const message = received.Messages?.[0];
      if (!message || hashOf(Buffer.from(message.Body)) !== hashOf(Buffer.from(MessageBody))) {
        this.problems.push(`${id} did not come back`);
        continue;
      }
      const { ReceiptHandle } = message;
      await this.#time('delete', () => wire.call('DeleteMessage', { QueueUrl, ReceiptHandle }));
    }
  }

  async #time(step: SqsCanaryStep, work: () => Promise<SqsAnswer>): Promise<SqsAnswer> {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      this.timesMs[step].push(performance.now() - begin);
    }
  }
}
