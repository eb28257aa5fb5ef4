import {
  ErrorCode,
  decodeConsumerAssignment,
  encodeConsumerAssignment,
  encodeConsumerSubscription,
  errorName,
  type ResponseOf,
  type Uuid,
} from '../../src/wire/kafka/index.ts';
import { KafkaClient } from './kafka-client.ts';
import type { KafkaRun } from './kafka-run.ts';
import { keyOf } from './keys.ts';

const sessionTimeoutMs = 6000;
const protocolType = 'consumer';
const protocolName = 'simulated';
/**
 * The broker takes a member of KIP-848 for gone when it has heard nothing for 45 s; less is surely in time.
 */
const surelyAliveMs = 44_000;
const rebalanceTimeoutMs = 60_000;

interface TopicPartitions {
  readonly topicId: Uuid;
  readonly partitions: readonly number[];
}

/** A partition of a topic, by the topic's name and a number that is taken modulo its partitions. */
interface Place {
  readonly topic: string;
  readonly partition: number;
}

export type MemberStep =
  /** Joins, or joins again. */
  | { readonly kind: 'join'; readonly member: string; readonly topics: readonly string[] }
  | { readonly kind: 'heartbeat'; readonly member: string }
  | { readonly kind: 'leave'; readonly member: string }
  /** Commits a position, as a share of the offsets there are. */
  | ({ readonly kind: 'commit'; readonly member: string; readonly pick: number } & Place)
  | ({ readonly kind: 'offsets'; readonly member: string } & Place);

/**
 * A member of a Kafka group, with a connection of its own: it commits positions and reads them. In a classic
 * group it joins, and leads if it is the leader. In a KIP-848 group the broker assigns, and no partition may
 * be assigned to a member while another has it.
 */
export class KafkaMember {
  readonly name: string;
  readonly group: string;
  readonly #isNewer: boolean;
  #run!: KafkaRun;
  #client: KafkaClient | undefined;
  #memberId = '';
  #generation = -1;
  #isJoining = false;
  /** KIP-848: its assignment, by topic id, and the time of its last heartbeat. */
  #assigned: readonly TopicPartitions[] = [];
  #heardMs = 0;
  /** Where it committed last. */
  #place: Place | undefined;

  /** `name` begins with the group's: `k1.0`. */
  constructor(name: string, isNewer: boolean) {
    this.name = name;
    this.#isNewer = isNewer;
    this.group = name.slice(0, name.indexOf('.'));
  }

  connect(run: KafkaRun): void {
    this.#run = run;
    this.#client = undefined;
    this.#assigned = [];
    this.#forget();
    if (this.#place) this.#offsets(this.#place); // where it begins
  }

  reconnect(): void {
    this.#client?.hangUp();
    this.#isJoining = false;
  }

  perform(step: MemberStep): void {
    switch (step.kind) {
      case 'join':
        return this.#isNewer ? this.#beat(step.topics) : this.#join(step.topics);
      case 'heartbeat':
        return this.#isNewer ? this.#beat(null) : this.#heartbeat();
      case 'leave':
        return this.#isNewer ? this.#beatForTheLastTime() : this.#leave();
      case 'commit':
        return this.#commit(step, step.pick);
      case 'offsets':
        return this.#offsets(step);
      default:
        return step satisfies never;
    }
  }

  #forget(): void {
    this.#memberId = '';
    this.#generation = -1;
    this.#isJoining = false;
  }

  #connection(): KafkaClient {
    if (!this.#client || this.#client.isClosed)
      this.#client = new KafkaClient(this.#run, () => (this.#isJoining = false), false);
    return this.#client;
  }

  // ---- membership

  #join(topics: readonly string[]): void {
    if (this.#isJoining) return;
    this.#isJoining = true;
    const client = this.#connection();
    client.call('FindCoordinator', 4, { keyType: 0, coordinatorKeys: [this.group] }, () => {});
    const metadata = encodeConsumerSubscription(1, { topics, userData: null });
    const request = {
      groupId: this.group,
      sessionTimeoutMs,
      rebalanceTimeoutMs: sessionTimeoutMs,
      memberId: this.#memberId,
      protocolType,
      protocols: [{ name: protocolName, metadata }],
    };
    client.call('JoinGroup', 9, request, (joined) => {
      const { errorCode, memberId, generationId } = joined;
      if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
        this.#memberId = memberId;
        this.#isJoining = false;
        return this.#join(topics);
      }
      if (errorCode !== ErrorCode.NONE) return this.#forget();
      this.#memberId = memberId;
      this.#generation = generationId;
      return this.#sync(joined, topics);
    });
  }

  /** The leader gives every partition to one of the members. */
  #sync(
    { leader, memberId, members, generationId }: ResponseOf<'JoinGroup'>,
    topics: readonly string[],
  ): void {
    const places = topics.flatMap((name) =>
      (this.#run.broker.topic(name)?.partitions.indexes() ?? []).map((index) => ({ name, index })),
    );
    const assignments =
      leader === memberId
        ? members.map((member, at) => ({
            memberId: member.memberId,
            assignment: encodeConsumerAssignment(1, {
              assignedPartitions: topics.map((topic) => ({
                topic,
                partitions: places
                  .filter(({ name, index }) => name === topic && index % members.length === at)
                  .map(({ index }) => index),
              })),
              userData: null,
            }),
          }))
        : [];
    const request = { groupId: this.group, generationId, memberId, protocolType, protocolName, assignments };
    this.#connection().call('SyncGroup', 5, request, ({ errorCode, assignment }) => {
      this.#isJoining = false;
      if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) return this.#join(topics);
      if (errorCode !== ErrorCode.NONE) return this.#forget();
      decodeConsumerAssignment(assignment);
    });
  }

  #heartbeat(): void {
    if (this.#generation < 0) return;
    const request = { groupId: this.group, generationId: this.#generation, memberId: this.#memberId };
    this.#connection().call('Heartbeat', 4, request, ({ errorCode }) => {
      if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.REBALANCE_IN_PROGRESS) this.#forget();
    });
  }

  #leave(): void {
    if (this.#memberId === '') return;
    const request = { groupId: this.group, members: [{ memberId: this.#memberId, groupInstanceId: null }] };
    this.#connection().call('LeaveGroup', 5, request, () => {});
    this.#forget();
  }

  // ---- membership by KIP-848

  /** With topics: joins, or says that it reads others. */
  #beat(subscribedTopicNames: readonly string[] | null): void {
    const isJoining = this.#generation < 0;
    if (this.#isJoining || (isJoining && !subscribedTopicNames)) return;
    if (isJoining) this.#own([]);
    this.#isJoining = true;
    const request = {
      groupId: this.group,
      memberId: this.name,
      memberEpoch: Math.max(0, this.#generation),
      rebalanceTimeoutMs,
      subscribedTopicNames,
      topicPartitions: this.#assigned,
    };
    this.#connection().call(
      'ConsumerGroupHeartbeat',
      1,
      request,
      ({ errorCode, memberEpoch, assignment }) => {
        this.#isJoining = false;
        if (errorCode !== ErrorCode.NONE) {
          this.#own([]);
          return this.#forget();
        }
        this.#memberId = this.name;
        this.#generation = memberEpoch;
        this.#heardMs = this.#run.clock.monotonic();
        if (assignment) this.#own(assignment.topicPartitions);
      },
    );
  }

  #beatForTheLastTime(): void {
    if (this.#generation < 0) return;
    const request = { groupId: this.group, memberId: this.name, memberEpoch: -1 };
    this.#connection().call('ConsumerGroupHeartbeat', 1, request, () => {});
    this.#own([]);
    this.#forget();
  }

  #own(assigned: readonly TopicPartitions[]): void {
    const { owners, clock } = this.#run;
    for (const place of placesOf(this.group, this.#assigned))
      if (owners.get(place) === this) owners.delete(place);
    for (const place of placesOf(this.group, assigned)) {
      const owner = owners.get(place);
      if (owner && owner !== this && clock.monotonic() < owner.#heardMs + surelyAliveMs)
        this.#run.problem(`${place} was assigned to ${this.name} while ${owner.name} had it`);
      owners.set(place, this);
    }
    this.#assigned = assigned;
  }

  // ---- positions

  /**
   * A client that is not a member commits like a consumer that assigned its partitions itself, which is
   * refused while there are members.
   */
  #commit({ topic: name, partition: at }: Place, pick: number): void {
    const run = this.#run;
    const topic = run.broker.topic(name);
    if (!topic) return;
    this.#place = { topic: name, partition: at };
    const partition = topic.partitions.at(at % topic.partitions.length)!;
    const offset = Math.floor(pick * (partition.durableEnd + 1));
    const key = keyOf(topic);
    const metadata = `c${run.events}`;
    const of = run.note({
      kind: 'offset-commit',
      group: this.group,
      topic: key,
      partition: partition.index,
      offset,
      metadata,
    });
    const request = {
      groupId: this.group,
      generationIdOrMemberEpoch: this.#generation,
      memberId: this.#generation < 0 ? '' : this.#memberId,
      topics: [
        {
          name,
          partitions: [
            { partitionIndex: partition.index, committedOffset: offset, committedMetadata: metadata },
          ],
        },
      ],
    };
    this.#connection().call('OffsetCommit', 9, request, ({ topics }) => {
      const { errorCode } = topics[0]!.partitions.at(0)!;
      if (errorCode === ErrorCode.NONE) run.note({ kind: 'outcome', of });
      else run.note({ kind: 'outcome', of, error: errorName(errorCode) });
    });
  }

  #offsets({ topic: name, partition: at }: Place): void {
    const run = this.#run;
    const topic = run.broker.topic(name);
    if (!topic) return;
    const key = keyOf(topic);
    const partition = at % topic.partitions.length;
    const since = run.events;
    const { group } = this;
    const topics = [{ name, partitionIndexes: [partition] }];
    const request = { groups: [{ groupId: group, topics }], requireStable: run.random.int(2) === 0 };
    this.#connection().call('OffsetFetch', 9, request, ({ groups }) => {
      const answer = groups[0]!.topics[0]?.partitions.at(0);
      if (!answer || answer.errorCode !== ErrorCode.NONE) return;
      // The topic may be another one of that name by now.
      const now = run.broker.topic(name);
      if (!now || keyOf(now) !== key) return;
      const { committedOffset: offset, metadata } = answer;
      run.note({
        kind: 'offset-seen',
        group,
        topic: key,
        partition,
        since,
        offset,
        metadata: metadata ?? '',
      });
    });
  }
}

function placesOf(group: string, assigned: readonly TopicPartitions[]): string[] {
  return assigned.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => `${group}/${topicId}/${partition}`),
  );
}
