import { setTimeout as delay } from 'node:timers/promises';
import {
  ErrorCode,
  decodeConsumerAssignment,
  encodeConsumerAssignment,
  encodeConsumerSubscription,
  errorName,
} from '../../src/wire/kafka/index.ts';
import { nowMs } from './clock.ts';
import type { Count, Generator, LoadJob } from './job.ts';
import { KafkaSocket } from './kafka-socket.ts';

/** The defaults of widely used clients. */
const heartbeatEveryMs = 3000;
const sessionTimeoutMs = 45_000;
const fetchWaitMs = 500;
/** The time between retries while a group is assembled. */
const askAgainMs = 50;

type Job = LoadJob & { kind: 'kafka-members' };

/**
 * Kafka members are members of consumer groups that have joined, have nothing to read, and send only what
 * keeps them in.
 */
export class KafkaMembers implements Generator {
  readonly #job: Job;
  readonly #members: readonly Member[];

  private constructor(job: Job, members: readonly Member[]) {
    this.#job = job;
    this.#members = members;
  }

  static async open(job: Job, onFailure: (error: Error) => void): Promise<KafkaMembers> {
    const count = job.groups * job.membersPerGroup;
    const members = Array.from({ length: count }, async (_, index) => {
      const member = await Member.connect(job, `bench-group-${index % job.groups}`, onFailure);
      await member.find();
      await member.join();
      return member;
    });
    return new KafkaMembers(job, await Promise.all(members));
  }

  async run(): Promise<Count> {
    const startMs = nowMs();
    const endMs = startMs + this.#job.seconds * 1e3;
    const requests = await Promise.all(
      this.#members.flatMap((member, index) => {
        const heartbeats = member.stay(endMs, (heartbeatEveryMs * index) / this.#members.length);
        return this.#job.fetches ? [heartbeats, member.wait(endMs)] : [heartbeats];
      }),
    );
    return { messages: requests.reduce((sum, each) => sum + each, 0), startMs, endMs: nowMs() };
  }

  end(): void {
    for (const member of this.#members) member.end();
  }
}

/** One member: a connection to the coordinator, and another one for fetches, as in real clients. */
class Member {
  readonly #job: Job;
  readonly #groupId: string;
  readonly #coordinator: KafkaSocket;
  readonly #leader: KafkaSocket;
  #memberId = '';
  #generationId = -1;
  #partition = -1;

  private constructor(job: Job, groupId: string, coordinator: KafkaSocket, leader: KafkaSocket) {
    this.#job = job;
    this.#groupId = groupId;
    this.#coordinator = coordinator;
    this.#leader = leader;
  }

  static async connect(job: Job, groupId: string, onFailure: (error: Error) => void): Promise<Member> {
    const coordinator = await KafkaSocket.connect(job.port, onFailure);
    return new Member(job, groupId, coordinator, await KafkaSocket.connect(job.port, onFailure));
  }

  /**
   * Finds the coordinator. There is only one broker, but Kafka starts its group coordinator with the first
   * such request.
   */
  async find(): Promise<void> {
    for (;;) {
      const asked = { key: this.#groupId, keyType: 0 };
      const { errorCode } = await this.#leader.call('FindCoordinator', 1, asked);
      if (errorCode === ErrorCode.NONE) return;
      if (errorCode !== ErrorCode.COORDINATOR_NOT_AVAILABLE)
        throw new Error(`no coordinator: ${errorName(errorCode)}`);
      await delay(askAgainMs);
    }
  }

  /** Joins until the group has all its members. Only then does the leader assign, one partition to each. */
  async join(): Promise<void> {
    while (this.#partition < 0) {
      const members = await this.#enter();
      if (members && (await this.#sync(members))) return;
      await delay(askAgainMs);
    }
  }

  /** The members of the generation, as given to its leader; undefined if this member has to join again. */
  async #enter(): Promise<readonly { readonly memberId: string }[] | undefined> {
    const { topic } = this.#job;
    const joined = await this.#coordinator.call('JoinGroup', 5, {
      groupId: this.#groupId,
      memberId: this.#memberId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: sessionTimeoutMs,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: encodeConsumerSubscription(0, { topics: [topic] }) }],
    });
    this.#memberId = joined.memberId;
    this.#generationId = joined.generationId;
    switch (joined.errorCode) {
      case ErrorCode.NONE:
        return joined.members;
      case ErrorCode.MEMBER_ID_REQUIRED:
      // Kafka's coordinator, just after its start.
      case ErrorCode.NOT_COORDINATOR:
      case ErrorCode.COORDINATOR_NOT_AVAILABLE:
      case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
        return undefined;
      default:
        throw new Error(`join was refused: ${errorName(joined.errorCode)}`);
    }
  }

  /**
   * Whether this member has a partition now. If not, the group was not complete, and another rebalance
   * follows.
   */
  async #sync(members: readonly { readonly memberId: string }[]): Promise<boolean> {
    const { topic, membersPerGroup } = this.#job;
    const isWhole = members.length === membersPerGroup;
    const { assignment, errorCode } = await this.#coordinator.call('SyncGroup', 3, {
      ...this.#identity,
      assignments: members.map(({ memberId }, partition) => ({
        memberId,
        assignment: encodeConsumerAssignment(0, {
          assignedPartitions: isWhole ? [{ topic, partitions: [partition] }] : [],
        }),
      })),
    });
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) return false;
    if (errorCode !== ErrorCode.NONE) throw new Error(`sync was refused: ${errorName(errorCode)}`);
    const [assigned] = decodeConsumerAssignment(assignment).assignedPartitions;
    this.#partition = assigned?.partitions[0] ?? -1;
    if (assigned) return true;
    while ((await this.#heartbeat()) === ErrorCode.NONE) await delay(askAgainMs);
    return false;
  }

  get #identity(): { groupId: string; generationId: number; memberId: string } {
    return { groupId: this.#groupId, generationId: this.#generationId, memberId: this.#memberId };
  }

  async #heartbeat(): Promise<number> {
    const { errorCode } = await this.#coordinator.call('Heartbeat', 3, this.#identity);
    return errorCode;
  }

  /** Sends heartbeats, the first one after `phaseMs`. Returns how many. */
  async stay(endMs: number, phaseMs: number): Promise<number> {
    let count = 0;
    for (let atMs = nowMs() + phaseMs; atMs < endMs; atMs += heartbeatEveryMs) {
      await delay(Math.max(0, atMs - nowMs()));
      const errorCode = await this.#heartbeat();
      if (errorCode !== ErrorCode.NONE) throw new Error(`heartbeat was refused: ${errorName(errorCode)}`);
      count++;
    }
    return count;
  }

  /** Fetches from an empty partition. Returns how often. */
  async wait(endMs: number): Promise<number> {
    const { topic } = this.#job;
    const partitions = [{ partition: this.#partition, fetchOffset: 0, partitionMaxBytes: 1024 * 1024 }];
    let count = 0;
    while (nowMs() < endMs) {
      const { responses } = await this.#leader.call('Fetch', 11, {
        maxWaitMs: fetchWaitMs,
        minBytes: 1,
        maxBytes: 50 * 1024 * 1024,
        isolationLevel: 0,
        topics: [{ topic, partitions }],
      });
      const errorCode = responses[0]?.partitions[0]?.errorCode ?? ErrorCode.NONE;
      if (errorCode !== ErrorCode.NONE) throw new Error(`fetch was refused: ${errorName(errorCode)}`);
      count++;
    }
    return count;
  }

  end(): void {
    this.#coordinator.end();
    this.#leader.end();
  }
}
