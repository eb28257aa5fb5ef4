/**
 * The clients of SQS for Node, loaded when a test file begins: without them their tests are skipped, and all
 * others run.
 */

/** What an operation gives; tests look into it. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Output = any;

/** The aggregated client of the AWS SDK: a method for each operation. */
export interface SqsClient {
  readonly [operation: string]: (
    input: object,
    options?: { readonly abortSignal?: AbortSignal },
  ) => Promise<Output>;
}

interface Sdk {
  readonly SQS: new (options: object) => SqsClient;
}

/** An application of the package sqs-consumer. */
export interface ConsumerApplication {
  start(): void;
  stop(options?: { readonly abort?: boolean }): void;
  on(event: string, listener: (...given: readonly Output[]) => void): void;
}

interface ConsumerPackage {
  readonly Consumer: { create(options: object): ConsumerApplication };
}

async function load<T>(name: string): Promise<T | undefined> {
  try {
    return (await import(name)) as T;
  } catch {
    return undefined;
  }
}

const sdk = await load<Sdk>('@aws-sdk/client-sqs');
const consumers = await load<ConsumerPackage>('sqs-consumer');

export const skip: string | false =
  sdk && consumers ? false : 'there is no @aws-sdk/client-sqs or sqs-consumer: npm ci brings them';

/** A client with credentials that prove nothing. */
export function sqsAt(port: number, options: object = {}): SqsClient {
  return new sdk!.SQS({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
    ...options,
  });
}

export function consumerOf(options: object): ConsumerApplication {
  return consumers!.Consumer.create(options);
}

/** Creates a queue and returns its URL. */
export async function makeQueue(
  sqs: SqsClient,
  QueueName: string,
  Attributes: { readonly [name: string]: string } = {},
): Promise<string> {
  const isFifo = QueueName.endsWith('.fifo');
  const { QueueUrl } = await sqs['createQueue']!({
    QueueName,
    Attributes: { ...Attributes, ...(isFifo && { FifoQueue: 'true' }) },
  });
  return QueueUrl;
}
