import type { Clock, Random } from '../../../../util/index.ts';
import { ErrorCode, type Uuid } from '../../../../wire/kafka/index.ts';
import { DeadlineTimer } from '../deadline-timer.ts';
import { KafkaError } from '../../errors.ts';
import { freshUuid } from '../ids.ts';
import type { GroupLimits } from '../limits.ts';
import { bytesOfNames, chargeOfMember, chargeOfMembers, type MemberCharge } from '../member-charge.ts';
import { each, fromList, isSame, isSubset, noPartitions, toList, type Assignment } from './assignment.ts';
import { assignors, defaultAssignor } from './assignors.ts';
import { ConsumerMember, staticLeaveEpoch } from './consumer-member.ts';
import type { ConsumerHeartbeat, ConsumerHeartbeatResult } from './messages.ts';
import { reconcile } from './reconcile.ts';
import { SubscribedTopics, type TopicsView } from './subscribed-topics.ts';
import type { PatternTopics } from './pattern-topics.ts';

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

/** The services that the coordinator offers to a consumer group. */
export interface ConsumerGroupHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: GroupLimits;
  /** The account that the group's members are charged to. */
  charge(): MemberCharge;
  readonly topics: TopicsView;
  /** Session timeout of the group: a member is removed after this time without a heartbeat. */
  sessionMsOf(groupId: string): number;
  /** Throws a KafkaError of code INVALID_REGULAR_EXPRESSION. */
  patternOf(text: string): PatternTopics;
  /** Called when members join, leave or change the topics they read. */
  changed(group: ConsumerGroup): void;
}

const joinEpoch = 0;
const leaveEpoch = -1;

/**
 * A consumer group of KIP-848. The broker assigns the partitions, and each member moves to its assignment by
 * its own heartbeats, one step at a time.
 *
 * ```
 *   group epoch        goes up when members or topics change
 *   target epoch       the group epoch that the target assignment was made for
 *   member epoch       the target epoch that the member has reached
 * ```
 * A partition belongs to one member until that member confirms that it gave it back. Only then another member
 * gets it.
 */
export class ConsumerGroup {
  readonly kind = 'consumer';
  readonly id: string;
  readonly members: Map<string, ConsumerMember> = new Map();
  readonly #host: ConsumerGroupHost;
  #epoch = 0;
  #targetEpoch = 0;
  readonly #target = new Map<string, Assignment>();
  /** The member that holds each partition, including partitions that the member was told to give back. */
  readonly #owners = new Map<string, string>();
  readonly #staticMembers = new Map<string, string>();
  readonly #charge: MemberCharge;
  readonly #timer: DeadlineTimer;
  #subscribed: SubscribedTopics;
  /** Topics were created, changed or deleted since the group last looked at them. */
  #topicsStale = false;

  constructor(id: string, host: ConsumerGroupHost) {
    this.id = id;
    this.#host = host;
    this.#charge = host.charge();
    this.#timer = new DeadlineTimer(host.clock, () => this.#expire());
    this.#subscribed = new SubscribedTopics([], host.topics);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get targetEpoch(): number {
    return this.#targetEpoch;
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return 'Empty';
    if (this.#epoch > this.#targetEpoch) return 'Assigning';
    for (const { state, epoch } of this.members.values())
      if (epoch !== staticLeaveEpoch && (state !== 'stable' || epoch !== this.#targetEpoch))
        return 'Reconciling';
    return 'Stable';
  }

  /** The assignor that most members ask for. */
  get assignor(): string {
    const votes = new Map<string, number>();
    for (const { assignor } of this.members.values())
      if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1);
    let chosen: string = defaultAssignor;
    for (const [name, count] of votes) if (count > (votes.get(chosen) ?? 0)) chosen = name;
    return chosen;
  }

  get isForgettable(): boolean {
    return this.members.size === 0;
  }

  get hasHadMembers(): boolean {
    return this.#epoch > 0;
  }

  /** Ids of the topics that each member reads. */
  get topicsByMember(): ReadonlyMap<string, ReadonlySet<Uuid>> {
    return this.#subscribed.byMember;
  }

  targetOf(memberId: string): Assignment {
    return this.#target.get(memberId) ?? noPartitions;
  }

  close(): void {
    this.#charge.close();
    this.#timer.stop();
  }

  /** Topics were created, changed or deleted: the next heartbeat looks at them. */
  noteTopicsChanged(): void {
    this.#topicsStale = true;
  }

  /**
   * Patterns that have not been matched with all topics yet; none if the next heartbeat does not look at
   * topics.
   */
  patternsBehind(): PatternTopics[] {
    if (!this.#topicsStale) return [];
    const patterns = new Set<PatternTopics>();
    for (const { pattern } of this.members.values()) if (pattern) patterns.add(pattern);
    return [...patterns].filter(({ isBehind }) => isBehind);
  }

  // ---- heartbeat

  /** Throws a KafkaError. */
  heartbeat(request: ConsumerHeartbeat): ConsumerHeartbeatResult {
    const { memberEpoch } = request;
    if (memberEpoch === leaveEpoch || memberEpoch === staticLeaveEpoch) return this.#leave(request);
    const { names, pattern } = this.#checkSubscription(request);
    const member = memberEpoch === joinEpoch ? this.#enter(request) : this.#known(request);
    const owned = request.topicPartitions ? fromList(request.topicPartitions) : undefined;
    if (memberEpoch !== joinEpoch) this.#checkEpoch(member, memberEpoch, owned);
    const isNew = !this.members.has(member.id);
    this.#checkRoom(member, isNew, names);
    const subscriptionChanged = this.#update(member, request, names, pattern);
    if (isNew) this.members.set(member.id, member);
    if (isNew || subscriptionChanged) this.#charge.set(chargeOfMembers(this.members.values()));
    if (isNew || subscriptionChanged || this.#topicsStale) this.#lookAtTopics(isNew || subscriptionChanged);
    if (this.#epoch > this.#targetEpoch) this.#assign();
    const before = member.assigned;
    this.#step(member, owned);
    this.#touch(member);
    if (isNew || subscriptionChanged) this.#host.changed(this);
    const isFull =
      request.rebalanceTimeoutMs !== -1 &&
      (request.subscribedTopicNames !== null || request.subscribedTopicRegex !== null) &&
      owned !== undefined;
    const tells = memberEpoch === joinEpoch || isFull || !isSame(before, member.assigned);
    return {
      memberId: member.id,
      memberEpoch: member.epoch,
      assignment: tells ? toList(member.assigned) : null,
    };
  }

  #checkSubscription({ subscribedTopicNames, subscribedTopicRegex, serverAssignor }: ConsumerHeartbeat): {
    readonly names: readonly string[] | undefined;
    readonly pattern: PatternTopics | null | undefined;
  } {
    const { memberTopicsMax } = this.#host.limits;
    if (serverAssignor !== null && !assignors.has(serverAssignor)) {
      const problem = `There is no assignor "${serverAssignor}"; there are ${[...assignors.keys()].join(' and ')}.`;
      throw new KafkaError(ErrorCode.UNSUPPORTED_ASSIGNOR, problem);
    }
    if (subscribedTopicNames && subscribedTopicNames.length > memberTopicsMax) {
      const problem = `A member names ${memberTopicsMax} topics at most, not ${subscribedTopicNames.length}.`;
      throw new KafkaError(ErrorCode.INVALID_REQUEST, problem);
    }
    return {
      names: subscribedTopicNames === null ? undefined : [...new Set(subscribedTopicNames)].sort(),
      pattern:
        subscribedTopicRegex === null
          ? undefined
          : subscribedTopicRegex === ''
            ? null
            : this.#host.patternOf(subscribedTopicRegex),
    };
  }

  /**
   * The member that enters: a new one, a known one that starts again, or a static one that replaces its
   * previous entry.
   */
  #enter({ memberId, instanceId }: ConsumerHeartbeat): ConsumerMember {
    const known = this.members.get(memberId);
    const formerId = instanceId === null ? undefined : this.#staticMembers.get(instanceId);
    if (formerId !== undefined && formerId !== memberId) {
      const former = this.members.get(formerId)!;
      if (former.epoch !== staticLeaveEpoch) {
        const problem = `Instance "${instanceId}" of group "${this.id}" is member ${formerId}, which has not left.`;
        throw new KafkaError(ErrorCode.UNRELEASED_INSTANCE_ID, problem);
      }
      return this.#replace(former, memberId);
    }
    if (known) {
      if (known.epoch === staticLeaveEpoch) known.epoch = 0;
      return known;
    }
    const { membersMax } = this.#host.limits;
    if (this.members.size >= membersMax) {
      const problem = `Group "${this.id}" takes ${membersMax} members at most.`;
      throw new KafkaError(ErrorCode.GROUP_MAX_SIZE_REACHED, problem);
    }
    return new ConsumerMember(memberId === '' ? freshUuid(this.#host.random) : memberId);
  }

  /** Throws a KafkaError if the members of all groups together would take too much memory. */
  #checkRoom(member: ConsumerMember, isNew: boolean, names: readonly string[] | undefined): void {
    const more = chargeOfMember(names ? bytesOfNames(names) : member.bytes);
    const less = isNew ? 0 : chargeOfMember(member.bytes);
    if (more <= less) return;
    const refusal = this.#charge.refusalOf(chargeOfMembers(this.members.values()) + more - less);
    if (refusal) throw new KafkaError(ErrorCode.GROUP_MAX_SIZE_REACHED, refusal.message, refusal);
  }

  #replace(former: ConsumerMember, id: string): ConsumerMember {
    const member = new ConsumerMember(id);
    member.instanceId = former.instanceId;
    member.topicNames = former.topicNames;
    member.bytes = former.bytes;
    member.pattern = former.pattern;
    member.assignor = former.assignor;
    member.assigned = former.assigned;
    member.rebalanceTimeoutMs = former.rebalanceTimeoutMs;
    this.members.delete(former.id);
    this.members.set(id, member);
    this.#staticMembers.set(former.instanceId!, id);
    this.#target.set(id, this.targetOf(former.id));
    this.#target.delete(former.id);
    for (const [topicId, partition] of each(former.revoking)) this.#owners.delete(keyOf(topicId, partition));
    for (const [topicId, partition] of each(member.assigned)) this.#owners.set(keyOf(topicId, partition), id);
    this.#lookAtTopics(false);
    this.#host.changed(this);
    return member;
  }

  /** The member that sent the request. Throws a KafkaError if it is unknown. */
  #known({ memberId, instanceId }: ConsumerHeartbeat): ConsumerMember {
    if (instanceId !== null) {
      const current = this.#staticMembers.get(instanceId);
      if (current === undefined)
        throw new KafkaError(
          ErrorCode.UNKNOWN_MEMBER_ID,
          `Group "${this.id}" has no instance "${instanceId}".`,
        );
      if (current !== memberId) {
        const problem = `Instance "${instanceId}" of group "${this.id}" is member ${current} now.`;
        throw new KafkaError(ErrorCode.FENCED_INSTANCE_ID, problem);
      }
    }
    const member = this.members.get(memberId);
    if (member) return member;
    throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Group "${this.id}" has no member "${memberId}".`);
  }

  #checkEpoch(member: ConsumerMember, epoch: number, owned: Assignment | undefined): void {
    if (epoch === member.epoch) return;
    // The answer with the new epoch may have been lost.
    if (epoch < member.epoch && epoch === member.previousEpoch && owned && isSubset(owned, member.assigned))
      return;
    const problem = `Member "${member.id}" of group "${this.id}" is in epoch ${member.epoch}, not ${epoch}; join again.`;
    throw new KafkaError(ErrorCode.FENCED_MEMBER_EPOCH, problem);
  }

  /** Updates the member from the request; returns whether its subscription changed. */
  #update(
    member: ConsumerMember,
    request: ConsumerHeartbeat,
    names: readonly string[] | undefined,
    pattern: PatternTopics | null | undefined,
  ): boolean {
    if (request.instanceId !== null) {
      member.instanceId = request.instanceId;
      this.#staticMembers.set(request.instanceId, member.id);
    }
    if (request.rackId !== null) member.rackId = request.rackId;
    if (request.rebalanceTimeoutMs !== -1) member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    member.clientId = request.clientId;
    member.clientHost = request.clientHost;
    let changed = false;
    if (request.serverAssignor !== null && request.serverAssignor !== member.assignor) {
      member.assignor = request.serverAssignor;
      changed = true;
    }
    if (names && names.join('\n') !== member.topicNames.join('\n')) {
      member.topicNames = names;
      member.bytes = bytesOfNames(names);
      changed = true;
    }
    if (pattern !== undefined && (pattern?.text ?? null) !== (member.pattern?.text ?? null)) {
      member.pattern = pattern ?? undefined;
      changed = true;
    }
    if (request.filter !== member.filter) {
      member.filter = request.filter;
      this.#topicsStale ||= member.pattern !== undefined;
    }
    return changed;
  }

  /**
   * Updates the topics that members read. Starts a new group epoch if the topics or the members have changed.
   */
  #lookAtTopics(membersChanged: boolean): void {
    this.#topicsStale = false;
    const subscribed = new SubscribedTopics(this.members.values(), this.#host.topics);
    const changed = subscribed.fingerprint !== this.#subscribed.fingerprint;
    this.#subscribed = subscribed;
    if (!membersChanged && !changed) return;
    this.#epoch++;
    if (!membersChanged) this.#host.changed(this);
  }

  #assign(): void {
    const { byMember, partitions } = this.#subscribed;
    const members = [...this.members.values()].map(({ id, instanceId }) => ({
      id,
      instanceId,
      topics: byMember.get(id) ?? noTopics,
      target: this.targetOf(id),
    }));
    const assignment = assignors.get(this.assignor)!(members, partitions);
    this.#target.clear();
    for (const [id, share] of assignment) this.#target.set(id, share);
    this.#targetEpoch = this.#epoch;
  }

  #step(member: ConsumerMember, owned: Assignment | undefined): void {
    const step = reconcile({
      member,
      target: this.targetOf(member.id),
      targetEpoch: this.#targetEpoch,
      owned,
      isFree: (topicId, partition) => {
        const owner = this.#owners.get(keyOf(topicId, partition));
        return owner === undefined || owner === member.id;
      },
    });
    if (!step) return;
    this.#release(member);
    if (step.epoch !== member.epoch) member.previousEpoch = member.epoch;
    member.epoch = step.epoch;
    member.assigned = step.assigned;
    member.revoking = step.revoking;
    if (step.state !== 'unrevoked') member.revokeDeadlineMs = Infinity;
    else if (member.state !== 'unrevoked') {
      member.revokeDeadlineMs = this.#host.clock.monotonic() + member.rebalanceTimeoutMs;
      this.#timer.note(member.revokeDeadlineMs);
    }
    member.state = step.state;
    for (const part of [member.assigned, member.revoking])
      for (const [topicId, partition] of each(part)) this.#owners.set(keyOf(topicId, partition), member.id);
  }

  #release(member: ConsumerMember): void {
    for (const part of [member.assigned, member.revoking])
      for (const [topicId, partition] of each(part)) {
        const key = keyOf(topicId, partition);
        if (this.#owners.get(key) === member.id) this.#owners.delete(key);
      }
  }

  // ---- members go

  #leave(request: ConsumerHeartbeat): ConsumerHeartbeatResult {
    const member = this.#known(request);
    if (request.memberEpoch === staticLeaveEpoch) {
      // The member keeps its partitions until its session ends.
      for (const [topicId, partition] of each(member.revoking))
        this.#owners.delete(keyOf(topicId, partition));
      member.revoking = noPartitions;
      member.state = 'stable';
      member.revokeDeadlineMs = Infinity;
      member.epoch = staticLeaveEpoch;
      this.#touch(member);
    } else this.#remove(member);
    return { memberId: member.id, memberEpoch: request.memberEpoch, assignment: null };
  }

  /** Removes a member that left, was evicted by an operator, or timed out. */
  #remove(member: ConsumerMember): void {
    this.#release(member);
    this.members.delete(member.id);
    this.#charge.set(chargeOfMembers(this.members.values()));
    this.#target.delete(member.id);
    if (member.instanceId !== null && this.#staticMembers.get(member.instanceId) === member.id)
      this.#staticMembers.delete(member.instanceId);
    this.#lookAtTopics(true);
    this.#host.changed(this);
  }

  /** Removes members by LeaveGroup, as operators do; false if there is no such member. */
  evict(memberId: string, instanceId: string | null): boolean {
    const id = memberId === '' && instanceId !== null ? this.#staticMembers.get(instanceId) : memberId;
    const member = id === undefined ? undefined : this.members.get(id);
    if (!member) return false;
    this.#remove(member);
    return true;
  }

  // ---- commit

  /** Throws a KafkaError if the caller may not commit or read offsets in that epoch. */
  checkEpochOf(memberId: string, epoch: number): void {
    if (epoch < 0 && memberId === '' && this.members.size === 0) return;
    const member = this.members.get(memberId);
    if (!member)
      throw new KafkaError(ErrorCode.UNKNOWN_MEMBER_ID, `Group "${this.id}" has no member "${memberId}".`);
    if (member.epoch === epoch) return;
    const problem = `Member "${memberId}" of group "${this.id}" is in epoch ${member.epoch}, not ${epoch}.`;
    throw new KafkaError(ErrorCode.STALE_MEMBER_EPOCH, problem);
  }

  // ---- time

  #touch(member: ConsumerMember): void {
    member.deadlineMs = this.#host.clock.monotonic() + this.#host.sessionMsOf(this.id);
    this.#timer.note(member.deadlineMs);
  }

  #expire(): number {
    const nowMs = this.#host.clock.monotonic();
    let nextMs = Infinity;
    for (const member of this.members.values()) {
      const dueMs = Math.min(member.deadlineMs, member.revokeDeadlineMs);
      if (dueMs <= nowMs) this.#remove(member);
      else nextMs = Math.min(nextMs, dueMs);
    }
    return nextMs;
  }
}

const noTopics: ReadonlySet<Uuid> = new Set();

function keyOf(topicId: Uuid, partition: number): string {
  return `${topicId}/${partition}`;
}
