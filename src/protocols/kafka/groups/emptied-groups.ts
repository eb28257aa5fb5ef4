import type { Clock } from '../../../util/index.ts';

/**
 * The remains of a group after its last member left. They need not be kept, but for a while the group can
 * still be described and deleted.
 */
export interface EmptiedGroup {
  readonly type: 'classic' | 'consumer';
  readonly protocolType: string;
}

/** Kafka keeps a group without content this long at most: `offsets.retention.check.interval.ms`. */
const keptMs = 10 * 60_000;
const groupsMax = 10_000;

/**
 * The groups that recently lost their last member. If they have no committed offsets, nothing else records
 * them. Kept in memory, for this run only.
 */
export class EmptiedGroups {
  readonly #clock: Clock;
  /** In the order in which they lost their last member. */
  readonly #groups = new Map<string, EmptiedGroup & { readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(groupId: string, { type, protocolType }: EmptiedGroup): void {
    const nowMs = this.#clock.monotonic();
    this.#groups.delete(groupId);
    this.#groups.set(groupId, { type, protocolType, untilMs: nowMs + keptMs });
    for (const [oldest, { untilMs }] of this.#groups) {
      if (untilMs > nowMs && this.#groups.size <= groupsMax) return;
      this.#groups.delete(oldest);
    }
  }

  find(groupId: string): EmptiedGroup | undefined {
    const group = this.#groups.get(groupId);
    return group && group.untilMs > this.#clock.monotonic() ? group : undefined;
  }

  /** False if there was none. */
  delete(groupId: string): boolean {
    const wasThere = this.find(groupId) !== undefined;
    this.#groups.delete(groupId);
    return wasThere;
  }

  *entries(): Iterable<readonly [groupId: string, group: EmptiedGroup]> {
    for (const groupId of this.#groups.keys()) {
      const group = this.find(groupId);
      if (group) yield [groupId, group];
    }
  }
}
