import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const retryMs = 10;

/** A refusal of SQS: its code and text. */
export class SqsRefusal extends Error {
  readonly code: string;

  constructor(code: string, text: string) {
    super(`${code}: ${text}`);
    this.code = code;
  }
}

/** A message as a receive gives it. */
export interface SqsMessage {
  readonly Body: string;
  readonly ReceiptHandle: string;
  readonly Attributes: { readonly [name: string]: string };
}

/** The result of an entry of a batch. */
export interface SqsEntry {
  readonly Id: string;
  readonly SequenceNumber?: string;
  /** Of an entry that failed. */
  readonly Code?: string;
  readonly Message?: string;
}

/** The members of answers that these clients read. */
export interface SqsAnswer {
  readonly QueueUrl?: string;
  readonly SequenceNumber?: string;
  readonly Messages?: readonly SqsMessage[];
  readonly Successful?: readonly SqsEntry[];
  readonly Failed?: readonly SqsEntry[];
}

/**
 * An SQS client of bare requests in AWS JSON. A request that was not answered is not repeated, so that the
 * caller knows.
 */
export class SqsWire implements Disposable {
  readonly port: number;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(port: number) {
    this.port = port;
  }

  /** The path by which SQS knows a queue. */
  url(queue: string): string {
    return `http://127.0.0.1:${this.port}/000000000000/${queue}`;
  }

  /** Rejects with an SqsRefusal, or with the error of a broken connection. */
  call(action: string, input: object): Promise<SqsAnswer> {
    const body = Buffer.from(JSON.stringify(input));
    return new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: this.port,
        method: 'POST',
        agent: this.#agent,
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `AmazonSQS.${action}`,
          'x-amzn-query-mode': 'true',
          'content-length': body.length,
        },
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('aborted', () => reject(new Error('the connection broke')));
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString('utf8');
          if (response.statusCode === 200) return resolve(text === '' ? {} : (JSON.parse(text) as SqsAnswer));
          const code = String(response.headers['x-amzn-query-error'] ?? response.statusCode);
          reject(new SqsRefusal(code.split(';')[0]!, text));
        });
      });
      sent.end(body);
    });
  }

  /** Resolves as soon as a broker answers. */
  async connectPatiently(): Promise<void> {
    for (;;) {
      try {
        await this.call('ListQueues', { MaxResults: 1 });
        return;
      } catch {
        await sleep(retryMs);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/** The sequence by which other clients know a message of a FIFO queue: sequences of NATS begin at 1. */
export function sequenceOf(sequenceNumber: string | undefined): number {
  return Number((sequenceNumber ?? '').slice(1)) + 1;
}
