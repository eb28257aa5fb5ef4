import type { TransactionalProducer } from '../../../broker/index.ts';

/** Kafka's names for the states of a transactional id. "Dead" and "PrepareEpochFence" do not occur here. */
export const transactionStates = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
] as const;

export type TransactionState = (typeof transactionStates)[number];

/** "Empty" also stands for a producer that was fenced, or timed out, since its last transaction. */
export function transactionStateOf({ transaction, ending, ended }: TransactionalProducer): TransactionState {
  if (transaction) return 'Ongoing';
  if (ending) return ended?.outcome === 'commit' ? 'PrepareCommit' : 'PrepareAbort';
  if (ended) return ended.outcome === 'commit' ? 'CompleteCommit' : 'CompleteAbort';
  return 'Empty';
}
