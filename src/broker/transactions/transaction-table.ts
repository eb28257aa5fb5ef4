import type { TransactionEntry, TransactionalProducerEntry } from '../entries.ts';
import {
  Transaction,
  TransactionalProducer,
  positionKey,
  storedPosition,
  type PositionInTransaction,
  type TransactionGroup,
  type TransactionPartition,
} from './transactional-producer.ts';

/** Partitions, groups and positions to add to a transaction. */
export interface TransactionGrowth {
  readonly partitions?: readonly TransactionPartition[];
  readonly groups?: readonly string[];
  readonly positions?: readonly PositionInTransaction[];
}

/** Partitions and groups by the ids in stored entries; undefined if they were deleted since. */
export interface TransactionPlaces {
  partition(id: number): TransactionPartition | undefined;
  group(id: number): TransactionGroup | undefined;
}

/**
 * The transaction table holds all transactional producers, by transactional id and by producer id, and the
 * undecided positions of groups. {@link Transactions} makes the decisions; the table also reads the state
 * back from the journal.
 */
export class TransactionTable {
  readonly #byName = new Map<string, TransactionalProducer>();
  readonly #byProducerId = new Map<number, TransactionalProducer>();
  /**
   * By {@link positionKey}: the number of transactions with a position for it, including those whose end is
   * not on disk yet.
   */
  readonly #undecidedPositions = new Map<string, number>();
  #openCount = 0;

  get size(): number {
    return this.#byName.size;
  }

  get openCount(): number {
    return this.#openCount;
  }

  find(transactionalId: string): TransactionalProducer | undefined {
    return this.#byName.get(transactionalId);
  }

  ofProducerId(producerId: number): TransactionalProducer | undefined {
    return this.#byProducerId.get(producerId);
  }

  producers(): Iterable<TransactionalProducer> {
    return this.#byName.values();
  }

  add(producer: TransactionalProducer): void {
    this.#byName.set(producer.transactionalId, producer);
    this.#byProducerId.set(producer.producerId, producer);
  }

  remove(producer: TransactionalProducer): void {
    this.#byName.delete(producer.transactionalId);
    this.#byProducerId.delete(producer.producerId);
  }

  /** Gives the producer its next epoch, or `spareId` and epoch 0 if its epochs are used up. */
  raise(producer: TransactionalProducer, spareId: number): void {
    this.#byProducerId.delete(producer.producerId);
    producer.raise(spareId);
    this.#byProducerId.set(producer.producerId, producer);
  }

  begin(producer: TransactionalProducer, startedMs: number): Transaction {
    this.#openCount++;
    return (producer.transaction = new Transaction(startedMs));
  }

  /** Adds to a transaction. Returns the new parts, for the journal; undefined if there are none. */
  extend(
    transaction: Transaction,
    { partitions = [], groups = [], positions = [] }: TransactionGrowth,
  ): TransactionEntry | undefined {
    const newPartitions = partitions.filter((one) => !transaction.partitions.has(one));
    const newGroups = groups.filter((one) => !transaction.groups.has(one));
    if (newPartitions.length + newGroups.length + positions.length === 0) return undefined;
    for (const partition of newPartitions) transaction.partitions.add(partition);
    for (const group of newGroups) transaction.groups.add(group);
    for (const position of positions) {
      const key = positionKey(position.group, position.partition);
      if (!transaction.positions.has(key))
        this.#undecidedPositions.set(key, (this.#undecidedPositions.get(key) ?? 0) + 1);
      transaction.positions.set(key, position);
    }
    return {
      partitions: newPartitions.map(({ log }) => log.id),
      groups: newGroups,
      positions: positions.map(storedPosition),
    };
  }

  /** Ends the producer's transaction. Its positions stay undecided until {@link decidePositions}. */
  end(producer: TransactionalProducer): Transaction | undefined {
    const { transaction } = producer;
    if (!transaction) return undefined;
    producer.transaction = undefined;
    this.#openCount--;
    transaction.timer?.cancel();
    return transaction;
  }

  decidePositions(transaction: Transaction): void {
    for (const key of transaction.positions.keys()) {
      const left = (this.#undecidedPositions.get(key) ?? 0) - 1;
      if (left > 0) this.#undecidedPositions.set(key, left);
      else this.#undecidedPositions.delete(key);
    }
  }

  hasUndecidedPosition(group: TransactionGroup, partition: number): boolean {
    return this.#undecidedPositions.size > 0 && this.#undecidedPositions.has(positionKey(group, partition));
  }

  // ---- reading back

  restore(producerId: number, entry: TransactionalProducerEntry, places: TransactionPlaces): void {
    const { transactionalId, epoch, timeoutMs, usedMs, transaction } = entry;
    const known = this.#byName.get(transactionalId);
    if (known) this.#forget(known);
    const producer = new TransactionalProducer(transactionalId, producerId, epoch, timeoutMs, usedMs);
    producer.previousId = entry.previousId;
    producer.previousEpoch = entry.previousEpoch;
    producer.ended = entry.ended;
    this.add(producer);
    if (transaction) this.extend(this.begin(producer, transaction.startedMs), growthOf(transaction, places));
  }

  restoreGrowth(producerId: number, entry: TransactionEntry, places: TransactionPlaces): void {
    const transaction = this.#byProducerId.get(producerId)?.transaction;
    if (transaction) this.extend(transaction, growthOf(entry, places));
  }

  restoreForgotten(producerId: number): void {
    const producer = this.#byProducerId.get(producerId);
    if (producer) this.#forget(producer);
  }

  #forget(producer: TransactionalProducer): void {
    this.remove(producer);
    const transaction = this.end(producer);
    if (transaction) this.decidePositions(transaction);
  }
}

function growthOf(
  { partitions, groups, positions }: TransactionEntry,
  places: TransactionPlaces,
): TransactionGrowth {
  return {
    partitions: partitions.map((id) => places.partition(id)).filter((one) => one !== undefined),
    groups,
    positions: positions.flatMap(([id, partition, offset, metadata, epoch]) => {
      const group = places.group(id);
      return group ? [{ group, partition, offset, metadata, ...(epoch === undefined ? {} : { epoch }) }] : [];
    }),
  };
}
