import type { Clock } from '../../../util/index.ts';

/**
 * What is left of a group that its last member has left: nothing that has to be kept, but a while it is still
 * there to be described and deleted.
 */
export interface EmptiedGroup {
  readonly type: 'classic' | 'consumer';
  readonly protocolType: string;
}

/** As long as Kafka keeps a group that has nothing, at most: `offsets.retention.check.interval.ms`. */
const keptMs = 10 * 60_000;
const groupsMax = 10_000;

/**
 * The groups that were left by their last member lately, and may have committed nothing by which they would
 * be known. Of one run, in memory.
 */
export class EmptiedGroups {
  readonly #clock: Clock;
  /** In the order in which they were left. */
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

  /** False: there was none. */
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
