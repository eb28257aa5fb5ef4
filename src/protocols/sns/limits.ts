/** The limits of SNS. Sizes are in bytes, as SNS counts them. */
export interface SnsLimits {
  /** The largest message, and the largest batch: body, subject and attributes. */
  readonly messageBytesMax: number;
  readonly batchEntriesMax: number;
  readonly topicsMax: number;
  /** Subscriptions of a topic; a publish is written to all of their queues in one commit. */
  readonly subscriptionsMax: number;
  readonly subscriptionsOfFifoMax: number;
  /** Subscriptions of a topic with a filter policy. */
  readonly filterPoliciesMax: number;
  /** Topics and subscriptions in one page of a list. */
  readonly listedMax: number;
  readonly tagsMax: number;
  /** For how long a FIFO topic knows a deduplication id, in milliseconds. */
  readonly deduplicationMs: number;
  /** Publishes of a FIFO topic that are known without a look at the ledger. */
  readonly deduplicationIdsMax: number;
}

export const snsLimits: SnsLimits = {
  messageBytesMax: 256 * 1024,
  batchEntriesMax: 10,
  topicsMax: 100_000,
  subscriptionsMax: 1_000,
  subscriptionsOfFifoMax: 100,
  filterPoliciesMax: 200,
  listedMax: 100,
  tagsMax: 50,
  deduplicationMs: 5 * 60_000,
  deduplicationIdsMax: 100_000,
};
