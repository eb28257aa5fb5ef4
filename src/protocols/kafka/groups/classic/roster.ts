import { ErrorCode } from '../../../../wire/kafka/index.ts';
import type { ClassicMember } from './classic-member.ts';
import type { JoinRequest, MemberKey } from './messages.ts';

/** A roster is who the members of a classic group are, which of them leads, and what they can agree on. */
export class Roster {
  readonly members: Map<string, ClassicMember> = new Map();
  /** Ids that were given out to members that have to ask again, until when (monotonic clock). */
  readonly pendingIds: Map<string, number> = new Map();
  #leader: string | undefined = undefined;
  /** Member ids by instance id. */
  readonly #staticMembers = new Map<string, string>();

  get leader(): string | undefined {
    return this.#leader;
  }

  /** The id of the member that has this instance id now. */
  idOfInstance(instanceId: string): string | undefined {
    return this.#staticMembers.get(instanceId);
  }

  /** Why who speaks is no member; undefined when it is one. */
  wrongMember({ memberId, groupInstanceId }: MemberKey): ErrorCode | undefined {
    if (groupInstanceId !== null) {
      const current = this.#staticMembers.get(groupInstanceId);
      if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
      if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
    }
    return this.members.has(memberId) ? undefined : ErrorCode.UNKNOWN_MEMBER_ID;
  }

  // ---- members come and go

  add(member: ClassicMember): void {
    this.pendingIds.delete(member.id);
    this.members.set(member.id, member);
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.id);
    this.#leader ??= member.id;
  }

  /** A static member comes back under another id: it has the place of its former self, the lead included. */
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

  /** The leader stays if it has joined; else one that has takes its place. False: nobody has. */
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

  /** The longest that one of them may take to join again. */
  get rebalanceTimeoutMs(): number {
    let timeoutMs = 0;
    for (const member of this.members.values()) timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs);
    return timeoutMs;
  }

  /** Bytes they take in memory. */
  get bytes(): number {
    let bytes = 0;
    for (const member of this.members.values()) bytes += member.bytes;
    return bytes;
  }

  /**
   * When the next id that was given out, or member that says nothing, is given up (monotonic clock);
   * Infinity: never.
   */
  get nextDueMs(): number {
    let dueMs = Infinity;
    for (const pendingMs of this.pendingIds.values()) dueMs = Math.min(dueMs, pendingMs);
    for (const { deadlineMs, isWaiting, isNew } of this.members.values())
      if (!isWaiting || isNew) dueMs = Math.min(dueMs, deadlineMs);
    return dueMs;
  }

  // ---- what they agree on

  /** Whether the others can agree with what a member offers; `protocolType` is theirs. */
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

  /** The protocol that all know, by the votes of each for what it prefers. */
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
