import type { Topic } from '../../src/broker/index.ts';
import { ErrorCode, errorName } from '../../src/wire/kafka/index.ts';
import { KafkaClient } from './kafka-client.ts';
import { encodeBatch, refusalOf, type Identity, type ProducersKnown } from './kafka-producer.ts';
import type { KafkaRun } from './kafka-run.ts';
import { keyOf } from './keys.ts';
import type { PlannedMessage } from './script.ts';

/**
 * The newer and the older protocol of transactions (KIP-890): how partitions and groups are added, and
 * whether an end raises the epoch.
 */
const newer = { produce: 13, endTxn: 5, txnOffsetCommit: 5, adds: true };
const older = { produce: 11, endTxn: 4, txnOffsetCommit: 4, adds: false };

export type Outcome = 'commit' | 'abort';

/** A transaction on its way to its end. */
interface Transaction {
  readonly number: number;
  /** Requests that were not sent yet. */
  readonly queue: (() => void)[];
  /** Partitions and groups that were added, in the older protocol. */
  readonly added: Set<string>;
  /** Requests that wait until one of these is added, in order. */
  readonly waiting: Map<string, (() => void)[]>;
  /** Requests without an answer. */
  underWay: number;
  /** Part of it was refused, or its result is unknown: it cannot be committed. */
  hasFailed: boolean;
  outcome: Outcome;
  ends: number;
  isEnding: boolean;
}

/** These ends are tried again. */
const retriable: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.CONCURRENT_TRANSACTIONS,
]);

/**
 * A transactional Kafka producer. It sends once; a transaction of which anything is in doubt is aborted. The
 * end itself it asks for until it has an answer, over new connections and from a broker that has started
 * again.
 */
export class KafkaTransactionalProducer {
  readonly name: string;
  readonly #timeoutMs: number;
  readonly #protocol: typeof newer;
  readonly #known: ProducersKnown;
  #run!: KafkaRun;
  #client: KafkaClient | undefined;
  #identity: Identity | undefined;
  #isAsking = false;
  /** An end that the next identity brings: the event that says so. */
  #abortedByInit: number | undefined;
  #sequences = new Map<string, number>();
  #open: Transaction | undefined;
  #ending: Transaction | undefined;

  constructor(name: string, timeoutMs: number, isNewer: boolean, known: ProducersKnown) {
    this.name = name;
    this.#timeoutMs = timeoutMs;
    this.#protocol = isNewer ? newer : older;
    this.#known = known;
  }

  connect(run: KafkaRun): void {
    this.#run = run;
    this.#client = undefined;
    this.#lost();
    this.goOn();
  }

  reconnect(): void {
    this.#client?.hangUp();
    this.goOn();
  }

  /** Another process starts with the same transactional id: an open transaction is aborted. */
  restart(): void {
    this.#client?.hangUp();
    if (this.#open) this.#abortedByInit = this.#noteEnd(this.#open.number, 'abort');
    this.#open = undefined;
    this.#ending = undefined;
    this.#identity = undefined;
    this.#askForId();
  }

  /** Of the transaction that the next publish is part of. */
  get transaction(): number {
    return this.#begun().number;
  }

  #begun(): Transaction {
    this.#open ??= {
      number: this.#known.nextTransaction(),
      queue: [],
      added: new Set(),
      waiting: new Map(),
      underWay: 0,
      hasFailed: false,
      outcome: 'abort',
      ends: 0,
      isEnding: false,
    };
    return this.#open;
  }

  goOn(): void {
    const current = this.#ending ?? this.#open;
    if (!current) return;
    if (!this.#identity) return this.#askForId();
    if (current.hasFailed) current.queue.length = 0;
    for (const send of current.queue.splice(0)) send();
    if (this.#ending && current.underWay === 0 && !current.isEnding) this.#askForEnd(current);
  }

  end(outcome: Outcome): void {
    if (!this.#open || this.#ending) return;
    this.#ending = this.#open;
    this.#ending.outcome = outcome;
    this.#open = undefined;
    this.goOn();
  }

  /** Brings an open transaction to its end. */
  drain(): void {
    this.end(this.#run.random.int(2) === 0 ? 'commit' : 'abort');
    this.goOn();
  }

  // ---- the content of a transaction

  publish(topic: string, key: string, partition: number, plans: readonly PlannedMessage[]): void {
    const transaction = this.#begun();
    const timestampMs = this.#run.clock.now();
    const where = `${topic}/${partition}`;
    transaction.queue.push(() => {
      const found = this.#run.broker.topic(topic);
      if (!found || keyOf(found) !== key) transaction.hasFailed = true;
      else
        this.#add(transaction, where, found, partition, () =>
          this.#produce(transaction, found, partition, plans, timestampMs),
        );
    });
  }

  /** A position that the group gets if the transaction commits. */
  commitOffset(group: string, name: string, at: number, pick: number): void {
    const run = this.#run;
    const topic = run.broker.topic(name);
    if (!topic || topic.config.durability === 'memory') return;
    const transaction = this.#begun();
    const partition = topic.partitions.at(at % topic.partitions.length)!;
    const offset = Math.floor(pick * (partition.durableEnd + 1));
    const key = keyOf(topic);
    transaction.queue.push(() => {
      const found = this.#run.broker.topic(name);
      if (!found || keyOf(found) !== key) transaction.hasFailed = true;
      else
        this.#addGroup(transaction, group, () =>
          this.#commit(transaction, group, found, partition.index, offset),
        );
    });
  }

  /** In the older protocol a partition is added before anything goes there. */
  #add(transaction: Transaction, where: string, { name }: Topic, partition: number, then: () => void): void {
    if (!this.#mustAdd(transaction, where, then)) return;
    const { producerId, producerEpoch } = this.#identity!;
    const request = {
      transactions: [],
      v3AndBelowTransactionalId: this.name,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name, partitions: [partition] }],
    };
    transaction.underWay++;
    this.#connection().call('AddPartitionsToTxn', 3, request, ({ resultsByTopicV3AndBelow: topics }) => {
      const { partitionErrorCode } = topics[0]!.resultsByPartition[0]!;
      this.#added(transaction, where, partitionErrorCode);
    });
  }

  /** Whether it has to be requested. Requests made while the answer is awaited go after earlier ones. */
  #mustAdd({ added, waiting }: Transaction, what: string, then: () => void): boolean {
    const queue = waiting.get(what);
    if (this.#protocol.adds || added.has(what)) then();
    else if (queue) queue.push(then);
    else {
      waiting.set(what, [then]);
      return true;
    }
    return false;
  }

  #added(transaction: Transaction, what: string, errorCode: number): void {
    const queue = transaction.waiting.get(what) ?? [];
    transaction.waiting.delete(what);
    if (errorCode === ErrorCode.NONE) {
      transaction.added.add(what);
      for (const then of queue) then();
    } else transaction.hasFailed = true;
    this.#answered(transaction);
  }

  #addGroup(transaction: Transaction, groupId: string, then: () => void): void {
    if (!this.#mustAdd(transaction, groupId, then)) return;
    const request = { transactionalId: this.name, ...this.#identity!, groupId };
    transaction.underWay++;
    this.#connection().call('AddOffsetsToTxn', 3, request, ({ errorCode }) => {
      this.#added(transaction, groupId, errorCode);
    });
  }

  #produce(
    transaction: Transaction,
    topic: Topic,
    partition: number,
    plans: readonly PlannedMessage[],
    timestampMs: number,
  ): void {
    const run = this.#run;
    const where = `${topic.name}/${partition}`;
    const baseSequence = this.#sequences.get(where) ?? 0;
    this.#sequences.set(where, baseSequence + plans.length);
    const options = { ...this.#identity!, baseSequence, isTransactional: true };
    const records = encodeBatch(plans, timestampMs, options);
    const request = {
      transactionalId: this.name,
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        { name: topic.name, topicId: run.topicId(topic), partitionData: [{ index: partition, records }] },
      ],
    };
    run.note({ kind: 'sent', ids: plans.map(({ id }) => id) });
    transaction.underWay++;
    this.#connection().call('Produce', this.#protocol.produce, request, ({ responses }) => {
      const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!;
      for (const [at, { id }] of plans.entries()) {
        if (errorCode === ErrorCode.NONE)
          run.note({ kind: 'published', id, partition, offset: baseOffset + at, duplicate: false });
        else run.note({ kind: 'refused', id, code: refusalOf(errorCode) });
      }
      if (errorCode !== ErrorCode.NONE) transaction.hasFailed = true;
      this.#answered(transaction);
    });
  }

  #commit(
    transaction: Transaction,
    group: string,
    topic: Topic,
    partitionIndex: number,
    offset: number,
  ): void {
    const run = this.#run;
    const metadata = `c${run.events}`;
    const { number } = transaction;
    const key = keyOf(topic);
    run.note({
      kind: 'offset-commit',
      group,
      topic: key,
      partition: partitionIndex,
      offset,
      metadata,
      transaction: number,
    });
    const request = {
      transactionalId: this.name,
      groupId: group,
      ...this.#identity!,
      memberId: '',
      topics: [
        {
          name: topic.name,
          partitions: [{ partitionIndex, committedOffset: offset, committedMetadata: metadata }],
        },
      ],
    };
    transaction.underWay++;
    this.#connection().call('TxnOffsetCommit', this.#protocol.txnOffsetCommit, request, ({ topics }) => {
      if (topics[0]!.partitions.at(0)!.errorCode !== ErrorCode.NONE) transaction.hasFailed = true;
      this.#answered(transaction);
    });
  }

  #answered(transaction: Transaction): void {
    transaction.underWay--;
    this.goOn();
  }

  // ---- the end

  #askForEnd(transaction: Transaction): void {
    const run = this.#run;
    if (transaction.hasFailed) transaction.outcome = 'abort';
    const { number, outcome } = transaction;
    transaction.isEnding = true;
    transaction.ends++;
    const of = this.#noteEnd(number, outcome);
    const request = { transactionalId: this.name, ...this.#identity!, committed: outcome === 'commit' };
    this.#connection().call(
      'EndTxn',
      this.#protocol.endTxn,
      request,
      ({ errorCode, producerId, producerEpoch }) => {
        if (retriable.has(errorCode)) {
          transaction.isEnding = false; // until it is asked to go on
          return;
        }
        if (errorCode === ErrorCode.NONE) run.note({ kind: 'outcome', of });
        // Asked once and refused, it has not happened, and the next identity makes an end.
        else if (transaction.ends === 1) run.note({ kind: 'outcome', of, error: errorName(errorCode) });
        this.#ending = undefined;
        if (errorCode !== ErrorCode.NONE || transaction.hasFailed) this.#identity = undefined;
        else if (this.#protocol.adds) {
          this.#identity = { producerId, producerEpoch };
          this.#sequences.clear();
        }
        this.goOn();
      },
    );
  }

  #noteEnd(transaction: number, outcome: Outcome): number {
    return this.#run.note({ kind: 'transaction-ending', transaction, outcome });
  }

  // ---- its identity

  #askForId(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const request = { transactionalId: this.name, transactionTimeoutMs: this.#timeoutMs };
    this.#connection().call('InitProducerId', 4, request, ({ errorCode, producerId, producerEpoch }) => {
      this.#isAsking = false;
      if (errorCode !== ErrorCode.NONE) return;
      this.#known.take(this.#run, `${producerId}/${producerEpoch}`);
      this.#identity = { producerId, producerEpoch };
      this.#sequences.clear();
      if (this.#abortedByInit !== undefined) this.#run.note({ kind: 'outcome', of: this.#abortedByInit });
      this.#abortedByInit = undefined;
      this.goOn();
    });
  }

  #connection(): KafkaClient {
    if (!this.#client || this.#client.isClosed)
      this.#client = new KafkaClient(this.#run, () => this.#lost(), this.#protocol.adds);
    return this.#client;
  }

  #lost(): void {
    this.#isAsking = false;
    for (const transaction of [this.#open, this.#ending]) {
      if (!transaction) continue;
      if (transaction.underWay > 0) transaction.hasFailed = true;
      transaction.underWay = 0;
      transaction.waiting.clear();
      transaction.isEnding = false;
    }
  }
}
