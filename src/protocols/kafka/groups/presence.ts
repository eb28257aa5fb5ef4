import type { Budgets, Consumer, Group } from '../../../broker/index.ts';

/**
 * A presence represents a member in the broker's group. It takes no deliveries, because the member reads by
 * itself.
 */
class Presence implements Consumer {
  readonly credit = 0;
  readonly creditBytes = 0;
  readonly group: Group;
  label: string | undefined = undefined;
  isEnded = false;

  constructor(group: Group) {
    this.group = group;
  }

  receive(): void {
    throw new Error('A consumer without credit got a delivery.');
  }

  ended(): void {
    this.isEnded = true;
  }
}

/**
 * The current members of a Kafka group, on the broker groups of the topics they read, for lists, metrics and
 * idle limits.
 */
export class Presences {
  readonly #present = new Map<Group, Presence[]>();
  readonly #budgets: Budgets;

  constructor(budgets: Budgets) {
    this.#budgets = budgets;
  }

  /** `wanted`: the labels of the current members of each broker group. */
  update(wanted: ReadonlyMap<Group, readonly string[]>): void {
    for (const [group, presences] of this.#present) {
      if (group.isClosed) this.#present.delete(group);
      else if (!wanted.has(group)) this.#set(group, presences, []);
    }
    for (const [group, labels] of wanted) {
      const presences = this.#present.get(group) ?? [];
      this.#present.set(group, presences);
      this.#set(group, presences, labels);
    }
  }

  #set(group: Group, presences: Presence[], labels: readonly string[]): void {
    const count = labels.length;
    // The first presence keeps the group from being idle. The others are only shown in lists, as far as the
    // budget has room.
    while (presences.length < count && (presences.length === 0 || !this.#budgets.isFull('consumers'))) {
      const presence = new Presence(group);
      presences.push(presence);
      group.attach(presence);
    }
    while (presences.length > count) group.detach(presences.pop()!);
    for (const [at, presence] of presences.entries()) presence.label = labels[at];
    if (count === 0) this.#present.delete(group);
  }

  clear(): void {
    this.update(new Map());
  }
}
