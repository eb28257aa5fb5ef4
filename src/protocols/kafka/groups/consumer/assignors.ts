import type { Uuid } from '../../../../wire/kafka/index.ts';
import { add, each, select, type Assignment, type MutableAssignment } from './assignment.ts';

/** A member as an assignor sees it. */
export interface AssignorMember {
  readonly id: string;
  readonly instanceId: string | null;
  readonly topics: ReadonlySet<Uuid>;
  /** The member's partitions by the last target assignment. */
  readonly target: Assignment;
}

/** Assigns the partitions of topics (given by their number per topic) to the members that read them. */
export type Assignor = (
  members: readonly AssignorMember[],
  topics: ReadonlyMap<Uuid, number>,
) => ReadonlyMap<string, Assignment>;

/** The assignors by the names that clients ask for; the first is the default, as in Kafka. */
export const assignors: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', uniform],
  ['range', range],
]);

export const defaultAssignor = 'uniform';

/**
 * Assigns consecutive partitions of each topic to each member. Topics with equally many partitions are split
 * alike, so that a member gets the same partitions of each.
 */
export function range(
  members: readonly AssignorMember[],
  topics: ReadonlyMap<Uuid, number>,
): ReadonlyMap<string, Assignment> {
  const shares = new Map<string, MutableAssignment>(members.map(({ id }) => [id, new Map()]));
  const ordered = [...members].sort((a, b) => compare(a.instanceId ?? a.id, b.instanceId ?? b.id));
  for (const [topicId, count] of topics) {
    const readers = ordered.filter(({ topics: wanted }) => wanted.has(topicId));
    let next = 0;
    for (const [at, { id }] of readers.entries()) {
      const share = Math.floor(count / readers.length) + (at < count % readers.length ? 1 : 0);
      for (const end = next + share; next < end; next++) add(shares.get(id)!, topicId, next);
    }
  }
  return shares;
}

/**
 * Assigns equally many partitions to all members, give or take one, as far as their topics allow it. Members
 * keep as many of their partitions as possible.
 */
export function uniform(
  members: readonly AssignorMember[],
  topics: ReadonlyMap<Uuid, number>,
): ReadonlyMap<string, Assignment> {
  const shares = new Shares(members, topics);
  if (members.length === 0) return shares.result;
  const [first] = members;
  const areAlike = members.every(
    ({ topics: own }) => own.size === first!.topics.size && [...own].every((id) => first!.topics.has(id)),
  );
  if (areAlike) shares.cutToQuota();
  shares.giveOut();
  if (!areAlike) shares.balance();
  return shares.result;
}

/** The partitions of each member while they are being assigned. */
class Shares {
  readonly result: Map<string, MutableAssignment> = new Map();
  readonly #members: readonly AssignorMember[];
  readonly #topics: ReadonlyMap<Uuid, number>;
  readonly #loads = new Map<string, number>();
  readonly #readers = new Map<Uuid, AssignorMember[]>();

  constructor(members: readonly AssignorMember[], topics: ReadonlyMap<Uuid, number>) {
    this.#members = [...members].sort((a, b) => compare(a.id, b.id));
    this.#topics = topics;
    for (const member of this.#members)
      for (const topicId of member.topics) {
        const readers = this.#readers.get(topicId);
        if (readers) readers.push(member);
        else this.#readers.set(topicId, [member]);
      }
    const taken = new Map<Uuid, Set<number>>();
    for (const { id, topics: wanted, target } of this.#members) {
      const kept = select(target, (topicId, partition) => {
        const count = topics.get(topicId);
        if (count === undefined || partition >= count || !wanted.has(topicId)) return false;
        if (taken.get(topicId)?.has(partition)) return false;
        add(taken, topicId, partition);
        return true;
      });
      this.result.set(id, kept);
      this.#loads.set(id, [...each(kept)].length);
    }
  }

  /** For members that all read the same topics: takes partitions above the quota away. */
  cutToQuota(): void {
    let total = 0;
    for (const topicId of this.#members[0]!.topics) total += this.#topics.get(topicId) ?? 0;
    const quota = Math.floor(total / this.#members.length);
    let extra = total % this.#members.length;
    for (const { id } of this.#members) {
      let excess = this.#loads.get(id)! - quota;
      if (excess > 0 && extra > 0) {
        extra--;
        excess--;
      }
      for (const [topicId, partition] of [...each(this.result.get(id)!)].reverse()) {
        if (excess-- <= 0) break;
        this.#take(id, topicId, partition);
      }
    }
  }

  /** Gives free partitions to the members with the fewest; topics with few readers first. */
  giveOut(): void {
    const taken = new Map<Uuid, Set<number>>();
    for (const share of this.result.values())
      for (const [topicId, partition] of each(share)) add(taken, topicId, partition);
    const topics = [...this.#topics].sort(
      ([a], [b]) => this.#readersOf(a).length - this.#readersOf(b).length,
    );
    for (const [topicId, count] of topics) {
      const readers = [...this.#readersOf(topicId)];
      if (readers.length === 0) continue;
      const byLoad = new LoadQueue(readers, this.#loads);
      for (let partition = 0; partition < count; partition++) {
        if (taken.get(topicId)?.has(partition)) continue;
        this.#give(byLoad.takeLeast(), topicId, partition);
      }
    }
  }

  /**
   * For members that read different topics: moves partitions from loaded to idle members until no move helps
   * any more.
   */
  balance(): void {
    for (let passes = 0, moved = true; moved && passes < balancePassesMax; passes++) {
      moved = false;
      for (const { id } of this.#members) {
        for (const [topicId, partition] of each(this.result.get(id)!)) {
          const least = this.#leastOf(topicId);
          if (this.#loads.get(id)! - this.#loads.get(least)! < 2) continue;
          this.#take(id, topicId, partition);
          this.#give(least, topicId, partition);
          moved = true;
        }
      }
    }
  }

  #leastOf(topicId: Uuid): string {
    let least = this.#readersOf(topicId)[0]!.id;
    for (const { id } of this.#readersOf(topicId))
      if (this.#loads.get(id)! < this.#loads.get(least)!) least = id;
    return least;
  }

  #readersOf(topicId: Uuid): readonly AssignorMember[] {
    return this.#readers.get(topicId) ?? [];
  }

  #give(id: string, topicId: Uuid, partition: number): void {
    add(this.result.get(id)!, topicId, partition);
    this.#loads.set(id, this.#loads.get(id)! + 1);
  }

  #take(id: string, topicId: Uuid, partition: number): void {
    const share = this.result.get(id)!;
    share.get(topicId)?.delete(partition);
    if (share.get(topicId)?.size === 0) share.delete(topicId);
    this.#loads.set(id, this.#loads.get(id)! - 1);
  }
}

const balancePassesMax = 100;

/**
 * Members in levels of equal load, the least loaded first. A member that gets a partition goes up a level.
 */
class LoadQueue {
  readonly #levels = new Map<number, string[]>();
  #level = Infinity;

  constructor(members: readonly AssignorMember[], loads: ReadonlyMap<string, number>) {
    for (const { id } of members) this.#put(id, loads.get(id)!);
  }

  takeLeast(): string {
    while (!this.#levels.get(this.#level)?.length) this.#level++;
    const id = this.#levels.get(this.#level)!.shift()!;
    this.#put(id, this.#level + 1);
    return id;
  }

  #put(id: string, load: number): void {
    const level = this.#levels.get(load);
    if (level) level.push(id);
    else this.#levels.set(load, [id]);
    this.#level = Math.min(this.#level, load);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
