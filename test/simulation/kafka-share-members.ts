import type { Group } from '../../src/broker/index.ts';
import {
  ErrorCode,
  readRecords,
  splitBatches,
  type RequestDraft,
  type ResponseOf,
} from '../../src/wire/kafka/index.ts';
import type { GroupWatch } from './group-watch.ts';
import { KafkaClient } from './kafka-client.ts';
import type { KafkaRun } from './kafka-run.ts';
import { sight } from './message.ts';
import type { Action, Answer } from './script.ts';

const fetchWaitMs = 60_000;
const recordBytesMax = 1 << 20;

const acknowledgeTypes: { readonly [K in Answer]: number } = {
  ack: 1,
  'ack-all': 1, // each record is answered by itself
  nack: 2,
  reject: 3,
  extend: 4,
};

/** A record that the member holds. */
interface Held {
  readonly partition: number;
  readonly offset: number;
}

/**
 * A member of a Kafka share group, with a connection and a share session of its own: it acquires records, and
 * accepts, releases, rejects or renews them. Its group is one of the broker's, on one topic.
 */
export class KafkaShareMember {
  readonly #run: KafkaRun;
  readonly #group: Group;
  readonly #watch: GroupWatch;
  readonly #memberId: string;
  readonly #client: KafkaClient;
  /** Of the next request in the session. */
  #epoch = 0;
  #memberEpoch = 0;
  #held: Held[] = [];
  #isFetching = false;
  #isDraining = false;

  constructor(run: KafkaRun, group: Group, watch: GroupWatch, memberId: string) {
    this.#run = run;
    this.#group = group;
    this.#watch = watch;
    this.#memberId = memberId;
    this.#client = new KafkaClient(run, () => (this.#held = []), false);
    const subscribedTopicNames = [group.topic.name];
    this.#client.call(
      'ShareGroupHeartbeat',
      1,
      { groupId: group.name, memberId, memberEpoch: 0, subscribedTopicNames },
      ({ memberEpoch }) => (this.#memberEpoch = memberEpoch),
    );
  }

  get isGone(): boolean {
    return this.#client.isClosed;
  }

  /** It waits for records. */
  get isFetching(): boolean {
    return this.#isFetching;
  }

  fetch(maxRecords: number): void {
    const { topic, name: groupId } = this.#group;
    const isFirst = this.#epoch === 0;
    const partitions = topic.partitions.indexes().map((index) => ({
      partitionIndex: index,
      acknowledgementBatches: [],
    }));
    const request = {
      groupId,
      memberId: this.#memberId,
      shareSessionEpoch: this.#epoch++,
      maxWaitMs: fetchWaitMs,
      minBytes: 1,
      maxRecords,
      batchSize: maxRecords,
      topics: isFirst ? [{ topicId: this.#run.topicId(topic), partitions }] : [],
      forgottenTopicsData: [],
    };
    this.#isFetching = true;
    this.#client.call('ShareFetch', 2, request, (response) => {
      this.#isFetching = false;
      if (response.errorCode !== ErrorCode.NONE) return this.#endSession();
      for (const { partitions: answers } of response.responses)
        for (const answer of answers) this.#arrived(answer);
      if (this.#isDraining) this.acceptAll();
    });
  }

  /** The next request starts another session; records held go to others. */
  #endSession(): void {
    this.#epoch = 0;
    this.#held = [];
  }

  #arrived({
    partitionIndex: partition,
    records,
    acquiredRecords,
  }: ResponseOf<'ShareFetch'>['responses'][number]['partitions'][number]): void {
    const run = this.#run;
    const found = new Map(
      splitBatches(records)
        .flatMap((batch) => readRecords(batch, recordBytesMax))
        .map((record) => [record.offset, sight(record, partition, run.plans)]),
    );
    for (const { firstOffset, lastOffset } of acquiredRecords) {
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        const seen = found.get(offset);
        if (!seen || seen.id < 0 || seen.altered !== undefined)
          run.problem(`offset ${offset} was acquired, and what came with it is ${JSON.stringify(seen)}`);
        this.#held.push({ partition, offset });
      }
    }
  }

  answer({ answer, pick, count }: Extract<Action, { kind: 'answer' }>): number {
    const chosen: Held[] = [];
    while (chosen.length < count && this.#held.length > 0) {
      const at = Math.floor(pick * this.#held.length);
      chosen.push(this.#held[at]!);
      if (answer === 'extend') break;
      this.#held.splice(at, 1);
    }
    if (chosen.length > 0) this.#acknowledge(chosen, answer);
    return chosen.length;
  }

  /** From now on everything is accepted at once. */
  drain(): void {
    this.#isDraining = true;
    this.acceptAll();
  }

  acceptAll(): void {
    const held = this.#held.splice(0);
    if (held.length > 0) this.#acknowledge(held, 'ack');
  }

  /** The group of that name: when it was deleted, the next fetch of a member has made another. */
  get #groupNow(): Group {
    const { topic, name } = this.#group;
    return topic.groups.get(name) ?? this.#group;
  }

  #acknowledge(chosen: readonly Held[], answer: Answer): void {
    const { topic, name: groupId } = this.#group;
    const run = this.#run;
    const since = run.events;
    const asked = this.#groupNow;
    const byPartition = new Map<number, number[]>();
    for (const { partition, offset } of chosen) {
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), offset]);
      if (acknowledgeTypes[answer] === acknowledgeTypes.ack && !this.#isDraining)
        this.#watch.accepting(this.#groupNow, partition, offset);
    }
    const partitions = [...byPartition].map(([partitionIndex, offsets]) => ({
      partitionIndex,
      acknowledgementBatches: offsets
        .sort((a, b) => a - b)
        .map((offset) => ({
          firstOffset: offset,
          lastOffset: offset,
          acknowledgeTypes: [acknowledgeTypes[answer]],
        })),
    }));
    const request: RequestDraft<'ShareAcknowledge'> = {
      groupId,
      memberId: this.#memberId,
      shareSessionEpoch: this.#epoch++,
      isRenewAck: answer === 'extend',
      topics: [{ topicId: run.topicId(topic), partitions }],
    };
    this.#client.call('ShareAcknowledge', 2, request, ({ errorCode, responses }) => {
      if (errorCode !== ErrorCode.NONE) return this.#endSession();
      for (const { partitions: answers } of responses)
        for (const { partitionIndex, errorCode: code } of answers)
          if (code === ErrorCode.NONE)
            this.#confirmed(asked, partitionIndex, byPartition.get(partitionIndex)!, answer, since);
    });
  }

  /** The group took it, it is on disk, and so is all that came before it. */
  #confirmed(
    asked: Group,
    partition: number,
    offsets: readonly number[],
    answer: Answer,
    since: number,
  ): void {
    for (const offset of offsets) {
      const isAck = acknowledgeTypes[answer] === acknowledgeTypes.ack;
      // A record not accepted may have been delivered and answered again meanwhile; and another group of that
      // name may have been created.
      const taken = [asked, this.#groupNow]
        .map((group) =>
          isAck ? this.#watch.acked(group, partition, offset) : this.#watch.taken(group, partition, offset),
        )
        .find((one) => one && one.at >= since);
      if (taken) this.#run.note({ kind: 'durable', upTo: taken.at });
      // No answer is expected for records removed while the member held them.
      else if (asked.positions.ifOpened(partition)?.partition.isLive(offset) !== false)
        this.#run.problem(
          `${answer} of ${partition}/${offset} was confirmed, and the group never heard of it`,
        );
    }
  }

  /** Says so, or just goes. */
  leave(): void {
    if (this.#run.random.int(2) === 0) {
      const { name: groupId } = this.#group;
      const request = { groupId, memberId: this.#memberId, memberEpoch: -1 };
      this.#client.call('ShareGroupHeartbeat', 1, request, () => this.#client.hangUp());
    } else this.#client.hangUp();
  }

  heartbeat(): void {
    if (this.#memberEpoch === 0) return;
    const { name: groupId } = this.#group;
    const request = { groupId, memberId: this.#memberId, memberEpoch: this.#memberEpoch };
    this.#client.call('ShareGroupHeartbeat', 1, request, ({ errorCode, memberEpoch }) => {
      if (errorCode === ErrorCode.NONE) this.#memberEpoch = memberEpoch;
    });
  }
}
