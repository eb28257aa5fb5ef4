import type { Clock, Random } from '../../../../util/index.ts';
import { ErrorCode } from '../../../../wire/kafka/index.ts';
import { DeadlineTimer } from '../deadline-timer.ts';
import { KafkaError } from '../../errors.ts';
import { freshMemberId } from '../ids.ts';
import type { GroupLimits } from '../limits.ts';
import { chargeOfMember, chargeOfMembers, type MemberCharge } from '../member-charge.ts';
import { ClassicMember, protocolBytes } from './classic-member.ts';
import type {
  JoinAnswer,
  JoinRequest,
  JoinResult,
  MemberKey,
  SyncAnswer,
  SyncRequest,
  SyncResult,
} from './messages.ts';
import { refusedJoin, refusedSync } from './refusals.ts';
import { Roster } from './roster.ts';

export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/** The services that the coordinator offers to a classic group. */
export interface ClassicGroupHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: GroupLimits;
  /** The account that the group's members are charged to. */
  charge(): MemberCharge;
  /** Called when members join, leave or change the topics they read; the group's state may have changed. */
  changed(group: ClassicGroup): void;
}

const noBytes = Buffer.alloc(0);

/**
 * A classic group is the state machine of Kafka's first group protocol. Members join. One of them, the
 * leader, assigns the partitions, and all members get the result. The broker does not interpret the metadata
 * and assignments, which are bytes that only members understand.
 *
 * ```
 *            join                    all have joined, or the            the leader's sync
 *   Empty ─────────► PreparingRebalance ─────────────► CompletingRebalance ─────────────► Stable
 *     ▲                 │    ▲   rebalance timeout       │                                 │
 *     └── no members ───┘    └── a member joins, leaves, changes its metadata ─────────────┘
 * ```
 * Joins wait in PreparingRebalance, syncs in CompletingRebalance. Each pass is a generation; requests of
 * another generation are refused. Members exist in memory only: after a restart they get UNKNOWN_MEMBER_ID
 * and join again. Committed offsets are not kept here.
 */
export class ClassicGroup {
  readonly kind = 'classic';
  readonly id: string;
  readonly #host: ClassicGroupHost;
  #state: ClassicGroupState = 'Empty';
  #generation = 0;
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  readonly #roster = new Roster();
  readonly #charge: MemberCharge;
  /** Members that have not synced in this generation yet. */
  readonly #pendingSyncs = new Set<string>();
  readonly #timer: DeadlineTimer;
  /** End of the phase in which members may join, or sync; Infinity if there is no such phase. */
  #phaseEndMs = Infinity;
  /**
   * Set while an empty group waits for its first members: the latest time to which that wait may be extended.
   */
  #initialEndMs: number | undefined = undefined;

  constructor(id: string, host: ClassicGroupHost) {
    this.id = id;
    this.#host = host;
    this.#charge = host.charge();
    this.#timer = new DeadlineTimer(host.clock, () => this.#expire());
  }

  get members(): ReadonlyMap<string, ClassicMember> {
    return this.#roster.members;
  }

  get state(): ClassicGroupState {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  get protocolType(): string | null {
    return this.#protocolType;
  }

  get protocolName(): string | null {
    return this.#protocolName;
  }

  /** Whether the group has no members and no pending ids, so that a new group could replace it. */
  get isForgettable(): boolean {
    return this.members.size === 0 && this.#roster.pendingIds.size === 0;
  }

  get hasHadMembers(): boolean {
    return this.#protocolType !== null;
  }

  get #nowMs(): number {
    return this.#host.clock.monotonic();
  }

  /** Tells waiting members to look for the coordinator again. */
  close(): void {
    this.#state = 'Dead';
    for (const member of this.members.values()) {
      this.#answerJoin(member, refusedJoin(ErrorCode.COORDINATOR_NOT_AVAILABLE, member.id));
      this.#answerSync(member, refusedSync(ErrorCode.COORDINATOR_NOT_AVAILABLE));
    }
    this.#roster.clear();
    this.#charge.close();
    this.#timer.stop();
  }

  // ---- join

  join(request: JoinRequest, answer: JoinAnswer): void {
    this.#join(request, answer);
    this.#count();
  }

  #join(request: JoinRequest, answer: JoinAnswer): void {
    const refuse = (code: ErrorCode, memberId: string = request.memberId): void =>
      answer(refusedJoin(code, memberId));
    const { memberId, groupInstanceId } = request;
    if (this.#state === 'Dead') return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE);
    const bytes = protocolBytes(request.protocols);
    const { membersMax, memberMetadataBytesMax, groupMetadataBytesMax } = this.#host.limits;
    if (bytes > memberMetadataBytesMax) return refuse(ErrorCode.INVALID_REQUEST);
    const known = this.members.get(memberId);
    const replaced = groupInstanceId === null ? undefined : this.#roster.idOfInstance(groupInstanceId);
    if (!known && replaced === undefined) {
      const isFull =
        this.members.size + this.#roster.pendingIds.size >= membersMax &&
        !this.#roster.pendingIds.has(memberId);
      if (isFull || this.#roster.bytes + bytes > groupMetadataBytesMax) {
        this.#roster.pendingIds.delete(memberId);
        return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, '');
      }
    }
    const before = known ?? (replaced === undefined ? undefined : this.members.get(replaced));
    if (this.#charge.refusalOf(this.#chargeWith(memberId, before, bytes))) {
      this.#roster.pendingIds.delete(memberId);
      return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, before ? memberId : '');
    }
    if (!this.#roster.canTake(request, this.#protocolType))
      return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    if (memberId === '') return this.#joinWithoutId(request, answer);
    if (this.#roster.pendingIds.has(memberId)) {
      if (groupInstanceId !== null) return refuse(ErrorCode.UNKNOWN_MEMBER_ID);
      return this.#add(memberId, request, answer);
    }
    const wrong = this.#wrongMember(request);
    if (wrong !== undefined) return refuse(wrong);
    this.#rejoin(known!, request, answer);
  }

  /** Charge for members and pending ids. */
  get #size(): number {
    return chargeOfMembers(this.members.values()) + this.#roster.pendingIds.size;
  }

  /** The charge if a member with that many bytes replaces its previous entry or its pending id. */
  #chargeWith(id: string, before: ClassicMember | undefined, bytes: number): number {
    const given = this.#roster.pendingIds.has(id) ? 1 : 0;
    return this.#size + chargeOfMember(bytes) - (before ? chargeOfMember(before.bytes) : given);
  }

  #count(): void {
    this.#charge.set(this.#size);
  }

  #joinWithoutId(request: JoinRequest, answer: JoinAnswer): void {
    const { groupInstanceId, clientId, requiresKnownId, sessionTimeoutMs } = request;
    const id = freshMemberId(this.#host.random, groupInstanceId ?? clientId);
    if (groupInstanceId !== null) {
      const before = this.#roster.idOfInstance(groupInstanceId);
      if (before === undefined) this.#add(id, request, answer);
      else this.#replace(this.members.get(before)!, id, request, answer);
    } else if (requiresKnownId) {
      const dueMs = this.#nowMs + sessionTimeoutMs;
      this.#roster.pendingIds.set(id, dueMs);
      this.#timer.note(dueMs);
      answer(refusedJoin(ErrorCode.MEMBER_ID_REQUIRED, id));
    } else this.#add(id, request, answer);
  }

  #add(id: string, request: JoinRequest, answer: JoinAnswer): void {
    const member = new ClassicMember(id, request);
    this.#roster.add(member);
    if (this.members.size === 1) this.#protocolType = request.protocolType;
    this.#await(member, answer);
    member.deadlineMs = this.#nowMs + this.#host.limits.newMemberJoinTimeoutMs;
    this.#timer.note(member.deadlineMs);
    if (this.#initialEndMs !== undefined) this.#lengthenInitialDelay();
    this.#rebalance();
  }

  /** A known member joins again. */
  #rejoin(member: ClassicMember, request: JoinRequest, answer: JoinAnswer): void {
    const isSame = member.offers(request.protocols);
    const isStable = this.#state === 'Stable' && member.id !== this.#roster.leader && isSame;
    const hasMissedIt = this.#state === 'CompletingRebalance' && isSame;
    if (isStable || hasMissedIt) {
      // The answer to its last join was lost, or nothing has changed.
      this.#touch(member);
      return answer(this.#joined(member, hasMissedIt));
    }
    if (this.#state === 'Empty') return answer(refusedJoin(ErrorCode.UNKNOWN_MEMBER_ID, member.id));
    member.update(request);
    if (this.members.size === 1) this.#protocolType = request.protocolType;
    this.#await(member, answer);
    this.#rebalance();
  }

  /** A static member returns under another member id. It replaces its previous entry, which is fenced. */
  #replace(before: ClassicMember, id: string, request: JoinRequest, answer: JoinAnswer): void {
    this.#answerJoin(before, refusedJoin(ErrorCode.FENCED_INSTANCE_ID, before.id));
    this.#answerSync(before, refusedSync(ErrorCode.FENCED_INSTANCE_ID));
    const member = new ClassicMember(id, request);
    member.isNew = before.isNew;
    member.assignment = before.assignment;
    const isSame = before.offers(request.protocols);
    const leaderBefore = this.#roster.leader;
    this.#roster.replace(before, member);
    this.#pendingSyncs.delete(before.id);
    this.#touch(member);
    if (this.#state === 'Stable' && (isSame || this.#roster.vote() === this.#protocolName)) {
      const isLeader = this.#roster.leader === id;
      const joined = this.#joined(member, isLeader && request.maySkipAssignment);
      // A leader that cannot be told to skip the assignment must not learn that it leads: it would assign,
      // and no member would sync.
      const result =
        isLeader && !request.maySkipAssignment ? { ...joined, leader: leaderBefore ?? '' } : joined;
      answer({ ...result, skipAssignment: isLeader && request.maySkipAssignment });
      return this.#host.changed(this);
    }
    this.#await(member, answer);
    this.#rebalance();
  }

  #await(member: ClassicMember, answer: JoinAnswer): void {
    // A second join of the same member: the client has given up the first.
    this.#answerJoin(member, refusedJoin(ErrorCode.REBALANCE_IN_PROGRESS, member.id));
    member.join = answer;
  }

  #joined(member: ClassicMember, withMembers: boolean): JoinResult {
    return {
      errorCode: ErrorCode.NONE,
      memberId: member.id,
      generationId: this.#generation,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      leader: this.#roster.leader ?? '',
      skipAssignment: false,
      members:
        withMembers && member.id === this.#roster.leader
          ? [...this.members.values()].map((each) => ({
              memberId: each.id,
              groupInstanceId: each.instanceId,
              metadata: each.metadataOf(this.#protocolName),
            }))
          : [],
    };
  }

  // ---- generations

  /** Starts a rebalance, in which all members have to join again, or continues the current one. */
  #rebalance(): void {
    if (this.#state !== 'PreparingRebalance') {
      if (this.#state === 'CompletingRebalance') this.#callOffSyncs();
      const { initialRebalanceDelayMs } = this.#host.limits;
      const waits = this.#state === 'Empty' && initialRebalanceDelayMs > 0;
      this.#state = 'PreparingRebalance';
      if (waits) {
        this.#initialEndMs = this.#nowMs + this.#roster.rebalanceTimeoutMs;
        this.#endPhaseAt(Math.min(this.#nowMs + initialRebalanceDelayMs, this.#initialEndMs));
      } else this.#endPhaseAt(this.#nowMs + this.#roster.rebalanceTimeoutMs);
      this.#host.changed(this);
    }
    if (this.#initialEndMs === undefined && this.#roster.haveAllJoined) this.#completeJoin();
  }

  #lengthenInitialDelay(): void {
    this.#phaseEndMs = Math.min(
      this.#initialEndMs!,
      Math.max(this.#phaseEndMs, this.#nowMs + this.#host.limits.initialRebalanceDelayMs),
    );
  }

  #callOffSyncs(): void {
    this.#pendingSyncs.clear();
    for (const member of this.members.values()) {
      member.assignment = noBytes;
      this.#answerSync(member, refusedSync(ErrorCode.REBALANCE_IN_PROGRESS));
    }
  }

  /**
   * Starts the next generation with the members that have joined. Static members also stay, until their
   * session ends.
   */
  #completeJoin(): void {
    this.#initialEndMs = undefined;
    this.#endPhaseAt(Infinity);
    for (const member of this.members.values())
      if (!member.join && member.instanceId === null) this.#forget(member);
    if (this.members.size > 0 && !this.#roster.electLeader()) {
      // Only static members that have not returned yet: no member could assign.
      return this.#endPhaseAt(this.#nowMs + this.#roster.rebalanceTimeoutMs);
    }
    this.#generation++;
    if (this.members.size === 0) {
      this.#becomeEmpty();
      return;
    }
    this.#protocolName = this.#roster.vote();
    this.#state = 'CompletingRebalance';
    const rebalanceTimeoutMs = this.#roster.rebalanceTimeoutMs;
    this.#pendingSyncs.clear();
    for (const member of this.members.values()) {
      this.#pendingSyncs.add(member.id);
      member.isNew = false;
      this.#answerJoin(member, this.#joined(member, true));
    }
    this.#endPhaseAt(this.#nowMs + rebalanceTimeoutMs);
    this.#host.changed(this);
  }

  #becomeEmpty(): void {
    this.#state = 'Empty';
    this.#protocolName = null;
    this.#roster.dropLeader();
    this.#endPhaseAt(Infinity);
    this.#host.changed(this);
  }

  // ---- sync

  sync(request: SyncRequest, answer: SyncAnswer): void {
    const refuse = (code: ErrorCode): void => answer(refusedSync(code));
    const wrong = this.#wrongMember(request);
    if (wrong !== undefined) return refuse(wrong);
    if (request.generationId !== this.#generation) return refuse(ErrorCode.ILLEGAL_GENERATION);
    const { protocolType, protocolName } = request;
    if (
      (protocolType !== null && protocolType !== this.#protocolType) ||
      (protocolName !== null && protocolName !== this.#protocolName)
    )
      return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL);
    const member = this.members.get(request.memberId)!;
    if (this.#state === 'PreparingRebalance') return refuse(ErrorCode.REBALANCE_IN_PROGRESS);
    this.#pendingSyncs.delete(member.id);
    if (this.#state === 'Stable') {
      this.#touch(member);
      return answer(this.#synced(member));
    }
    const isLeader = member.id === this.#roster.leader;
    if (isLeader && this.#assignmentBytes(request) > this.#host.limits.groupMetadataBytesMax)
      return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED);
    if (isLeader && this.#charge.refusalOf(this.#size + chargeOfMember(this.#assignmentBytes(request))))
      return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED);
    this.#answerSync(member, refusedSync(ErrorCode.REBALANCE_IN_PROGRESS));
    member.sync = answer;
    if (isLeader) this.#assign(request);
  }

  #assignmentBytes({ assignments }: SyncRequest): number {
    return assignments.reduce((bytes, { assignment }) => bytes + assignment.length, 0);
  }

  #assign({ assignments }: SyncRequest): void {
    for (const member of this.members.values()) member.assignment = noBytes;
    for (const { memberId, assignment } of assignments) {
      const member = this.members.get(memberId);
      if (member) member.assignment = Buffer.from(assignment);
    }
    this.#count();
    this.#state = 'Stable';
    // Members that have not synced by the end of the phase are still removed: they do not know their
    // partitions.
    for (const member of this.members.values()) this.#answerSync(member, this.#synced(member));
    this.#host.changed(this);
  }

  #synced(member: ClassicMember): SyncResult {
    return {
      errorCode: ErrorCode.NONE,
      protocolType: this.#protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    };
  }

  // ---- heartbeat, leave, commit

  heartbeat({ generationId, ...key }: MemberKey & { readonly generationId: number }): ErrorCode {
    const wrong = this.#wrongMember(key);
    if (wrong !== undefined) return wrong;
    if (generationId !== this.#generation) return ErrorCode.ILLEGAL_GENERATION;
    this.#touch(this.members.get(key.memberId)!);
    return this.#state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
  }

  leave(key: MemberKey): ErrorCode {
    if (key.groupInstanceId === null && this.#roster.pendingIds.delete(key.memberId)) {
      this.#count();
      this.#memberGone();
      return ErrorCode.NONE;
    }
    // An operator removes a static member by its instance id alone.
    const byInstance = key.memberId === '' && key.groupInstanceId !== null;
    const memberId = byInstance ? (this.#roster.idOfInstance(key.groupInstanceId) ?? '') : key.memberId;
    const wrong = this.#wrongMember({ ...key, memberId });
    if (wrong !== undefined) return wrong;
    this.#remove(this.members.get(memberId)!);
    return ErrorCode.NONE;
  }

  /** Throws a KafkaError if the caller may not commit offsets now. */
  checkCommit({ generationId, ...key }: MemberKey & { readonly generationId: number }): void {
    if (this.#state === 'Dead') throw new KafkaError(ErrorCode.COORDINATOR_NOT_AVAILABLE, 'Closing.');
    const isMember = generationId >= 0 || key.memberId !== '' || key.groupInstanceId !== null;
    if (!isMember) {
      if (this.members.size === 0) return;
      throw new KafkaError(
        ErrorCode.UNKNOWN_MEMBER_ID,
        `Group "${this.id}" has members; only they commit its offsets.`,
      );
    }
    if (generationId < 0 && this.members.size === 0) return;
    const wrong = this.#wrongMember(key);
    if (wrong !== undefined) throw new KafkaError(wrong, `Group "${this.id}" has no such member.`);
    if (generationId !== this.#generation)
      throw new KafkaError(ErrorCode.ILLEGAL_GENERATION, `Group "${this.id}" is at ${this.#generation}.`);
    this.#touch(this.members.get(key.memberId)!);
    if (this.#state === 'CompletingRebalance')
      throw new KafkaError(ErrorCode.REBALANCE_IN_PROGRESS, `Group "${this.id}" is being shared out anew.`);
  }

  /** The error if the caller is not a member; undefined if it is one. */
  #wrongMember(key: MemberKey): ErrorCode | undefined {
    return this.#state === 'Dead' ? ErrorCode.COORDINATOR_NOT_AVAILABLE : this.#roster.wrongMember(key);
  }

  // ---- members go

  #remove(member: ClassicMember): void {
    this.#answerJoin(member, refusedJoin(ErrorCode.UNKNOWN_MEMBER_ID, member.id));
    this.#answerSync(member, refusedSync(ErrorCode.UNKNOWN_MEMBER_ID));
    this.#forget(member);
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.#rebalance();
    else this.#memberGone();
  }

  #forget(member: ClassicMember): void {
    this.#roster.forget(member);
    this.#pendingSyncs.delete(member.id);
    this.#count();
  }

  /** A rebalance has one member fewer to wait for. */
  #memberGone(): void {
    if (
      this.#state === 'PreparingRebalance' &&
      this.#initialEndMs === undefined &&
      this.#roster.haveAllJoined
    )
      this.#completeJoin();
    else this.#host.changed(this);
  }

  // ---- time

  #touch(member: ClassicMember): void {
    member.deadlineMs = this.#nowMs + member.sessionTimeoutMs;
    this.#timer.note(member.deadlineMs);
  }

  #endPhaseAt(dueMs: number): void {
    this.#phaseEndMs = dueMs;
    this.#timer.note(dueMs);
  }

  /** Ends what is due; returns when the next deadline is. */
  #expire(): number {
    const nowMs = this.#nowMs;
    for (const [id, dueMs] of this.#roster.pendingIds) {
      if (dueMs > nowMs) continue;
      this.#roster.pendingIds.delete(id);
      this.#count();
      this.#memberGone();
    }
    for (const member of this.members.values()) {
      // A member that waits for an answer is alive. But a member that has never been part of a generation
      // does not stay for ever.
      const isGone = member.deadlineMs <= nowMs && (!member.isWaiting || member.isNew);
      if (isGone && this.members.has(member.id)) this.#remove(member);
    }
    if (this.#phaseEndMs <= nowMs) this.#endPhase();
    return Math.min(this.#phaseEndMs, this.#roster.nextDueMs);
  }

  #endPhase(): void {
    this.#phaseEndMs = Infinity;
    if (this.#state === 'PreparingRebalance') {
      this.#roster.pendingIds.clear();
      this.#count();
      return this.#completeJoin();
    }
    for (const id of this.#pendingSyncs) {
      const member = this.members.get(id);
      if (member) this.#remove(member);
    }
  }

  #answerJoin(member: ClassicMember, result: JoinResult): void {
    const { join } = member;
    if (!join) return;
    member.join = undefined;
    this.#touch(member);
    join(result);
  }

  #answerSync(member: ClassicMember, result: SyncResult): void {
    const { sync } = member;
    if (!sync) return;
    member.sync = undefined;
    this.#touch(member);
    sync(result);
  }
}
