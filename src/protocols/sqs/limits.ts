import type { HttpLimits } from '../http/index.ts';

/** The limits of SQS for messages, batches and waits. Times are in seconds, as in SQS. */
export const sqsLimits = {
  /** The largest message: its body and its attributes. Also the largest batch. */
  messageBytesMax: 2 ** 20,
  batchEntriesMax: 10,
  attributesMax: 10,
  receivedMax: 10,
  waitMax: 20,
  delayMax: 900,
  /** 12 hours, which also is the longest time from a receive to its last extended deadline. */
  visibilityMax: 43_200,
  listedMax: 1_000,
  tagsMax: 50,
  /** Messages received at once that are larger than those of SQS, as other protocols allow them. */
  receivedBytesMax: 10 * 2 ** 20,
} as const;

/**
 * The limits of the door. A body has a message or batch of a MiB, which JSON and forms write with up to three
 * bytes for one, and its envelope. Between two requests a client may be silent for as long as the connections of
 * an AWS SDK are kept.
 */
export const doorLimits: Partial<HttpLimits> = { bodyBytesMax: 4 * 2 ** 20 };
