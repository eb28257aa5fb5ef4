import type { Batch, Outcome } from '../../log/index.ts';
import type { Clock, SteadyTime, Timer } from '../../util/index.ts';
import { EntryKind, type TransactionEntry, type TransactionalProducerEntry } from '../entries.ts';
import type { BrokerError } from '../errors.ts';
import type { BatchTransaction } from '../topics/publishes.ts';
import { defaultTransactionLimits, type TransactionLimits } from './transaction-limits.ts';
import { transactionRefusal } from './transaction-refusals.ts';
import { TransactionTable, type TransactionGrowth, type TransactionPlaces } from './transaction-table.ts';
import {
  TransactionalProducer,
  type PositionInTransaction,
  type ProducerIdentity,
  type Transaction,
  type TransactionGroup,
  type TransactionPartition,
} from './transactional-producer.ts';

/** The services that the broker offers to transactions. */
export interface TransactionsHost extends TransactionPlaces {
  readonly clock: Clock;
  readonly steady: SteadyTime;
  /** The reason why nothing can be changed any more, if any. */
  readonly refusal: BrokerError | undefined;
  record(kind: number, id: number, payload: Uint8Array): void;
  afterCommit(callback: () => void): void;
  takeProducerId(): Promise<number>;
  partitions(): Iterable<TransactionPartition>;
}

/** The identity and the transactional id of a caller. */
export interface TransactionCaller extends ProducerIdentity {
  readonly transactionalId: string;
}

const sweepEveryMs = 60 * 60_000;
const epochMax = 2 ** 15 - 1;
const transactionalIdLengthMax = 2 ** 15 - 1;

/**
 * Transactions are messages in several partitions, and positions of groups, that become visible together or
 * not at all.
 *
 * ```
 *   none ──first partition or group──► open ──commit, abort, timeout, another producer──► ending ──on disk──► none
 * ```
 * There is one process and one journal. The end of a transaction is a marker in each of its partitions, the
 * positions, and the state of its producer, all in one commit. There is no prepare phase, so a transaction is
 * never found half done.
 *
 * Until then its messages are in the log like others, and {@link Partition.stableEnd} keeps readers below the
 * first of them. The producer's epoch is raised by each end that the producer did not ask for, and by each
 * end whose answer tells the producer the new epoch. Late batches of the old epoch are refused, and cannot
 * become part of the next transaction.
 */
export class Transactions {
  readonly limits: TransactionLimits;
  readonly #host: TransactionsHost;
  readonly #table = new TransactionTable();
  #sweep: Timer | undefined = undefined;
  #resumed = false;

  constructor(host: TransactionsHost, limits: Partial<TransactionLimits> = {}) {
    this.#host = host;
    this.limits = { ...defaultTransactionLimits, ...limits };
  }

  /** The number of known transactional ids. */
  get size(): number {
    return this.#table.size;
  }

  /** The number of open transactions. */
  get openCount(): number {
    return this.#table.openCount;
  }

  producers(): Iterable<TransactionalProducer> {
    return this.#table.producers();
  }

  find(transactionalId: string): TransactionalProducer | undefined {
    return this.#table.find(transactionalId);
  }

  // ---- producers

  /**
   * Makes the caller the only producer of a transactional id. A previous producer is fenced, and its open
   * transaction is aborted. `expected`: the caller's current identity, which must be the known one. Resolves,
   * when that is durable, to the caller's new identity.
   */
  async init(
    transactionalId: string,
    timeoutMs: number,
    expected?: ProducerIdentity,
  ): Promise<ProducerIdentity> {
    const { timeoutMsMax, producersMax } = this.limits;
    if (timeoutMs < 1 || timeoutMs > timeoutMsMax) throw transactionRefusal.timeout(timeoutMs, timeoutMsMax);
    if (transactionalId === '' || transactionalId.length > transactionalIdLengthMax)
      throw transactionRefusal.name(transactionalIdLengthMax);
    for (let spareId = -1; ; spareId = await this.#host.takeProducerId()) {
      this.#checkOpen();
      const producer = this.#table.find(transactionalId);
      if (producer?.ending) await producer.ending;
      const known = this.#table.find(transactionalId);
      if (known) {
        if (expected && !isExpected(known, expected)) {
          if (isRetry(known, expected)) return this.#durable(known.identity);
          throw transactionRefusal.fenced(known, expected.epoch);
        }
        if (spareId < 0 && known.isExhausted) continue;
        return this.#takeOver(known, timeoutMs, spareId, expected);
      }
      if (this.#table.size >= producersMax) throw transactionRefusal.manyProducers(producersMax);
      if (spareId < 0) continue;
      const created = new TransactionalProducer(
        transactionalId,
        spareId,
        0,
        timeoutMs,
        this.#host.clock.now(),
      );
      this.#table.add(created);
      this.#record(created);
      this.#armSweep();
      return this.#durable(created.identity);
    }
  }

  #takeOver(
    producer: TransactionalProducer,
    timeoutMs: number,
    spareId: number,
    expected: ProducerIdentity | undefined,
  ): Promise<ProducerIdentity> {
    const { epoch } = producer;
    if (producer.transaction) this.#end(producer, 'abort', { spareId });
    else this.#table.raise(producer, spareId);
    producer.previousEpoch = expected && producer.epoch > 0 ? epoch : undefined;
    producer.ended = undefined;
    producer.timeoutMs = timeoutMs;
    producer.usedMs = this.#host.clock.now();
    this.#record(producer);
    return this.#durable(producer.identity);
  }

  /** The caller's producer, if it is the current one of its transactional id. Throws a BrokerError. */
  #callerOf(caller: TransactionCaller): TransactionalProducer {
    this.#checkOpen();
    const producer = this.#table.find(caller.transactionalId);
    if (!producer || producer.producerId !== caller.producerId)
      throw transactionRefusal.unknown(caller.producerId, caller.transactionalId);
    if (producer.ending) throw transactionRefusal.busy(producer);
    if (producer.epoch !== caller.epoch) throw transactionRefusal.fenced(producer, caller.epoch);
    return producer;
  }

  #checkOpen(): void {
    if (this.#host.refusal) throw this.#host.refusal;
  }

  // ---- partitions and positions of a transaction

  /** Adds partitions that the transaction will write to. Resolves when that is durable. */
  addPartitions(caller: TransactionCaller, partitions: readonly TransactionPartition[]): Promise<void> {
    return this.#grow(this.#callerOf(caller), { partitions });
  }

  /** Whether a partition was added; throws if the caller is not the current producer. */
  hasPartition(caller: TransactionCaller, partition: TransactionPartition): boolean {
    return this.#callerOf(caller).transaction?.partitions.has(partition) ?? false;
  }

  /** Adds a group name under which the transaction will commit positions. Resolves when that is durable. */
  addGroup(caller: TransactionCaller, group: string): Promise<void> {
    return this.#grow(this.#callerOf(caller), { groups: [group] });
  }

  /**
   * Throws a BrokerError if the transaction may not commit positions under this name. `adds`: the name need
   * not have been added before.
   */
  checkGroup(caller: TransactionCaller, group: string, adds: boolean): void {
    const producer = this.#callerOf(caller);
    if (!adds && !producer.transaction?.groups.has(group))
      throw transactionRefusal.notPart(producer, `Group "${group}"`);
  }

  /** Adds positions that groups get if the transaction commits. Resolves when that is durable. */
  addPositions(
    caller: TransactionCaller,
    group: string,
    positions: readonly PositionInTransaction[],
  ): Promise<void> {
    return this.#grow(this.#callerOf(caller), { groups: [group], positions });
  }

  /**
   * Whether an undecided transaction has a position for the group in this partition, so that the committed
   * position may be about to change.
   */
  hasUndecidedPosition(group: TransactionGroup, partition: number): boolean {
    return this.#table.hasUndecidedPosition(group, partition);
  }

  #grow(producer: TransactionalProducer, growth: TransactionGrowth): Promise<void> {
    const refused = this.#refusalOfGrowth(producer, growth);
    if (refused) return Promise.reject(refused);
    const isNew = producer.transaction === undefined;
    const transaction = this.#begun(producer);
    const entry = this.#table.extend(transaction, growth);
    if (isNew) this.#record(producer);
    else if (entry) this.#host.record(EntryKind.transactionGrew, producer.producerId, json(entry));
    return this.#durable(undefined);
  }

  #refusalOfGrowth(
    { transactionalId, transaction }: TransactionalProducer,
    { partitions = [], groups = [], positions = [] }: TransactionGrowth,
  ): BrokerError | undefined {
    const { openMax, partitionsPerTransactionMax, positionsPerTransactionMax } = this.limits;
    if (!transaction && this.#table.openCount >= openMax) return transactionRefusal.manyOpen(openMax);
    const room = partitionsPerTransactionMax - (transaction?.partitions.size ?? 0);
    if (
      partitions.length > room &&
      partitions.filter((one) => !transaction?.partitions.has(one)).length > room
    )
      return transactionRefusal.tooLarge(transactionalId, `${partitionsPerTransactionMax} partitions`);
    const held = Math.max(transaction?.groups.size ?? 0, transaction?.positions.size ?? 0);
    if (held + Math.max(groups.length, positions.length) > positionsPerTransactionMax)
      return transactionRefusal.tooLarge(transactionalId, `${positionsPerTransactionMax} positions`);
    return undefined;
  }

  #begun(producer: TransactionalProducer): Transaction {
    if (producer.transaction) return producer.transaction;
    const nowMs = this.#host.clock.now();
    producer.usedMs = nowMs;
    const transaction = this.#table.begin(producer, nowMs);
    this.#armTimeout(producer, transaction);
    return transaction;
  }

  // ---- batches

  /** Why a batch may not be appended to the partition; undefined if it may. */
  refusalOf(
    batch: Batch,
    partition: TransactionPartition,
    said: BatchTransaction | undefined,
  ): BrokerError | undefined {
    const producer = this.#table.ofProducerId(batch.producerId);
    if (!batch.transactional) return producer && transactionRefusal.onlyTransactions(batch.producerId);
    if (!producer || producer.transactionalId !== said?.transactionalId)
      return transactionRefusal.unknown(batch.producerId, said?.transactionalId ?? '');
    if (producer.epoch !== batch.producerEpoch)
      return transactionRefusal.fenced(producer, batch.producerEpoch);
    if (producer.ending) return transactionRefusal.busy(producer);
    if (!partition.transactions.hasRoom(batch.producerId))
      return transactionRefusal.tooLarge(producer.transactionalId, 'so many stretches of a partition');
    if (said.addsPartition) return this.#refusalOfGrowth(producer, { partitions: [partition] });
    if (producer.transaction?.partitions.has(partition)) return undefined;
    const what = `Partition ${partition.index} of topic "${partition.topic.name}"`;
    return transactionRefusal.notPart(producer, what);
  }

  /** Called before an accepted batch is appended: makes its partition part of the transaction. */
  joined(batch: Batch, partition: TransactionPartition): void {
    const producer = this.#table.ofProducerId(batch.producerId)!;
    if (!producer.transaction?.partitions.has(partition))
      void this.#grow(producer, { partitions: [partition] });
  }

  // ---- the end

  /**
   * Ends the caller's transaction. `raises`: the answer tells the caller its next epoch. A repeated request
   * gets the same answer. Resolves, when all of it is durable, to the caller's identity from now on.
   */
  async end(caller: TransactionCaller, outcome: Outcome, raises: boolean): Promise<ProducerIdentity> {
    for (let spareId = -1; ; spareId = await this.#host.takeProducerId()) {
      const known = this.#table.find(caller.transactionalId);
      if (known && !known.ending && !known.transaction) {
        const before = known.outcomeFor(caller);
        if (before === outcome) return this.#durable(known.identity);
        if (before !== undefined)
          throw transactionRefusal.wrongEnd(known, `ended with ${before}, not ${outcome}`);
      }
      const producer = this.#callerOf(caller);
      if (raises && producer.isExhausted && spareId < 0) continue;
      if (!producer.transaction && (outcome === 'commit' || !raises))
        throw transactionRefusal.wrongEnd(producer, `has nothing to ${outcome}`);
      const { identity } = producer;
      this.#end(producer, outcome, raises ? { spareId } : undefined);
      producer.ended = { ...identity, outcome };
      producer.previousEpoch = undefined;
      this.#record(producer);
      return this.#durable(producer.identity);
    }
  }

  /** Writes the end to the open commit, except for the record of the producer itself. */
  #end(
    producer: TransactionalProducer,
    outcome: Outcome,
    raise: { readonly spareId: number } | undefined,
  ): void {
    const { producerId } = producer;
    const markerEpoch = raise ? Math.min(epochMax, producer.epoch + 1) : producer.epoch;
    const transaction = this.#table.end(producer);
    producer.usedMs = this.#host.clock.now();
    if (raise) this.#table.raise(producer, raise.spareId);
    if (!transaction) return;
    const inMemory: TransactionPartition[] = [];
    for (const partition of transaction.partitions) {
      if (partition.topic.isDeleted || !partition.transactions.has(producerId)) continue;
      // Partitions in memory are not part of the commit, and get their end after it.
      if (partition.log.volatile) inMemory.push(partition);
      else endIn(partition, outcome, producerId, markerEpoch);
    }
    if (outcome === 'commit') for (const position of transaction.positions.values()) commitPosition(position);
    producer.ending = new Promise((resolve) => {
      this.#host.afterCommit(() => {
        for (const partition of inMemory)
          if (!partition.topic.isDeleted) endIn(partition, outcome, producerId, markerEpoch);
        this.#table.decidePositions(transaction);
        producer.ending = undefined;
        resolve();
      });
    });
  }

  // ---- time

  #armTimeout(producer: TransactionalProducer, transaction: Transaction): void {
    const { clock, steady } = this.#host;
    const leftMs = steady.of(transaction.startedMs) + producer.timeoutMs - steady.now();
    transaction.timer = clock.setTimer(Math.max(0, leftMs), () => {
      if (producer.transaction === transaction && !this.#host.refusal)
        void this.#abortOverdue(producer, transaction);
    });
  }

  /**
   * Aborts a transaction that took too long. Its producer may be gone; whatever it still sends is refused.
   */
  async #abortOverdue(producer: TransactionalProducer, transaction: Transaction): Promise<void> {
    const spareId = producer.isExhausted ? await this.#host.takeProducerId() : -1;
    if (producer.transaction !== transaction) return;
    this.#end(producer, 'abort', { spareId });
    producer.ended = undefined;
    this.#record(producer);
  }

  #armSweep(): void {
    if (!this.#resumed || this.#sweep || this.#table.size === 0) return;
    this.#sweep = this.#host.clock.setTimer(Math.min(sweepEveryMs, this.limits.idleMsMax), () => {
      this.#sweep = undefined;
      this.#forgetIdle();
      this.#armSweep();
    });
  }

  #forgetIdle(): void {
    if (this.#host.refusal) return;
    const { steady } = this.#host;
    const usedSinceMs = steady.now() - this.limits.idleMsMax;
    for (const producer of this.#table.producers()) {
      if (producer.transaction || producer.ending || steady.of(producer.usedMs) > usedSinceMs) continue;
      this.#table.remove(producer);
      this.#host.record(EntryKind.transactionalProducerForgotten, producer.producerId, new Uint8Array(0));
    }
  }

  // ---- stored state

  #record(producer: TransactionalProducer): void {
    this.#host.record(EntryKind.transactionalProducer, producer.producerId, json(producer.entry()));
  }

  #durable<T>(value: T): Promise<T> {
    return new Promise((resolve) => this.#host.afterCommit(() => resolve(value)));
  }

  /** Replays the state of a transactional id. */
  restore(producerId: number, entry: TransactionalProducerEntry): void {
    this.#table.restore(producerId, entry, this.#host);
  }

  restoreGrowth(producerId: number, entry: TransactionEntry): void {
    this.#table.restoreGrowth(producerId, entry, this.#host);
  }

  restoreForgotten(producerId: number): void {
    this.#table.restoreForgotten(producerId);
  }

  /** The entries of all producers, for a checkpoint. */
  *entries(): Iterable<readonly [producerId: number, entry: Uint8Array]> {
    for (const producer of this.#table.producers()) yield [producer.producerId, json(producer.entry())];
  }

  /**
   * Called after recovery. Starts the timeouts of open transactions. Aborts transactions that have messages
   * in partitions but no record in the table, because the record was lost to damage.
   */
  resume(): void {
    this.#resumed = true;
    for (const partition of this.#host.partitions()) {
      for (const producerId of partition.transactions.producerIds()) {
        const transaction = this.#table.ofProducerId(producerId)?.transaction;
        if (!transaction?.partitions.has(partition)) endIn(partition, 'abort', producerId, 0);
      }
    }
    for (const producer of this.#table.producers())
      if (producer.transaction) this.#armTimeout(producer, producer.transaction);
    this.#armSweep();
  }

  stop(): void {
    this.#resumed = false;
    this.#sweep?.cancel();
    for (const { transaction } of this.#table.producers()) transaction?.timer?.cancel();
  }
}

function endIn(partition: TransactionPartition, outcome: Outcome, producerId: number, epoch: number): void {
  const runs = partition.endTransaction(outcome, producerId, epoch);
  partition.topic.decided(partition, outcome, runs);
}

function commitPosition({ group, partition, offset, metadata, epoch }: PositionInTransaction): void {
  if (!group.isClosed) group.commitOffset(partition, offset, metadata, epoch);
}

/** Whether the caller gives the current identity of the transactional id. */
function isExpected(known: TransactionalProducer, expected: ProducerIdentity): boolean {
  return known.producerId === expected.producerId && known.epoch === expected.epoch;
}

/** Whether the caller asked for the current identity before, but did not get the answer. */
function isRetry(known: TransactionalProducer, expected: ProducerIdentity): boolean {
  if (known.transaction) return false;
  if (known.producerId !== expected.producerId) return known.wasExhausted(expected) && known.epoch === 0;
  return known.previousEpoch === expected.epoch;
}

function json(entry: TransactionEntry | TransactionalProducerEntry): Uint8Array {
  return Buffer.from(JSON.stringify(entry));
}
