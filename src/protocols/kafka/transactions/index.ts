import type { Handlers } from '../handler.ts';
import { addOffsetsToTxn } from './add-offsets-to-txn.ts';
import { addPartitionsToTxn } from './add-partitions-to-txn.ts';
import { describeProducers } from './describe-producers.ts';
import { describeTransactions } from './describe-transactions.ts';
import { endTxn } from './end-txn.ts';
import { listTransactions } from './list-transactions.ts';
import { txnOffsetCommit } from './txn-offset-commit.ts';

export { transactionErrorCode } from './errors.ts';
export { initTransactionalProducer } from './init-transactional-producer.ts';

/**
 * The handlers of APIs that are only about transactions. InitProducerId, Produce and Fetch handle them too.
 */
export const transactionHandlers: Handlers = {
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  EndTxn: endTxn,
  TxnOffsetCommit: txnOffsetCommit,
  DescribeProducers: describeProducers,
  DescribeTransactions: describeTransactions,
  ListTransactions: listTransactions,
};
