import type { Batch, Outcome } from '../log/index.ts';
import type { Clock, Timer } from '../util/index.ts';
import { EntryKind, type TransactionEntry, type TransactionalProducerEntry } from './entries.ts';
import { BrokerError, type BrokerErrorCode } from './errors.ts';
import type { Group } from './group.ts';
import type { Partition } from './partition.ts';
import { defaultTransactionLimits, type TransactionLimits } from './transaction-limits.ts';
import {
  Transaction,
  TransactionalProducer,
  positionKey,
  storedPosition,
  type PositionInTransaction,
  type ProducerIdentity,
} from './transactional-producer.ts';

/** What transactions need from the broker around them. */
export interface TransactionsHost {
  readonly clock: Clock;
  /** Why nothing can be changed any more, if so. */
  readonly refusal: BrokerError | undefined;
  record(kind: number, id: number, payload: Uint8Array): void;
  afterCommit(callback: () => void): void;
  takeProducerId(): Promise<number>;
  partition(id: number): Partition | undefined;
  partitions(): Iterable<Partition>;
  group(id: number): Group | undefined;
}

/** Who speaks, and under which transactional id. */
export interface TransactionCaller extends ProducerIdentity {
  readonly transactionalId: string;
}

/** The transaction that a batch says to be part of. */
export interface BatchTransaction {
  readonly transactionalId: string;
  /** The batch adds its partition by itself (KIP-890); else that must have been done before. */
  readonly addsPartition: boolean;
}

/** What a transaction is to have besides what it has. */
interface Growth {
  readonly partitions?: readonly Partition[];
  readonly groups?: readonly string[];
  readonly positions?: readonly PositionInTransaction[];
}

const sweepEveryMs = 60 * 60_000;
const epochMax = 2 ** 15 - 1;
const transactionalIdLengthMax = 2 ** 15 - 1;

/**
 * Transactions are messages in several partitions, and positions of groups, that become visible together or not at all.
 *
 * ```
 *   none ──first partition or group──► open ──commit, abort, timeout, another producer──► ending ──on disk──► none
 * ```
 * There is one process and one journal: the end of a transaction is a marker in each of its partitions, the positions, and the state of its
 * producer, all in one commit. Nothing is prepared, so nothing can be found half done.
 *
 * Until then its messages are in the log like others, and {@link Partition.stableEnd} keeps readers below the first of them. Every end by
 * somebody else than the producer raises the producer's epoch, and so does every end that the producer hears the new epoch of (KIP-890): what
 * was sent before, and comes late, is refused and cannot become part of the next transaction.
 */
export class Transactions {
  readonly limits: TransactionLimits;
  readonly #host: TransactionsHost;
  readonly #byName = new Map<string, TransactionalProducer>();
  readonly #byProducerId = new Map<number, TransactionalProducer>();
  /** By {@link positionKey}: how many transactions have a position for it, those included whose end is not on disk. */
  readonly #undecidedPositions = new Map<string, number>();
  #openCount = 0;
  #sweep: Timer | undefined = undefined;
  #resumed = false;

  constructor(host: TransactionsHost, limits: Partial<TransactionLimits> = {}) {
    this.#host = host;
    this.limits = { ...defaultTransactionLimits, ...limits };
  }

  /** Transactional ids that are known. */
  get size(): number {
    return this.#byName.size;
  }

  /** Transactions that are open. */
  get openCount(): number {
    return this.#openCount;
  }

  producers(): Iterable<TransactionalProducer> {
    return this.#byName.values();
  }

  // ---- who writes

  /**
   * Makes the caller the one producer of a transactional id: whoever was is fenced, and what it has open is aborted. `expected`: the identity that
   * the caller has, which must be the one that is known. Resolves, when that is durable, to the caller's new identity.
   */
  async init(
    transactionalId: string,
    timeoutMs: number,
    expected?: ProducerIdentity,
  ): Promise<ProducerIdentity> {
    const { timeoutMsMax, producersMax } = this.limits;
    if (timeoutMs < 1 || timeoutMs > timeoutMsMax)
      throw refusal(
        'transaction-timeout-invalid',
        `A transaction may take 1 to ${timeoutMsMax} ms, not ${timeoutMs}.`,
      );
    if (transactionalId === '' || transactionalId.length > transactionalIdLengthMax)
      throw refusal('transaction-state', 'A transactional id has 1 to 32767 characters.');
    for (let spareId = -1; ; spareId = await this.#host.takeProducerId()) {
      this.#checkOpen();
      const producer = this.#byName.get(transactionalId);
      if (producer?.ending) await producer.ending;
      const known = this.#byName.get(transactionalId);
      if (known) {
        if (expected && !isExpected(known, expected)) {
          if (isRetry(known, expected)) return this.#durable(known.identity);
          throw fenced(known, expected.epoch);
        }
        if (spareId < 0 && known.isExhausted) continue;
        return this.#takeOver(known, timeoutMs, spareId, expected);
      }
      if (this.#byName.size >= producersMax)
        throw refusal(
          'transactions-full',
          `There are ${producersMax} transactional ids. Those not used for long are forgotten.`,
        );
      if (spareId < 0) continue;
      const created = new TransactionalProducer(
        transactionalId,
        spareId,
        0,
        timeoutMs,
        this.#host.clock.now(),
      );
      this.#add(created);
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
    else this.#raise(producer, spareId);
    producer.previousEpoch = expected && producer.epoch > 0 ? epoch : undefined;
    producer.ended = undefined;
    producer.timeoutMs = timeoutMs;
    this.#record(producer);
    return this.#durable(producer.identity);
  }

  #raise(producer: TransactionalProducer, spareId: number): void {
    this.#byProducerId.delete(producer.producerId);
    producer.raise(spareId);
    this.#byProducerId.set(producer.producerId, producer);
  }

  /** The producer that speaks, if it is the one of its transactional id. Throws a BrokerError. */
  #callerOf(caller: TransactionCaller): TransactionalProducer {
    this.#checkOpen();
    const producer = this.#byName.get(caller.transactionalId);
    if (!producer || producer.producerId !== caller.producerId)
      throw refusal(
        'transaction-unknown',
        `Producer ${caller.producerId} does not belong to transactional id "${caller.transactionalId}". Begin anew.`,
      );
    if (producer.ending)
      throw refusal(
        'transaction-busy',
        `The last transaction of "${producer.transactionalId}" is being ended.`,
      );
    if (producer.epoch !== caller.epoch) throw fenced(producer, caller.epoch);
    return producer;
  }

  #checkOpen(): void {
    if (this.#host.refusal) throw this.#host.refusal;
  }

  // ---- what a transaction has

  /** The transaction is going to write to these partitions. Resolves when that is durable. */
  addPartitions(caller: TransactionCaller, partitions: readonly Partition[]): Promise<void> {
    return this.#grow(this.#callerOf(caller), { partitions });
  }

  /** Whether a partition was added; throws when the caller may not ask. */
  hasPartition(caller: TransactionCaller, partition: Partition): boolean {
    return this.#callerOf(caller).transaction?.partitions.has(partition) ?? false;
  }

  /** The transaction is going to commit positions under this name. Resolves when that is durable. */
  addGroup(caller: TransactionCaller, group: string): Promise<void> {
    return this.#grow(this.#callerOf(caller), { groups: [group] });
  }

  /** Throws a BrokerError when the transaction may not commit positions under this name. `adds`: the name need not have been added before. */
  checkGroup(caller: TransactionCaller, group: string, adds: boolean): void {
    const producer = this.#callerOf(caller);
    if (!adds && !producer.transaction?.groups.has(group))
      throw refusal(
        'not-in-transaction',
        `Group "${group}" was not added to the transaction of "${producer.transactionalId}".`,
      );
  }

  /** Positions that groups get if the transaction commits. Resolves when that is durable. */
  addPositions(
    caller: TransactionCaller,
    group: string,
    positions: readonly PositionInTransaction[],
  ): Promise<void> {
    return this.#grow(this.#callerOf(caller), { groups: [group], positions });
  }

  /** Whether a transaction has a position for the group there which is not decided: what is committed may be about to change. */
  hasUndecidedPosition(group: Group, partition: number): boolean {
    return this.#undecidedPositions.size > 0 && this.#undecidedPositions.has(positionKey(group, partition));
  }

  #grow(producer: TransactionalProducer, growth: Growth): Promise<void> {
    const refused = this.#refusalOfGrowth(producer, growth);
    if (refused) return Promise.reject(refused);
    const isNew = producer.transaction === undefined;
    const transaction = this.#begun(producer);
    const entry = this.#extend(transaction, growth);
    if (isNew) this.#record(producer);
    else if (entry) this.#host.record(EntryKind.transactionGrew, producer.producerId, json(entry));
    return this.#durable(undefined);
  }

  #refusalOfGrowth(
    { transactionalId, transaction }: TransactionalProducer,
    { partitions = [], groups = [], positions = [] }: Growth,
  ): BrokerError | undefined {
    const { openMax, partitionsPerTransactionMax, positionsPerTransactionMax } = this.limits;
    if (!transaction && this.#openCount >= openMax)
      return refusal('transactions-full', `${openMax} transactions are open. End some.`);
    const room = partitionsPerTransactionMax - (transaction?.partitions.size ?? 0);
    if (
      partitions.length > room &&
      partitions.filter((one) => !transaction?.partitions.has(one)).length > room
    )
      return refusal(
        'transaction-too-large',
        `The transaction of "${transactionalId}" has room for ${room} more partitions.`,
      );
    const held = Math.max(transaction?.groups.size ?? 0, transaction?.positions.size ?? 0);
    if (held + Math.max(groups.length, positions.length) > positionsPerTransactionMax)
      return refusal(
        'transaction-too-large',
        `A transaction commits ${positionsPerTransactionMax} positions at most. End that of "${transactionalId}".`,
      );
    return undefined;
  }

  #begun(producer: TransactionalProducer): Transaction {
    if (producer.transaction) return producer.transaction;
    const nowMs = this.#host.clock.now();
    producer.usedMs = nowMs;
    return this.#start(producer, nowMs);
  }

  #start(producer: TransactionalProducer, startedMs: number): Transaction {
    const transaction = new Transaction(startedMs);
    producer.transaction = transaction;
    this.#openCount++;
    if (this.#resumed) this.#armTimeout(producer, transaction);
    return transaction;
  }

  /** What of it is new, for the journal; undefined: nothing. */
  #extend(transaction: Transaction, growth: Growth): TransactionEntry | undefined {
    const { partitions = [], groups = [], positions = [] } = growth;
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

  // ---- batches

  /** Why a batch may not be appended to the partition; undefined: it may. */
  refusalOf(batch: Batch, partition: Partition, said: BatchTransaction | undefined): BrokerError | undefined {
    const producer = this.#byProducerId.get(batch.producerId);
    if (!batch.transactional) {
      return (
        producer && refusal('transaction-state', `Producer ${batch.producerId} writes in transactions only.`)
      );
    }
    if (!producer || producer.transactionalId !== said?.transactionalId)
      return refusal(
        'transaction-unknown',
        `Producer ${batch.producerId} does not belong to transactional id "${said?.transactionalId ?? ''}".`,
      );
    if (producer.epoch !== batch.producerEpoch) return fenced(producer, batch.producerEpoch);
    if (producer.ending)
      return refusal(
        'transaction-busy',
        `The last transaction of "${producer.transactionalId}" is being ended.`,
      );
    if (!partition.transactions.hasRoom(batch.producerId))
      return refusal(
        'transaction-too-large',
        `The transaction of "${producer.transactionalId}" is too large. Abort it.`,
      );
    if (said.addsPartition) return this.#refusalOfGrowth(producer, { partitions: [partition] });
    if (producer.transaction?.partitions.has(partition)) return undefined;
    return refusal(
      'not-in-transaction',
      `Partition ${partition.index} of topic "${partition.topic.name}" was not added to the transaction of "${producer.transactionalId}".`,
    );
  }

  /** A batch that was not refused is about to be appended: its partition is part of the transaction. */
  joined(batch: Batch, partition: Partition): void {
    const producer = this.#byProducerId.get(batch.producerId)!;
    if (!producer.transaction?.partitions.has(partition))
      void this.#grow(producer, { partitions: [partition] });
  }

  // ---- the end

  /**
   * Ends the caller's transaction. `raises`: the caller hears its next epoch (KIP-890). Asked once more, it says the same once more. Resolves, when all
   * of it is durable, to the caller's identity from now on.
   */
  async end(caller: TransactionCaller, outcome: Outcome, raises: boolean): Promise<ProducerIdentity> {
    for (let spareId = -1; ; spareId = await this.#host.takeProducerId()) {
      const known = this.#byName.get(caller.transactionalId);
      if (known && !known.ending && !known.transaction) {
        const before = known.outcomeFor(caller);
        if (before === outcome) return this.#durable(known.identity);
        if (before !== undefined) throw wrongEnd(known, `ended with ${before}, not ${outcome}`);
      }
      const producer = this.#callerOf(caller);
      if (raises && producer.isExhausted && spareId < 0) continue;
      if (!producer.transaction && (outcome === 'commit' || !raises))
        throw wrongEnd(producer, `has nothing to ${outcome}`);
      const { identity } = producer;
      this.#end(producer, outcome, raises ? { spareId } : undefined);
      producer.ended = { ...identity, outcome };
      producer.previousEpoch = undefined;
      this.#record(producer);
      return this.#durable(producer.identity);
    }
  }

  /** All of the end in the open commit, but for the record of the producer itself. */
  #end(
    producer: TransactionalProducer,
    outcome: Outcome,
    raise: { readonly spareId: number } | undefined,
  ): void {
    const { producerId, transaction } = producer;
    const markerEpoch = raise ? Math.min(epochMax, producer.epoch + 1) : producer.epoch;
    producer.transaction = undefined;
    producer.usedMs = this.#host.clock.now();
    if (raise) this.#raise(producer, raise.spareId);
    if (!transaction) return;
    this.#openCount--;
    transaction.timer?.cancel();
    const inMemory: Partition[] = [];
    for (const partition of transaction.partitions) {
      if (partition.topic.isDeleted || !partition.transactions.has(producerId)) continue;
      // What is in memory has no part in the commit: it follows.
      if (partition.log.volatile) inMemory.push(partition);
      else endIn(partition, outcome, producerId, markerEpoch);
    }
    if (outcome === 'commit') for (const position of transaction.positions.values()) commitPosition(position);
    producer.ending = new Promise((resolve) => {
      this.#host.afterCommit(() => {
        for (const partition of inMemory)
          if (!partition.topic.isDeleted) endIn(partition, outcome, producerId, markerEpoch);
        for (const key of transaction.positions.keys()) this.#decidePosition(key);
        producer.ending = undefined;
        resolve();
      });
    });
  }

  #decidePosition(key: string): void {
    const left = (this.#undecidedPositions.get(key) ?? 0) - 1;
    if (left > 0) this.#undecidedPositions.set(key, left);
    else this.#undecidedPositions.delete(key);
  }

  // ---- time

  #armTimeout(producer: TransactionalProducer, transaction: Transaction): void {
    const { clock } = this.#host;
    const leftMs = transaction.startedMs + producer.timeoutMs - clock.now();
    transaction.timer = clock.setTimer(Math.max(0, leftMs), () => {
      if (producer.transaction === transaction && !this.#host.refusal)
        void this.#abortOverdue(producer, transaction);
    });
  }

  /** Its producer took too long, and may be gone: whatever it still sends is refused. */
  async #abortOverdue(producer: TransactionalProducer, transaction: Transaction): Promise<void> {
    const spareId = producer.isExhausted ? await this.#host.takeProducerId() : -1;
    if (producer.transaction !== transaction) return;
    this.#end(producer, 'abort', { spareId });
    producer.ended = undefined;
    this.#record(producer);
  }

  #armSweep(): void {
    if (!this.#resumed || this.#sweep || this.#byName.size === 0) return;
    this.#sweep = this.#host.clock.setTimer(Math.min(sweepEveryMs, this.limits.idleMsMax), () => {
      this.#sweep = undefined;
      this.#forgetIdle();
      this.#armSweep();
    });
  }

  #forgetIdle(): void {
    if (this.#host.refusal) return;
    const usedSinceMs = this.#host.clock.now() - this.limits.idleMsMax;
    for (const producer of this.#byName.values()) {
      if (producer.transaction || producer.ending || producer.usedMs > usedSinceMs) continue;
      this.#remove(producer);
      this.#host.record(EntryKind.transactionalProducerForgotten, producer.producerId, new Uint8Array(0));
    }
  }

  // ---- what is stored

  #add(producer: TransactionalProducer): void {
    this.#byName.set(producer.transactionalId, producer);
    this.#byProducerId.set(producer.producerId, producer);
  }

  #remove(producer: TransactionalProducer): void {
    this.#byName.delete(producer.transactionalId);
    this.#byProducerId.delete(producer.producerId);
  }

  #record(producer: TransactionalProducer): void {
    this.#host.record(EntryKind.transactionalProducer, producer.producerId, json(producer.entry()));
  }

  #durable<T>(value: T): Promise<T> {
    return new Promise((resolve) => this.#host.afterCommit(() => resolve(value)));
  }

  /** Replays what is known of a transactional id. */
  restore(producerId: number, entry: TransactionalProducerEntry): void {
    const { transactionalId, epoch, timeoutMs, usedMs, transaction } = entry;
    const known = this.#byName.get(transactionalId);
    if (known) this.#forget(known);
    const producer = new TransactionalProducer(transactionalId, producerId, epoch, timeoutMs, usedMs);
    producer.previousId = entry.previousId;
    producer.previousEpoch = entry.previousEpoch;
    producer.ended = entry.ended;
    this.#add(producer);
    if (transaction) this.#extend(this.#start(producer, transaction.startedMs), this.#growthOf(transaction));
  }

  #forget(producer: TransactionalProducer): void {
    this.#remove(producer);
    if (!producer.transaction) return;
    this.#openCount--;
    for (const key of producer.transaction.positions.keys()) this.#decidePosition(key);
  }

  restoreGrowth(producerId: number, entry: TransactionEntry): void {
    const transaction = this.#byProducerId.get(producerId)?.transaction;
    if (transaction) this.#extend(transaction, this.#growthOf(entry));
  }

  restoreForgotten(producerId: number): void {
    const producer = this.#byProducerId.get(producerId);
    if (producer) this.#forget(producer);
  }

  #growthOf({ partitions, groups, positions }: TransactionEntry): Growth {
    const isThere = <T>(one: T | undefined): one is T => one !== undefined;
    return {
      partitions: partitions.map((id) => this.#host.partition(id)).filter(isThere),
      groups,
      positions: positions
        .map(([id, partition, offset, metadata]) => {
          const group = this.#host.group(id);
          return group && { group, partition, offset, metadata };
        })
        .filter(isThere),
    };
  }

  /** For a checkpoint. */
  *entries(): Iterable<readonly [producerId: number, entry: Uint8Array]> {
    for (const producer of this.#byName.values()) yield [producer.producerId, json(producer.entry())];
  }

  /** After recovery: time goes on for what is open; what nobody has open any more, because damage took the word of it, is aborted. */
  resume(): void {
    this.#resumed = true;
    for (const partition of this.#host.partitions()) {
      for (const producerId of partition.transactions.producerIds()) {
        const transaction = this.#byProducerId.get(producerId)?.transaction;
        if (!transaction?.partitions.has(partition)) endIn(partition, 'abort', producerId, 0);
      }
    }
    for (const producer of this.#byName.values())
      if (producer.transaction) this.#armTimeout(producer, producer.transaction);
    this.#armSweep();
  }

  stop(): void {
    this.#resumed = false;
    this.#sweep?.cancel();
    for (const { transaction } of this.#byName.values()) transaction?.timer?.cancel();
  }
}

function endIn(partition: Partition, outcome: Outcome, producerId: number, epoch: number): void {
  const runs = partition.endTransaction(outcome, producerId, epoch);
  partition.topic.decided(partition, outcome, runs);
}

function commitPosition({ group, partition, offset, metadata }: PositionInTransaction): void {
  if (!group.isClosed) group.commitOffset(partition, offset, metadata);
}

/** Whether the caller is who writes under the transactional id, as far as it says who it is. */
function isExpected(known: TransactionalProducer, expected: ProducerIdentity): boolean {
  return known.producerId === expected.producerId && known.epoch === expected.epoch;
}

/** Whether the caller is who asked for the current identity, and did not hear the answer. */
function isRetry(known: TransactionalProducer, expected: ProducerIdentity): boolean {
  if (known.transaction) return false;
  if (known.producerId !== expected.producerId) return known.wasExhausted(expected) && known.epoch === 0;
  return known.previousEpoch === expected.epoch;
}

function fenced({ transactionalId, epoch }: TransactionalProducer, stale: number): BrokerError {
  return refusal(
    'producer-fenced',
    `Another producer writes under transactional id "${transactionalId}", or its transaction took too long: it is in epoch ${epoch}, not ${stale}.`,
  );
}

function wrongEnd({ transactionalId }: TransactionalProducer, what: string): BrokerError {
  return refusal('transaction-state', `The last transaction of "${transactionalId}" ${what}.`);
}

function refusal(code: BrokerErrorCode, text: string): BrokerError {
  return new BrokerError(code, text);
}

function json(entry: TransactionEntry | TransactionalProducerEntry): Uint8Array {
  return Buffer.from(JSON.stringify(entry));
}
