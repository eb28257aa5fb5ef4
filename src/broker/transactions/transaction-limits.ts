/** What transactions may take; all of it can be refused. */
export interface TransactionLimits {
  /** Transactional ids that are known at once. */
  readonly producersMax: number;
  /** Transactions that are open at once. */
  readonly openMax: number;
  readonly partitionsPerTransactionMax: number;
  /** Names of groups, and positions of partitions, in one transaction. */
  readonly positionsPerTransactionMax: number;
  /** Longest time that a producer may ask for (Kafka: transaction.max.timeout.ms). */
  readonly timeoutMsMax: number;
  /**
   * A transactional id that was not used for so long is forgotten (Kafka: transactional.id.expiration.ms).
   */
  readonly idleMsMax: number;
}

export const defaultTransactionLimits: TransactionLimits = {
  producersMax: 100_000,
  openMax: 10_000,
  partitionsPerTransactionMax: 10_000,
  positionsPerTransactionMax: 10_000,
  timeoutMsMax: 15 * 60_000,
  idleMsMax: 7 * 24 * 60 * 60_000,
};
