import {
  ErrorCode,
  encodeRecordBatch,
  errorName,
  type RecordBatchOptions,
  type RequestDraft,
  type ResponseOf,
} from '../../src/wire/kafka/index.ts';
import { KafkaClient } from './kafka-client.ts';
import type { KafkaRun } from './kafka-run.ts';
import { keyOf } from './keys.ts';
import { contentOf } from './message.ts';
import type { PlannedMessage } from './script.ts';

/** As many as an idempotent producer may have under way in a partition (KIP-98). */
const inFlightMax = 5;
/**
 * From 13 on topics go by id, so that a request that arrives late cannot reach another topic of that name.
 */
const produceVersion = 13;

/** Messages that are stored together or not at all. */
interface ProducedBatch {
  readonly topic: string;
  /** Which topic of that name. */
  readonly key: string;
  readonly partition: number;
  readonly plans: readonly PlannedMessage[];
  readonly timestampMs: number;
  /** Of its first message, among those of the producer in the partition. */
  sequence: number;
  sends: number;
  isInFlight: boolean;
}

export interface Identity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Producers try these again. */
const retriable: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.KAFKA_STORAGE_ERROR,
]);

/** The broker's word for a refusal in Kafka's. */
const refusals: ReadonlyMap<number, string> = new Map([
  [ErrorCode.NOT_ENOUGH_REPLICAS, 'topic-full'],
  [ErrorCode.KAFKA_STORAGE_ERROR, 'storage-failed'],
  [ErrorCode.NOT_LEADER_OR_FOLLOWER, 'closed'],
  [ErrorCode.MESSAGE_TOO_LARGE, 'message-too-large'],
  [ErrorCode.INVALID_RECORD, 'message-invalid'],
  [ErrorCode.POLICY_VIOLATION, 'not-allowed'],
  [ErrorCode.UNKNOWN_TOPIC_ID, 'topic-not-found'],
  [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'topic-not-found'],
  [ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, 'sequence-gap'],
  [ErrorCode.INVALID_PRODUCER_EPOCH, 'producer-fenced'],
  [ErrorCode.TRANSACTION_ABORTABLE, 'not-in-transaction'],
  [ErrorCode.INVALID_TXN_STATE, 'not-in-transaction'],
  [ErrorCode.INVALID_PRODUCER_ID_MAPPING, 'transaction-unknown'],
]);

export function refusalOf(errorCode: number): string {
  return refusals.get(errorCode) ?? errorName(errorCode);
}

/** The knowledge of all producers, and of all their transactions. */
export class ProducersKnown {
  /** Producer ids and epochs that were given out. */
  readonly #taken = new Set<string>();
  #transactions = 0;

  take(run: KafkaRun, identity: string): void {
    if (this.#taken.has(identity)) run.problem(`the producer identity ${identity} was given out twice`);
    this.#taken.add(identity);
  }

  nextTransaction(): number {
    return ++this.#transactions;
  }
}

export function encodeBatch(
  plans: readonly PlannedMessage[],
  timestampMs: number,
  options: RecordBatchOptions,
): Buffer {
  const records = plans.map((plan) => {
    const { value, headers = [] } = contentOf(plan);
    return {
      key: plan.key === null ? null : Buffer.from(plan.key),
      value,
      headers: headers.map(({ name, value: of }) => ({ name, value: of === null ? null : Buffer.from(of) })),
      timestampMs,
    };
  });
  return encodeRecordBatch(records, options);
}

/**
 * A Kafka producer with a connection of its own. An idempotent one keeps each batch until it has an answer,
 * and sends it again, with the same sequence numbers, over new connections and to a broker that has started
 * again. A plain one sends once.
 */
export class KafkaProducer {
  readonly name: string;
  readonly #isIdempotent: boolean;
  readonly #known: ProducersKnown;
  #run!: KafkaRun;
  #client: KafkaClient | undefined;
  #identity: Identity | undefined;
  #isAsking = false;
  /** Nothing is sent any more under this identity: something of it was refused for good. */
  #isBroken = false;
  /** In the order of their publishes. */
  #batches: ProducedBatch[] = [];
  #nextSequence = new Map<string, number>();
  /**
   * By partition: the first sequence number there, and the one after the last that was taken. An unknown
   * producer may start with any number, so an earlier refusal is final.
   */
  #taken = new Map<string, { readonly first: number; readonly end: number }>();
  /** Partitions that have to wait, for room or for a disk, until the producer is asked to go on. */
  readonly #held = new Set<string>();

  constructor(name: string, isIdempotent: boolean, known: ProducersKnown) {
    this.name = name;
    this.#isIdempotent = isIdempotent;
    this.#known = known;
  }

  /** The broker is up again. */
  connect(run: KafkaRun): void {
    this.#run = run;
    // A topic in memory has forgotten its producers with the process, and takes any number now.
    for (const topic of run.broker.topics.values())
      if (topic.config.durability === 'memory')
        for (const partition of topic.partitions.indexes())
          this.#taken.delete(placeOf({ key: keyOf(topic), partition }));
    this.#client = undefined;
    this.#lost();
    const left = this.#batches.filter(({ topic: name, key }) => {
      const topic = run.broker.topic(name);
      // A topic in memory is gone, and with it its knowledge of the producer.
      return topic && keyOf(topic) === key && topic.config.durability === 'disk';
    });
    if (left.length < this.#batches.length) this.#isBroken = true;
    this.#batches = left;
    this.goOn();
  }

  /** Drops the connection at any time, and makes another at once or when there is something to send. */
  reconnect(): void {
    this.#client?.hangUp();
    if (this.#run.random.int(2) === 0) this.goOn();
  }

  publish(topic: string, key: string, partition: number, plans: readonly PlannedMessage[]): void {
    this.#add({ topic, key, partition, plans, timestampMs: this.#run.clock.now() });
  }

  #add(message: Pick<ProducedBatch, 'topic' | 'key' | 'partition' | 'plans' | 'timestampMs'>): void {
    const where = placeOf(message);
    const sequence = this.#nextSequence.get(where) ?? 0;
    this.#nextSequence.set(where, sequence + message.plans.length);
    this.#batches.push({ ...message, sequence, sends: 0, isInFlight: false });
  }

  /** Sends unsent batches, and those to be sent again. */
  goOn(): void {
    this.#held.clear();
    this.#flush();
  }

  /** Sends allowed batches: of each partition in order, one batch a request. */
  #flush(): void {
    this.#renewIfBroken();
    if (this.#batches.length === 0 || this.#isBroken) return;
    if (this.#isIdempotent && !this.#identity) return this.#askForId();
    for (let batches = this.#sendable(); batches.length > 0; batches = this.#sendable()) this.#send(batches);
  }

  #sendable(): ProducedBatch[] {
    const chosen = new Map<string, ProducedBatch>();
    const inFlight = new Map<string, number>();
    for (const batch of this.#batches) {
      const where = placeOf(batch);
      if (batch.isInFlight) inFlight.set(where, (inFlight.get(where) ?? 0) + 1);
    }
    for (const batch of this.#batches) {
      const where = placeOf(batch);
      if (batch.isInFlight || chosen.has(where) || this.#held.has(where)) continue;
      if ((inFlight.get(where) ?? 0) >= inFlightMax) continue;
      // Later batches in flight will be refused for their sequence numbers; then all of them are sent again,
      // in order.
      const isOvertaken = this.#batches.some(
        (other) => other.isInFlight && other.sequence > batch.sequence && placeOf(other) === where,
      );
      if (this.#isIdempotent && isOvertaken) inFlight.set(where, inFlightMax);
      else chosen.set(where, batch);
    }
    return [...chosen.values()];
  }

  #askForId(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#connection().call(
      'InitProducerId',
      4,
      { transactionalId: null, transactionTimeoutMs: 1000, producerId: -1, producerEpoch: -1 },
      ({ errorCode, producerId, producerEpoch }) => {
        this.#isAsking = false;
        if (errorCode !== ErrorCode.NONE) return;
        this.#known.take(this.#run, `${producerId}/${producerEpoch}`);
        this.#identity = { producerId, producerEpoch };
        this.#flush();
      },
    );
  }

  #connection(): KafkaClient {
    if (!this.#client || this.#client.isClosed) this.#client = new KafkaClient(this.#run, () => this.#lost());
    return this.#client;
  }

  /** Batches without an answer have to be sent again, or are given up. */
  #lost(): void {
    this.#isAsking = false;
    for (const batch of this.#batches) batch.isInFlight = false;
    if (!this.#isIdempotent) this.#batches = this.#batches.filter(({ sends }) => sends === 0);
  }

  #send(batches: readonly ProducedBatch[]): void {
    const topicData: RequestDraft<'Produce'>['topicData'][number][] = [];
    const sent: ProducedBatch[] = [];
    for (const batch of batches) {
      const topic = this.#run.broker.topic(batch.topic);
      if (!topic || keyOf(topic) !== batch.key) {
        this.#batches.splice(this.#batches.indexOf(batch), 1);
        this.#isBroken = true; // the deletion may come to nothing, and the sequence has a gap
        continue;
      }
      batch.sends++;
      this.#run.note({ kind: 'sent', ids: batch.plans.map(({ id }) => id) });
      batch.isInFlight = true;
      sent.push(batch);
      const partitionData = [
        {
          index: batch.partition,
          records: encodeBatch(
            batch.plans,
            batch.timestampMs,
            this.#identity ? { ...this.#identity, baseSequence: batch.sequence } : {},
          ),
        },
      ];
      topicData.push({ topicId: this.#run.topicId(topic), partitionData });
    }
    if (sent.length === 0) return;
    this.#connection().call(
      'Produce',
      produceVersion,
      { acks: -1, timeoutMs: 1000, topicData },
      ({ responses }) => {
        for (const [at, batch] of sent.entries())
          this.#answered(batch, responses[at]!.partitionResponses[0]!);
        this.#flush();
      },
    );
  }

  #answered(
    batch: ProducedBatch,
    { errorCode, baseOffset }: ResponseOf<'Produce'>['responses'][number]['partitionResponses'][number],
  ): void {
    batch.isInFlight = false;
    const { partition, plans } = batch;
    if (errorCode === ErrorCode.NONE) {
      if (this.#isIdempotent) this.#take(batch);
      this.#batches.splice(this.#batches.indexOf(batch), 1);
      for (const [at, { id }] of plans.entries())
        this.#run.note({ kind: 'published', id, partition, offset: baseOffset + at, duplicate: false });
      return;
    }
    if (this.#isIdempotent && this.#isToBeSentAgain(batch, errorCode)) return;
    this.#refuse(batch, refusalOf(errorCode));
    if (this.#isIdempotent) this.#isBroken = true;
  }

  #take(batch: ProducedBatch): void {
    const { sequence, plans } = batch;
    const where = placeOf(batch);
    const { first, end } = this.#taken.get(where) ?? { first: sequence, end: sequence };
    if (sequence > end && !this.#isBroken)
      this.#run.problem(`m${plans[0]!.id} was taken with sequence number ${sequence}, and ${end} was not`);
    this.#taken.set(where, { first, end: Math.max(end, sequence + plans.length) });
  }

  #isToBeSentAgain(batch: ProducedBatch, errorCode: number): boolean {
    const where = placeOf(batch);
    if (retriable.has(errorCode) && this.#run.random.int(4) > 0) {
      this.#held.add(where);
      return true;
    }
    if (errorCode !== ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) return false;
    const isBehind = this.#batches.some(
      (other) => placeOf(other) === where && other.sequence < batch.sequence,
    );
    const first = this.#taken.get(where)?.first;
    const mayBeOvertaken = this.#batches.some(
      (other) => placeOf(other) === where && other.sequence > batch.sequence && other.sends > 0,
    );
    const isBefore = first === undefined ? mayBeOvertaken : batch.sequence < first;
    if (!isBehind && !isBefore && !this.#isBroken)
      this.#run.problem(`m${batch.plans[0]!.id} was refused for its sequence number, and none before it was`);
    return isBehind;
  }

  #refuse(batch: ProducedBatch, code: string): void {
    this.#batches.splice(this.#batches.indexOf(batch), 1);
    const wasSentBefore = batch.sends > 1;
    for (const { id } of batch.plans)
      this.#run.note({ kind: 'refused', id, code, ...(wasSentBefore ? { wasSentBefore } : {}) });
  }

  /**
   * Once all is answered: batches never sent use another id, with sequence numbers from 0. Batches that may
   * be stored are not sent again.
   */
  #renewIfBroken(): void {
    if (!this.#isBroken || this.#batches.some(({ isInFlight }) => isInFlight)) return;
    this.#isBroken = false;
    this.#identity = undefined;
    this.#nextSequence = new Map();
    this.#taken = new Map();
    const left = this.#batches.filter(({ sends }) => sends === 0);
    this.#batches = [];
    for (const batch of left) this.#add(batch);
  }
}

function placeOf({ key, partition }: Pick<ProducedBatch, 'key' | 'partition'>): string {
  return `${key}/${partition}`;
}
