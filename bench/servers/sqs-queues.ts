import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from '../load/clock.ts';
import { HttpSocket } from '../load/http-socket.ts';
import { call } from '../load/sqs-request.ts';

/** Messages of a queue that can be received, and that were received and not deleted. */
export interface QueueCounts {
  readonly visible: number;
  readonly inFlight: number;
}

const countMsMax = 30_000;
let queues = 0;

/** SQS queues makes, counts and deletes queues around a measurement, over a connection of its own. */
export class SqsQueues {
  readonly #port: number;
  readonly #socket: HttpSocket;
  readonly #failed: Promise<never>;

  private constructor(port: number, socket: HttpSocket, failed: Promise<never>) {
    this.#port = port;
    this.#socket = socket;
    this.#failed = failed;
  }

  /** If the connection fails, so do all calls. */
  static async connect(port: number): Promise<SqsQueues> {
    let fail: (error: Error) => void = () => {};
    const failed = new Promise<never>((_, reject) => (fail = reject));
    failed.catch(() => {});
    return new SqsQueues(port, await HttpSocket.connect({ port, onFailure: fail }), failed);
  }

  /** Creates a queue of a new name, because SQS refuses that of a deleted one for a minute; returns its URL. */
  async create(kind: 'standard' | 'FIFO' = 'standard'): Promise<string> {
    const isFifo = kind === 'FIFO';
    const QueueName = `bench-${++queues}${isFifo ? '.fifo' : ''}`;
    const Attributes = isFifo ? { FifoQueue: 'true' } : {};
    const { QueueUrl } = (await this.#call('CreateQueue', { QueueName, Attributes })) as { QueueUrl: string };
    return QueueUrl;
  }

  async delete(queueUrl: string): Promise<void> {
    await this.#call('DeleteQueue', { QueueUrl: queueUrl });
  }

  async count(queueUrl: string): Promise<QueueCounts> {
    const visible = 'ApproximateNumberOfMessages';
    const inFlight = 'ApproximateNumberOfMessagesNotVisible';
    const { Attributes: counts } = (await this.#call('GetQueueAttributes', {
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

  end(): void {
    this.#socket.end();
  }

  #call(action: string, input: object): Promise<unknown> {
    return Promise.race([call(this.#socket, { port: this.#port, action, input }), this.#failed]);
  }
}

function sentence({ visible, inFlight }: QueueCounts): string {
  return `${visible} messages, and ${inFlight} in flight`;
}

/** Resolves when a server answers ListQueues. */
export async function answersSqs(port: number): Promise<void> {
  for (const deadlineMs = nowMs() + countMsMax; ; await delay(20)) {
    try {
      const socket = await HttpSocket.connect({ port, onFailure: () => {} });
      await call(socket, { port, action: 'ListQueues', input: {} });
      return socket.end();
    } catch (error) {
      if (nowMs() > deadlineMs) throw error;
    }
  }
}
