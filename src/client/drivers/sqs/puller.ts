import type { Message } from '@aws-sdk/client-sqs';
import type { Clock } from '../../../util/index.ts';
import type { DeliverySink, Puller } from '../../driver.ts';
import type { SqsQueues } from './queues.ts';

/** The most messages of one receive. */
const batchMax = 10;
/** How long a receive waits at the server. */
const waitSeconds = 20;
/** The wait after a receive that failed. */
const againMs = 500;

/** A puller makes one receive after another while messages are wanted. */
export class SqsPuller implements Puller {
  readonly #queues: SqsQueues;
  readonly #clock: Clock;
  readonly #url: Promise<string>;
  readonly #visibilitySeconds: number;
  readonly #sink: DeliverySink;
  readonly #received: (url: string, message: Message) => void;
  readonly #abort = new AbortController();
  #wanted = 0;
  #running: Promise<void> | undefined;

  constructor(
    queues: SqsQueues,
    clock: Clock,
    topic: string,
    visibilitySeconds: number,
    sink: DeliverySink,
    received: (url: string, message: Message) => void,
  ) {
    this.#queues = queues;
    this.#clock = clock;
    this.#url = queues.urlOf(topic);
    this.#visibilitySeconds = visibilitySeconds;
    this.#sink = sink;
    this.#received = received;
  }

  ask(count: number): void {
    this.#wanted += count;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { ReceiveMessageCommand } = this.#queues.sdk;
    const { signal } = this.#abort;
    while (this.#wanted > 0 && !signal.aborted) {
      try {
        const url = await this.#url;
        const command = new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: Math.min(this.#wanted, batchMax),
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: this.#visibilitySeconds,
          MessageAttributeNames: ['All'],
          // The old name of the member is the one that every SQS knows.
          AttributeNames: ['All'],
        });
        const { Messages = [] } = await this.#queues.client.send(command, { abortSignal: signal });
        this.#wanted -= Messages.length;
        for (const message of Messages) this.#received(url, message);
      } catch (error) {
        if (signal.aborted) return;
        this.#sink.failed(error as Error);
        await this.#clock.sleep(againMs);
      }
    }
  }
}
