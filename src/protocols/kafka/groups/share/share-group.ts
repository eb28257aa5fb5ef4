import type { Clock, Random } from '../../../../util/index.ts';
import { ErrorCode, type Uuid } from '../../../../wire/kafka/index.ts';
import { KafkaError } from '../../errors.ts';
import type { TopicPartitions } from '../consumer/assignment.ts';
import { SubscribedTopics, type TopicsView } from '../consumer/subscribed-topics.ts';
import { DeadlineTimer } from '../deadline-timer.ts';
import { freshUuid } from '../ids.ts';
import type { GroupLimits } from '../limits.ts';
import { bytesOfNames, chargeOfMember, chargeOfMembers, type MemberCharge } from '../member-charge.ts';

export type ShareGroupState = 'Empty' | 'Stable';

/** The services that the coordinator offers to a share group. */
export interface ShareGroupHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: GroupLimits;
  /** The account that the group's members are charged to. */
  charge(): MemberCharge;
  readonly topics: TopicsView;
  /** Session timeout of the group: a member is removed after this time without a heartbeat. */
  sessionMsOf(groupId: string): number;
  changed(group: ShareGroup): void;
}

/** A ShareGroupHeartbeat request. */
export interface ShareHeartbeat {
  readonly memberId: string;
  /** 0 to enter, -1 to leave. */
  readonly memberEpoch: number;
  readonly rackId: string | null;
  /** Null if unchanged. */
  readonly subscribedTopicNames: readonly string[] | null;
  readonly clientId: string;
  readonly clientHost: string;
}

export interface ShareHeartbeatResult {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly assignment: readonly TopicPartitions[] | null;
}

class ShareMember {
  readonly id: string;
  rackId: string | null = null;
  clientId = '';
  clientHost = '';
  topicNames: readonly string[] = [];
  /** Bytes of the topic names. */
  bytes = 0;
  epoch = 0;
  previousEpoch = 0;
  deadlineMs: number = Infinity;

  constructor(id: string) {
    this.id = id;
  }
}

/**
 * The members of a share group (KIP-932). Every member may read all partitions of the topics it subscribed
 * to. The broker's group decides for each record which member gets it.
 */
export class ShareGroup {
  readonly kind = 'share';
  readonly id: string;
  readonly members: Map<string, ShareMember> = new Map();
  readonly #host: ShareGroupHost;
  readonly #timer: DeadlineTimer;
  readonly #charge: MemberCharge;
  #epoch = 0;
  #subscribed: SubscribedTopics;
  #topicsStale = false;

  constructor(id: string, host: ShareGroupHost) {
    this.id = id;
    this.#host = host;
    this.#charge = host.charge();
    this.#timer = new DeadlineTimer(host.clock, () => this.#expire());
    this.#subscribed = new SubscribedTopics([], host.topics);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get state(): ShareGroupState {
    return this.members.size === 0 ? 'Empty' : 'Stable';
  }

  /** Number of members that read a topic. */
  readersOf(topicId: Uuid): number {
    let readers = 0;
    for (const topics of this.#subscribed.byMember.values()) if (topics.has(topicId)) readers++;
    return readers;
  }

  get isForgettable(): boolean {
    return this.members.size === 0;
  }

  close(): void {
    this.#charge.close();
    this.#timer.stop();
  }

  noteTopicsChanged(): void {
    this.#topicsStale = true;
  }

  /** Throws a KafkaError. */
  heartbeat(request: ShareHeartbeat): ShareHeartbeatResult {
    const { memberEpoch } = request;
    if (memberEpoch === -1) {
      const leaving = this.#known(request.memberId);
      this.#remove(leaving);
      return { memberId: leaving.id, memberEpoch, assignment: null };
    }
    const member = memberEpoch === 0 ? this.#enter(request.memberId) : this.#known(request.memberId);
    if (memberEpoch !== 0 && memberEpoch !== member.epoch && memberEpoch !== member.previousEpoch) {
      const problem = `Member "${member.id}" of share group "${this.id}" is in epoch ${member.epoch}, not ${memberEpoch}; join again.`;
      throw new KafkaError(ErrorCode.FENCED_MEMBER_EPOCH, problem);
    }
    const changed = this.#update(member, request);
    if (changed || this.#topicsStale) this.#lookAtTopics(changed);
    const tells = memberEpoch === 0 || member.epoch !== this.#epoch || memberEpoch !== member.epoch;
    if (member.epoch !== this.#epoch) member.previousEpoch = member.epoch;
    member.epoch = this.#epoch;
    member.deadlineMs = this.#host.clock.monotonic() + this.#host.sessionMsOf(this.id);
    this.#timer.note(member.deadlineMs);
    if (changed) this.#host.changed(this);
    return {
      memberId: member.id,
      memberEpoch: member.epoch,
      assignment: tells ? this.assignmentOf(member.id) : null,
    };
  }

  assignmentOf(memberId: string): TopicPartitions[] {
    const topics: ReadonlySet<Uuid> = this.#subscribed.byMember.get(memberId) ?? new Set();
    return [...topics].map((topicId) => ({
      topicId,
      partitions: Array.from({ length: this.#subscribed.partitions.get(topicId) ?? 0 }, (_, at) => at),
    }));
  }

  #enter(memberId: string): ShareMember {
    const known = this.members.get(memberId);
    if (known) return known;
    const { membersMax } = this.#host.limits;
    if (this.members.size >= membersMax) {
      const problem = `Share group "${this.id}" takes ${membersMax} members at most.`;
      throw new KafkaError(ErrorCode.GROUP_MAX_SIZE_REACHED, problem);
    }
    return new ShareMember(memberId === '' ? freshUuid(this.#host.random) : memberId);
  }

  #known(memberId: string): ShareMember {
    const member = this.members.get(memberId);
    if (member) return member;
    throw new KafkaError(
      ErrorCode.UNKNOWN_MEMBER_ID,
      `Share group "${this.id}" has no member "${memberId}".`,
    );
  }

  #update(member: ShareMember, request: ShareHeartbeat): boolean {
    const { subscribedTopicNames, rackId, clientId, clientHost } = request;
    const { memberTopicsMax } = this.#host.limits;
    if (subscribedTopicNames && subscribedTopicNames.length > memberTopicsMax) {
      const problem = `A member names ${memberTopicsMax} topics at most, not ${subscribedTopicNames.length}.`;
      throw new KafkaError(ErrorCode.INVALID_REQUEST, problem);
    }
    const names = subscribedTopicNames && [...new Set(subscribedTopicNames)].sort();
    const isNew = !this.members.has(member.id);
    this.#checkRoom(member, isNew, names);
    this.members.set(member.id, member);
    if (rackId !== null) member.rackId = rackId;
    member.clientId = clientId;
    member.clientHost = clientHost;
    const isSame = names === null || names.join('\n') === member.topicNames.join('\n');
    if (!isSame) {
      member.topicNames = names;
      member.bytes = bytesOfNames(names);
    }
    if (isNew || !isSame) this.#charge.set(chargeOfMembers(this.members.values()));
    return isNew || !isSame;
  }

  /** Throws a KafkaError if the members of all groups together would take too much memory. */
  #checkRoom(member: ShareMember, isNew: boolean, names: readonly string[] | null): void {
    const more = chargeOfMember(names ? bytesOfNames(names) : member.bytes);
    const less = isNew ? 0 : chargeOfMember(member.bytes);
    if (more <= less) return;
    const refusal = this.#charge.refusalOf(chargeOfMembers(this.members.values()) + more - less);
    if (refusal) throw new KafkaError(ErrorCode.GROUP_MAX_SIZE_REACHED, refusal.message, refusal);
  }

  #lookAtTopics(membersChanged: boolean): void {
    this.#topicsStale = false;
    const subscribed = new SubscribedTopics(this.members.values(), this.#host.topics);
    if (membersChanged || subscribed.fingerprint !== this.#subscribed.fingerprint) this.#epoch++;
    this.#subscribed = subscribed;
  }

  #remove(member: ShareMember): void {
    this.members.delete(member.id);
    this.#charge.set(chargeOfMembers(this.members.values()));
    this.#lookAtTopics(true);
    this.#host.changed(this);
  }

  #expire(): number {
    const nowMs = this.#host.clock.monotonic();
    let nextMs = Infinity;
    for (const member of this.members.values()) {
      if (member.deadlineMs <= nowMs) this.#remove(member);
      else nextMs = Math.min(nextMs, member.deadlineMs);
    }
    return nextMs;
  }
}
