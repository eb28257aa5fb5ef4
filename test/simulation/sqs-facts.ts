import type { SqsEntry, SqsTraits } from './sqs-script.ts';

/** A message of an answer to a receive. A receipt has a number; the same handle has the same one. */
export interface SqsSeen {
  /** -1 when the body names no message. */
  readonly name: number;
  readonly receipt: number;
  readonly messageId: string;
  /** In FIFO queues. */
  readonly sequence?: string;
  readonly count: number;
  readonly group?: string;
  /** How it differs from the message that was sent. */
  readonly altered?: string;
}

/** What an entry of a batch, or a single request, was answered. */
export type SqsResult =
  | { readonly kind: 'done'; readonly messageId?: string; readonly sequence?: string }
  | { readonly kind: 'failed'; readonly code: string };

/** A request of an SQS client. */
export type SqsAsk =
  | { readonly what: 'create'; readonly queue: string; readonly traits: SqsTraits }
  | { readonly what: 'send'; readonly queue: string; readonly entries: readonly SqsEntry[] }
  | {
      readonly what: 'receive';
      readonly queue: string;
      readonly wait: number;
      readonly visibility: number;
      readonly attempt?: string;
    }
  /** Receipts by number; -1: a handle that was made up. */
  | { readonly what: 'delete'; readonly queue: string; readonly receipts: readonly number[] }
  | {
      readonly what: 'change';
      readonly queue: string;
      readonly receipts: readonly number[];
      readonly seconds: number;
    }
  | { readonly what: 'purge'; readonly queue: string }
  | { readonly what: 'move'; readonly source: string; readonly destination?: string };

/** What SQS clients say and hear. */
export type SqsFact =
  | { readonly kind: 'sqs-asked'; readonly ask: SqsAsk }
  /** The answer to the request of that event. */
  | {
      readonly kind: 'sqs-told';
      readonly of: number;
      /** Of requests that are refused as a whole. */
      readonly error?: string;
      /** In the order of the entries; undefined: none was said. */
      readonly results?: readonly (SqsResult | undefined)[];
      readonly seen?: readonly SqsSeen[];
    }
  /** The client has left, and hears no answer. */
  | { readonly kind: 'sqs-left'; readonly of: number }
  /** All queues were received and deleted to their ends. */
  | { readonly kind: 'sqs-drained' };
