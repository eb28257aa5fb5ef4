import { Sqs } from '../../src/protocols/sqs/sqs.ts';
import { handlers } from '../../src/protocols/sqs/operations/index.ts';
import { refusalOf } from '../../src/protocols/sqs/errors.ts';
import type { Caller } from '../../src/protocols/sqs/caller.ts';
import { fullAccess } from '../../src/protocols/users/index.ts';
import {
  jsonReply,
  readJson,
  sqsOperations,
  type Members,
  type Operation,
  type SqsAction,
  type Structure,
} from '../../src/wire/aws/index.ts';
import { ClientRun, type ClientRunParts } from './client-run.ts';

/** The members of answers that the clients read. */
export interface SqsOutputs {
  readonly QueueUrl?: string;
  readonly MessageId?: string;
  readonly SequenceNumber?: string;
  readonly TaskHandle?: string;
  readonly Messages?: readonly {
    readonly MessageId: string;
    readonly ReceiptHandle: string;
    readonly MD5OfBody: string;
    readonly Body: string;
    readonly Attributes: { readonly [name: string]: string };
    readonly MessageAttributes?: { readonly [name: string]: object };
  }[];
  readonly Successful?: readonly {
    readonly Id: string;
    readonly MessageId?: string;
    readonly SequenceNumber?: string;
  }[];
  readonly Failed?: readonly { readonly Id: string; readonly Code: string }[];
}

/** An answer of SQS: the output of an operation, or the code of its refusal. */
export type SqsAnswer =
  | { readonly kind: 'output'; readonly output: SqsOutputs }
  | { readonly kind: 'refused'; readonly code: string };

/** A handler whose operation decides the types of input and output. */
type AnyHandler = (
  sqs: Sqs,
  caller: Caller,
  input: Structure<Members>,
) => Structure<Members> | Promise<Structure<Members>>;

/**
 * An SQS run is one life of the broker as SQS clients see it. Requests and answers are JSON, as on the wire;
 * only sockets and HTTP are left out.
 */
export class SqsRun extends ClientRun {
  readonly sqs: Sqs;

  constructor(parts: ClientRunParts) {
    super(parts);
    this.sqs = new Sqs(parts.broker, 120_000);
  }

  /** Carries an operation out. What it does at once is done when this returns. */
  async call(action: SqsAction, input: object, signal: AbortSignal): Promise<SqsAnswer> {
    const caller: Caller = {
      account: '000000000000',
      region: 'us-east-1',
      origin: 'http://127.0.0.1:9324',
      user: null,
      access: fullAccess,
      address: 'simulated',
      signal,
    };
    try {
      const operation = sqsOperations[action] as Operation;
      const read = readJson(operation, Buffer.from(JSON.stringify(input)));
      const output = await (handlers[action] as AnyHandler)(this.sqs, caller, read);
      const { body } = jsonReply(operation, output, 'simulated');
      return { kind: 'output', output: body === '' ? {} : (JSON.parse(body) as SqsOutputs) };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal) return { kind: 'refused', code: refusal.code() };
      this.problem(`an operation of SQS failed: ${action} ${String((error as Error).stack ?? error)}`);
      return { kind: 'refused', code: 'InternalFailure' };
    }
  }
}
