import { ErrorCode } from '../../../../wire/kafka/index.ts';
import type { ClassicMember } from './classic-member.ts';
import type { JoinRequest, MemberKey } from './messages.ts';

/** A roster lists the members of a classic group, its leader, and the protocols that all members support. */
export class Roster {
  readonly members: Map<string, ClassicMember> = new Map();
  /** Ids given to members that have to ask again, each with its deadline (monotonic clock). */
  readonly pendingIds: Map<string, number> = new Map();
  #leader: string | undefined = undefined;
  /** Member ids by instance id. */
  readonly #staticMembers = new Map<string, string>();

  get leader(): string | undefined {
    return this.#leader;
  }

  /** The id of the member that currently has this instance id. */
  idOfInstance(instanceId: string): string | undefined {
    return this.#staticMembers.get(instanceId);
  }

  /** The error if the caller is not a member; undefined if it is one. */
  wrongMember({ memberId, groupInstanceId }: MemberKey): ErrorCode | undefined {
    if (groupInstanceId !== null) {
      const current = this.#staticMembers.get(groupInstanceId);
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
    }
    return this.members.has(memberId) ? undefined : ErrorCode.UNKNOWN_MEMBER_ID;
  }

  // ---- members join and leave

  add(member: ClassicMember): void {
    this.pendingIds.delete(member.id);
    this.members.set(member.id, member);
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id);
    this.#leader ??= member.id;
  }

  /**
   * A static member returns under another id. It replaces its previous entry, and keeps the lead if it had
   * that.
   */
  replace(before: ClassicMember, member: ClassicMember): void {
    const leader = this.#leader === before.id ? member.id : this.#leader;
    this.members.delete(before.id);
    this.add(member);
    this.#leader = leader;
  }

  forget({ id, instanceId }: ClassicMember): void {
    this.members.delete(id);
    if (instanceId !== null && this.#staticMembers.get(instanceId) === id)
      this.#staticMembers.delete(instanceId);
    if (this.#leader === id) this.#leader = this.members.keys().next().value;
  }

  clear(): void {
    this.members.clear();
    this.pendingIds.clear();
  }

  // ---- the lead

  /** Keeps the leader if it has joined; otherwise elects a member that has. False if no member has joined. */
  electLeader(): boolean {
    if (this.#leader !== undefined && this.members.get(this.#leader)?.join) return true;
    for (const { id, join } of this.members.values()) {
      if (!join) continue;
      this.#leader = id;
      return true;
    }
    return false;
  }

  dropLeader(): void {
    this.#leader = undefined;
  }

  // ---- all of them

  get haveAllJoined(): boolean {
    if (this.pendingIds.size > 0) return false;
    for (const { join } of this.members.values()) if (!join) return false;
    return true;
  }

  /** The longest time that any member may take to join again. */
  get rebalanceTimeoutMs(): number {
    let timeoutMs = 0;
    for (const member of this.members.values()) timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs);
    return timeoutMs;
  }

  /** Bytes of all members in memory. */
  get bytes(): number {
    let bytes = 0;
    for (const member of this.members.values()) bytes += member.bytes;
    return bytes;
  }

  /** When the next pending id or silent member is given up (monotonic clock); Infinity for never. */
  get nextDueMs(): number {
    let dueMs = Infinity;
    for (const pendingMs of this.pendingIds.values()) dueMs = Math.min(dueMs, pendingMs);
    for (const { deadlineMs, isWaiting, isNew } of this.members.values())
      if (!isWaiting || isNew) dueMs = Math.min(dueMs, deadlineMs);
    return dueMs;
  }

  // ---- protocols in common

  /**
   * Whether the new member and all others have a protocol in common; `protocolType` is the type of the
   * others.
   */
  canTake(
    { protocolType: offered, protocols, memberId, groupInstanceId }: JoinRequest,
    protocolType: string | null,
  ): boolean {
    if (offered === '' || protocols.length === 0) return false;
    const self = groupInstanceId === null ? memberId : (this.#staticMembers.get(groupInstanceId) ?? memberId);
    const others = [...this.members.values()].filter(({ id }) => id !== self);
    if (others.length === 0) return true;
    if (offered !== protocolType) return false;
    return protocols.some(({ name }) =>
      others.every((other) => other.protocols.some((own) => own.name === name)),
    );
  }

  /** The protocol that all members support and most of them prefer. */
  vote(): string | null {
    const members = [...this.members.values()];
    const candidates = new Set(
      members[0]?.protocols
        .map(({ name }) => name)
        .filter((name) => members.every(({ protocols }) => protocols.some((own) => own.name === name))),
    );
    const votes = new Map<string, number>();
    for (const { protocols } of members) {
      const choice = protocols.find(({ name }) => candidates.has(name));
      if (choice) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
    }
    let winner: string | null = null;
    for (const [name, count] of votes) if (winner === null || count > votes.get(winner)!) winner = name;
    return winner;
  }
}
