/** Limits of transactions; requests beyond them are refused. */
export interface TransactionLimits {
  /** Known transactional ids. */
  readonly producersMax: number;
  /** Open transactions. */
  readonly openMax: number;
  readonly partitionsPerTransactionMax: number;
  /** The group names in one transaction, and also the positions in it. */
  readonly positionsPerTransactionMax: number;
  /** The longest timeout that a producer may ask for (Kafka: transaction.max.timeout.ms). */
  readonly timeoutMsMax: number;
  /**
   * A transactional id that was not used for this long is forgotten (Kafka: transactional.id.expiration.ms).
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
