import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../load/clock.ts';
import { callOnce } from '../load/sqs-request.ts';

/** Messages of a queue that can be received, and that were received and not deleted. */
export interface QueueCounts {
  readonly visible: number;
  readonly inFlight: number;
}

const countMsMax = 30_000;
let queues = 0;

/**
 * SQS queues makes, counts and deletes queues around a measurement. Each call has a connection of its own,
 * because servers close one that is idle while a measurement lasts.
 */
export class SqsQueues {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /**
   * Creates a queue of a new name, because SQS refuses that of a deleted one for a minute; returns its URL.
   */
  async create(kind: 'standard' | 'FIFO' = 'standard'): Promise<string> {
    const isFifo = kind === 'FIFO';
    const QueueName = `bench-${++queues}${isFifo ? '.fifo' : ''}`;
    const Attributes = isFifo ? { FifoQueue: 'true' } : {};
    const { QueueUrl } = (await callOnce(this.#port, 'CreateQueue', { QueueName, Attributes })) as {
      QueueUrl: string;
    };
    return QueueUrl;
  }

  async delete(queueUrl: string): Promise<void> {
    await callOnce(this.#port, 'DeleteQueue', { QueueUrl: queueUrl });
  }

  async count(queueUrl: string): Promise<QueueCounts> {
    const visible = 'ApproximateNumberOfMessages';
    const inFlight = 'ApproximateNumberOfMessagesNotVisible';
    const { Attributes: counts } = (await callOnce(this.#port, 'GetQueueAttributes', {
      QueueUrl: queueUrl,
      AttributeNames: [visible, inFlight],
    })) as { Attributes: { readonly [name: string]: string } };
    return { visible: Number(counts[visible]), inFlight: Number(counts[inFlight]) };
  }

  /** Checks that the queue has so many messages: a count is approximate by its name. */
  async requireCount(queueUrl: string, wanted: QueueCounts): Promise<void> {
    for (const deadlineMs = nowMs() + countMsMax; ; await delay(100)) {
      const counts = await this.count(queueUrl);
      if (counts.visible === wanted.visible && counts.inFlight === wanted.inFlight) return;
      if (nowMs() > deadlineMs)
        throw new Error(`the queue has ${sentence(counts)}; it should have ${sentence(wanted)}`);
    }
  }
}

function sentence({ visible, inFlight }: QueueCounts): string {
  return `${visible} messages, and ${inFlight} in flight`;
}

/** Resolves when a server answers ListQueues. */
export async function answersSqs(port: number): Promise<void> {
  for (const deadlineMs = nowMs() + countMsMax; ; await delay(20)) {
    try {
      return void (await callOnce(port, 'ListQueues', {}));
    } catch (error) {
      if (nowMs() > deadlineMs) throw error;
    }
  }
}
