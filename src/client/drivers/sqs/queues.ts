import type { SQSClient } from '@aws-sdk/client-sqs';
import type * as sdk from '@aws-sdk/client-sqs';
import { ClientError } from '../../errors.ts';

/** The package that speaks SQS. */
export type SqsPackage = typeof sdk;

/** The queues of a client: their URLs, and requests to them in the client's errors. */
export class SqsQueues {
  readonly target: string;
  readonly sdk: SqsPackage;
  readonly client: SQSClient;
  readonly #urls = new Map<string, Promise<string>>();

  constructor(target: string, sdk: SqsPackage, client: SQSClient) {
    this.target = target;
    this.sdk = sdk;
    this.client = client;
  }

  /** The URL of a queue, which is created if it is not there. */
  urlOf(name: string): Promise<string> {
    let url = this.#urls.get(name);
    if (!url) {
      url = this.#open(name);
      this.#urls.set(name, url);
      url.catch(() => this.#urls.delete(name));
    }
    return url;
  }

  /** Passes failures on in the client's words. */
  async ask<T>(what: string, request: Promise<T>): Promise<T> {
    try {
      return await request;
    } catch (error) {
      const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      const isAnswer = $metadata?.httpStatusCode !== undefined;
      const isTooLarge = /too long|TooLong|must be shorter/i.test(`${name} ${message}`);
      const code = isTooLarge ? 'message-too-large' : isAnswer ? 'refused' : 'unreachable';
      throw new ClientError(code, `${this.target} did not ${what}: ${message || name}`, error);
    }
  }

  async #open(name: string): Promise<string> {
    const { GetQueueUrlCommand, CreateQueueCommand } = this.sdk;
    const found = await this.ask(
      `find queue "${name}"`,
      this.client.send(new GetQueueUrlCommand({ QueueName: name })).catch((error: unknown) => {
        if (/NonExistent|DoesNotExist/.test((error as Error).name)) return undefined;
        throw error;
      }),
    );
    const { QueueUrl } =
      found ??
      (await this.ask(
        `create queue "${name}"`,
        this.client.send(new CreateQueueCommand({ QueueName: name })),
      ));
    return QueueUrl!;
  }
}
