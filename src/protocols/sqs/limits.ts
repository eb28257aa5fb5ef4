import type { HttpLimits } from '../http/index.ts';

/** The limits of SQS for messages, batches and waits. Times are in seconds, as in SQS. */
export interface SqsLimits {
  /** The largest message: its body and its attributes. Also the largest batch. */
  readonly messageBytesMax: number;
  readonly batchEntriesMax: number;
  /** Attributes of a message. */
  readonly attributesMax: number;
  /** Messages that one receive may ask for. */
  readonly receivedMax: number;
  readonly waitMax: number;
  readonly delayMax: number;
  /** Also the longest time from a receive to its last deadline, however often it is extended. */
  readonly visibilityMax: number;
  /** Queues in one page of a list. */
  readonly listedMax: number;
  readonly tagsMax: number;
  /** Bytes of messages that one receive gets; those of other protocols may be larger than those of SQS. */
  readonly receivedBytesMax: number;
}

export const sqsLimits: SqsLimits = {
  messageBytesMax: 2 ** 20,
  batchEntriesMax: 10,
  attributesMax: 10,
  receivedMax: 10,
  waitMax: 20,
  delayMax: 900,
  visibilityMax: 43_200,
  listedMax: 1_000,
  tagsMax: 50,
  receivedBytesMax: 10 * 2 ** 20,
};

/**
 * The limits of the door. A body has a message or batch of a MiB, which JSON and forms write with up to three
 * bytes for one, and its envelope. Between two requests a client may be silent for as long as the connections
 * of an AWS SDK are kept.
 */
export const doorLimits: Partial<HttpLimits> = { bodyBytesMax: 4 * 2 ** 20 };
