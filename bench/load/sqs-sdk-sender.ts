import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Count, Generator, LoadJob } from './job.ts';
import { bodyOf } from './sqs-request.ts';
import { runWindowed } from './windowed.ts';

type Job = LoadJob & { kind: 'sqs-sdk-sender' };

/** An SQS sender by the AWS SDK, with its defaults, which is the limit itself on a fast server. */
export class SqsSdkSender implements Generator {
  readonly #client: SQSClient;
  readonly #job: Job;
  readonly #onFailure: (error: Error) => void;

  private constructor(job: Job, onFailure: (error: Error) => void) {
    // The oldest Node that Pillarbox runs on is one that the SDK warns of.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
    const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
    this.#client = new SQSClient({
      endpoint: `http://127.0.0.1:${job.port}`,
      region: 'us-east-1',
      credentials,
      maxAttempts: 1, // an error is a failure of the measurement
    });
    this.#job = job;
    this.#onFailure = onFailure;
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<SqsSdkSender> {
    return new SqsSdkSender(job, onFailure);
  }

  run(): Promise<Count> {
    const { queueUrl: QueueUrl, payloadBytes, window, seconds, messages } = this.#job;
    const MessageBody = bodyOf(payloadBytes);
    let onAnswered: (answered: number) => void = () => {};
    const send = async (): Promise<void> => {
      try {
        await this.#client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
        onAnswered(1);
      } catch (error) {
        this.#onFailure(error as Error);
      }
    };
    return runWindowed({
      window,
      seconds,
      messages,
      send: (count) => {
        for (let i = 0; i < count; i++) void send();
      },
      onAnswers: (answered) => (onAnswered = answered),
    });
  }

  end(): void {
    this.#client.destroy();
  }
}
