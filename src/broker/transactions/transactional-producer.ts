import type { Outcome } from '../../log/index.ts';
import type { Timer } from '../../util/index.ts';
import type { TransactionEntry, TransactionalProducerEntry } from '../entries.ts';
import type { PartitionTransactions } from '../partitions/partition-transactions.ts';

/** Who a producer is: its id, and which life of it this is. A later epoch fences an earlier one. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly epoch: number;
}

/** A partition as the transactions know it that write to it. */
export interface TransactionPartition {
  readonly index: number;
  readonly log: { readonly id: number; readonly volatile: boolean };
  readonly transactions: PartitionTransactions;
  readonly topic: {
    readonly name: string;
    readonly isDeleted: boolean;
    /** A transaction was decided: these are its messages here, as flat pairs of from and to. */
    decided(partition: TransactionPartition, outcome: Outcome, runs: readonly number[]): void;
  };
  /** See {@link Partition.endTransaction}. */
  endTransaction(outcome: Outcome, producerId: number, producerEpoch: number): readonly number[];
}

/** A group as the transactions know it that commit positions of it. */
export interface TransactionGroup {
  readonly id: number;
  readonly isClosed: boolean;
  commitOffset(partition: number, offset: number, metadata: string, epoch?: number): void;
}

/** A position that a group gets when the transaction commits. */
export interface PositionInTransaction {
  readonly group: TransactionGroup;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
  readonly epoch?: number;
}

/** An open transaction: what it has written to, and what it will commit besides. */
export class Transaction {
  readonly startedMs: number;
  readonly partitions: Set<TransactionPartition> = new Set();
  /** Names under which positions may be added; a name may stand for groups of several topics. */
  readonly groups: Set<string> = new Set();
  /** By {@link positionKey}: the last one counts. */
  readonly positions: Map<string, PositionInTransaction> = new Map();
  timer: Timer | undefined = undefined;

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }
}

export function positionKey(group: { readonly id: number }, partition: number): string {
  return `${group.id}/${partition}`;
}

/** Epochs are 16 bits, and the last one is for fencing. */
const epochMax = 2 ** 15 - 2;

/**
 * A transactional producer is a transactional id: the identity of whoever writes under it now, and its open
 * transaction, if any.
 *
 * Stored: all but {@link ending} and the timer.
 */
export class TransactionalProducer {
  readonly transactionalId: string;
  producerId: number;
  epoch: number;
  timeoutMs: number;
  /** When it was last heard of: milliseconds since the epoch. */
  usedMs: number;
  previousId: number | undefined = undefined;
  previousEpoch: number | undefined = undefined;
  ended: TransactionalProducerEntry['ended'] = undefined;
  transaction: Transaction | undefined = undefined;
  /** Until the end of the last transaction is on disk. */
  ending: Promise<void> | undefined = undefined;

  constructor(transactionalId: string, producerId: number, epoch: number, timeoutMs: number, usedMs: number) {
    this.transactionalId = transactionalId;
    this.producerId = producerId;
    this.epoch = epoch;
    this.timeoutMs = timeoutMs;
    this.usedMs = usedMs;
  }

  get identity(): ProducerIdentity {
    return { producerId: this.producerId, epoch: this.epoch };
  }

  /** There is no next epoch: it needs another producer id. */
  get isExhausted(): boolean {
    return this.epoch >= epochMax;
  }

  /** Whether this is who it was before it got another producer id, which it may not have heard of. */
  wasExhausted({ producerId, epoch }: ProducerIdentity): boolean {
    return producerId === this.previousId && epoch >= epochMax;
  }

  /** A later life; `spareId` is for one whose epochs are used up. */
  raise(spareId: number): void {
    if (this.isExhausted) {
      this.previousId = this.producerId;
      this.producerId = spareId;
      this.epoch = 0;
    } else this.epoch++;
  }

  /** How the transaction ended that this identity asks about; undefined: it is about another one, or none. */
  outcomeFor({ producerId, epoch }: ProducerIdentity): Outcome | undefined {
    const { ended } = this;
    return ended?.producerId === producerId && ended.epoch === epoch ? ended.outcome : undefined;
  }

  entry(): TransactionalProducerEntry {
    const { transactionalId, epoch, timeoutMs, usedMs, previousId, previousEpoch, ended, transaction } = this;
    return {
      transactionalId,
      epoch,
      timeoutMs,
      usedMs,
      ...(previousId === undefined ? {} : { previousId }),
      ...(previousEpoch === undefined ? {} : { previousEpoch }),
      ...(ended === undefined ? {} : { ended }),
      ...(transaction === undefined
        ? {}
        : {
            transaction: {
              startedMs: transaction.startedMs,
              partitions: Array.from(transaction.partitions, ({ log }) => log.id),
              groups: [...transaction.groups],
              positions: Array.from(transaction.positions.values(), storedPosition),
            },
          }),
    };
  }
}

export function storedPosition({
  group,
  partition,
  offset,
  metadata,
  epoch,
}: PositionInTransaction): TransactionEntry['positions'][number] {
  return epoch === undefined
    ? [group.id, partition, offset, metadata]
    : [group.id, partition, offset, metadata, epoch];
}
