import type { Outcome } from '../../log/index.ts';
import type { Timer } from '../../util/index.ts';
import type { TransactionEntry, TransactionalProducerEntry } from '../entries.ts';
import type { PartitionTransactions } from '../partitions/partition-transactions.ts';

/** The identity of a producer: its id and its epoch. A later epoch fences an earlier one. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly epoch: number;
}

/** A partition, as transactions see it. */
export interface TransactionPartition {
  readonly index: number;
  readonly log: { readonly id: number; readonly volatile: boolean };
  readonly transactions: PartitionTransactions;
  readonly topic: {
    readonly name: string;
    readonly isDeleted: boolean;
    /**
     * Called when a transaction was decided; `runs` are its messages in the partition, as flat pairs of from
     * and to.
     */
    decided(partition: TransactionPartition, outcome: Outcome, runs: readonly number[]): void;
  };
  /** See {@link Partition.endTransaction}. */
  endTransaction(outcome: Outcome, producerId: number, producerEpoch: number): readonly number[];
}

/** A group, as transactions see it. */
export interface TransactionGroup {
  readonly id: number;
  readonly isClosed: boolean;
  commitOffset(partition: number, offset: number, metadata: string, epoch?: number): void;
}

/** A position that a group gets if the transaction commits. */
export interface PositionInTransaction {
  readonly group: TransactionGroup;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
  readonly epoch?: number;
}

/** An open transaction: the partitions that it writes to, and the positions that it will commit. */
export class Transaction {
  readonly startedMs: number;
  readonly partitions: Set<TransactionPartition> = new Set();
  /** Group names under which positions may be added; a name may stand for groups of several topics. */
  readonly groups: Set<string> = new Set();
  /** By {@link positionKey}; a later position replaces an earlier one. */
  readonly positions: Map<string, PositionInTransaction> = new Map();
  timer: Timer | undefined = undefined;

  constructor(startedMs: number) {
    this.startedMs = startedMs;
  }
}

export function positionKey(group: { readonly id: number }, partition: number): string {
  return `${group.id}/${partition}`;
}

/** Epochs are signed 16-bit numbers, and the last one is for fencing. */
const epochMax = 2 ** 15 - 2;

/**
 * A transactional producer is a transactional id, with the identity of its current producer and its open
 * transaction, if any.
 *
 * All of it is stored, except {@link ending} and the timer.
 */
export class TransactionalProducer {
  readonly transactionalId: string;
  producerId: number;
  epoch: number;
  timeoutMs: number;
  /** The time of the last use, in milliseconds since the epoch. */
  usedMs: number;
  previousId: number | undefined = undefined;
  previousEpoch: number | undefined = undefined;
  ended: TransactionalProducerEntry['ended'] = undefined;
  transaction: Transaction | undefined = undefined;
  /** Set until the end of the last transaction is on disk. */
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

  /** Whether all epochs are used up, so that it needs another producer id. */
  get isExhausted(): boolean {
    return this.epoch >= epochMax;
  }

  /**
   * Whether this is the last identity under the previous producer id: the producer may not have got the
   * answer with the new one.
   */
  wasExhausted({ producerId, epoch }: ProducerIdentity): boolean {
    return producerId === this.previousId && epoch >= epochMax;
  }

  /** Moves on to the next epoch, or to `spareId` and epoch 0 if the epochs are used up. */
  raise(spareId: number): void {
    if (this.isExhausted) {
      this.previousId = this.producerId;
      this.producerId = spareId;
      this.epoch = 0;
    } else this.epoch++;
  }

  /** The outcome of the last transaction, if this identity ended it; otherwise undefined. */
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
