import { BrokerError } from './errors.ts';

export type BudgetName =
  | 'topics'
  | 'partitions'
  | 'groups'
  | 'positions'
  | 'consumers'
  | 'members'
  | 'waitingFetches'
  | 'subscriptions'
  | 'keys'
  | 'dedupeIds'
  | 'producers'
  | 'scheduled'
  | 'ordered'
  | 'waitingPublishes'
  | 'transactionalIds'
  | 'openTransactions'
  | 'attributes';

/** What one kind of object may take of the broker's memory. */
export interface Budget {
  /** As it reads after "the limit of 1000". */
  readonly what: string;
  /** The setting that sets the limit; doubles as flag, variable and file key. */
  readonly setting: string;
  /** What one costs in memory, about, with what it brings along. */
  readonly bytesEach: number;
  /**
   * By default all of the kind may cost so much of the memory there is. The sum is above 1: the memory
   * watermark sees to combinations.
   */
  readonly share: number;
  readonly help: string;
  /** What makes room. */
  readonly advice: string;
}

/**
 * The one table of what grows with what clients ask for. The settings, `doctor`, the admin API, the metrics
 * and docs/limits.md follow it.
 *
 * A kind is charged where its object is made and released where it goes. What a start reads back is charged
 * and never refused.
 */
export const budgetTable: { readonly [K in BudgetName]: Budget } = {
  topics: {
    what: 'topics',
    setting: 'topics-max',
    bytesEach: 4096,
    share: 0.25,
    help: 'topics (streams) of the broker',
    advice: 'Delete topics',
  },
  partitions: {
    what: 'partitions',
    setting: 'partitions-max',
    bytesEach: 3072,
    share: 0.25,
    help: 'partitions of all topics together',
    advice: 'Delete topics',
  },
  groups: {
    what: 'groups',
    setting: 'groups-max',
    bytesEach: 6144,
    share: 0.25,
    help: 'groups (JetStream consumers, Kafka groups per topic) of all topics together',
    advice: 'Delete groups',
  },
  positions: {
    what: 'positions of groups',
    setting: 'positions-max',
    bytesEach: 1792,
    share: 0.25,
    help: 'positions of groups: one per group and partition of its topic',
    advice: 'Delete groups',
  },
  consumers: {
    what: 'consumers',
    setting: 'consumers-max',
    bytesEach: 2048,
    share: 0.15,
    help: 'consumers of all groups: waiting pull requests, push subscriptions, share sessions, handlers, members',
    advice: 'End consumers',
  },
  members: {
    what: 'members of Kafka groups',
    setting: 'members-max',
    bytesEach: 4096,
    share: 0.15,
    help: 'members of all Kafka groups together; each 4 KiB of their metadata count as one more',
    advice: 'End members',
  },
  waitingFetches: {
    what: 'partitions of waiting fetches',
    setting: 'waiting-fetches-max',
    bytesEach: 512,
    share: 0.1,
    help: 'partitions that waiting Kafka fetches watch, all together',
    advice: 'Let clients fetch fewer partitions at once',
  },
  subscriptions: {
    what: 'live subscriptions',
    setting: 'subscriptions-max',
    bytesEach: 640,
    share: 0.3,
    help: 'live subscriptions of all NATS connections together',
    advice: 'End subscriptions',
  },
  keys: {
    what: 'distinct keys',
    setting: 'keys-max',
    bytesEach: 256,
    share: 0.3,
    help: 'distinct keys (subjects) of topics that keep state by key, all together',
    advice: 'Delete or purge topics that keep state by key',
  },
  dedupeIds: {
    what: 'dedupe ids',
    setting: 'dedupe-ids-max',
    bytesEach: 256,
    share: 0.15,
    help: 'dedupe ids inside the windows of all topics together',
    advice: 'Shorten dedupe windows',
  },
  producers: {
    what: 'idempotent producers',
    setting: 'producers-max',
    bytesEach: 640,
    share: 0.1,
    help: 'idempotent producers that partitions remember, all together',
    advice: 'Wait until idle ones are forgotten (a day)',
  },
  scheduled: {
    what: 'delayed messages',
    setting: 'scheduled-max',
    bytesEach: 40,
    share: 0.1,
    help: 'messages that wait for their time',
    advice: 'Wait until some are due',
  },
  ordered: {
    what: 'ordered messages under way',
    setting: 'ordered-max',
    bytesEach: 320,
    share: 0.1,
    help: 'messages in flight or held behind their key in groups that order by key, all together',
    advice: 'Acknowledge messages',
  },
  waitingPublishes: {
    what: 'waiting publishes',
    setting: 'waiting-publishes-max',
    bytesEach: 4096,
    share: 0.1,
    help: 'publishes that wait for room in their topics, all together',
    advice: 'Consume from topics that are full',
  },
  transactionalIds: {
    what: 'transactional ids',
    setting: 'transactional-ids-max',
    bytesEach: 1024,
    share: 0.1,
    help: 'transactional ids that are known at once',
    advice: 'Wait until idle ones are forgotten (a week)',
  },
  openTransactions: {
    what: 'open transactions',
    setting: 'open-transactions-max',
    bytesEach: 4096,
    share: 0.05,
    help: 'transactions that are open at once',
    advice: 'End transactions',
  },
  attributes: {
    what: 'attributes of protocols',
    setting: 'attributes-max',
    bytesEach: 1024,
    share: 0.05,
    help: 'facts that protocols remember on their own, such as configs of Kafka groups; each KiB counts as one',
    advice: 'Reset configs',
  },
};

export const budgetNames: readonly BudgetName[] = Object.keys(budgetTable) as BudgetName[];

export type BudgetLimits = { readonly [K in BudgetName]: number };

/** No limit is smaller by default: also a small machine does small work. */
const limitMin = 1000;

/** The limits for so much memory (heap or container, whichever is less), each of them overridable. */
export function budgetLimits(memoryBytes: number, given: Partial<BudgetLimits> = {}): BudgetLimits {
  const limits: { [K in BudgetName]?: number } = {};
  for (const name of budgetNames) {
    const { share, bytesEach } = budgetTable[name];
    limits[name] = given[name] ?? Math.max(limitMin, Math.floor((memoryBytes * share) / bytesEach));
  }
  return limits as BudgetLimits;
}

/** One budget as it stands. */
export interface BudgetUse {
  readonly used: number;
  readonly limit: number;
}

/**
 * A meter charges a container's size to a budget: told of each change of the size, it takes or gives back the
 * difference.
 */
export class Meter {
  readonly #budgets: Budgets;
  readonly #name: BudgetName;
  #held = 0;
  #closed = false;

  constructor(budgets: Budgets, name: BudgetName) {
    this.#budgets = budgets;
    this.#name = name;
  }

  set(size: number): void {
    if (this.#closed || size === this.#held) return;
    this.#budgets.take(this.#name, size - this.#held);
    this.#held = size;
  }

  /** Whether the budget is used up. */
  get isFull(): boolean {
    return this.#budgets.isFull(this.#name);
  }

  /** Why the container cannot have this size now; undefined: it can. A size that does not grow is never refused. */
  refusalOf(size: number): BrokerError | undefined {
    return size > this.#held ? this.#budgets.refusal(this.#name, size - this.#held) : undefined;
  }

  /** The container goes, with all that is in it. */
  close(): void {
    this.set(0);
    this.#closed = true;
  }
}

/**
 * After so many new objects, of whatever kind, memory is looked at again: a second is too long when clients
 * make many.
 */
const looksEvery = 256;

/** The budgets of one broker: what is used of each, and the refusal of what would be too much. */
export class Budgets {
  readonly #limits: BudgetLimits;
  readonly #used: { [K in BudgetName]: number };
  readonly #counts: { [K in BudgetName]?: () => number } = {};
  readonly #memoryRefusal: (looks: boolean) => BrokerError | undefined;
  #sinceLook = 0;

  /** `memoryRefusal`: why nothing may grow now, if so; `looks`: as memory is at this moment. */
  constructor(limits: BudgetLimits, memoryRefusal: (looks: boolean) => BrokerError | undefined) {
    this.#limits = limits;
    this.#memoryRefusal = memoryRefusal;
    this.#used = Object.fromEntries(budgetNames.map((name) => [name, 0])) as { [K in BudgetName]: number };
  }

  limit(name: BudgetName): number {
    return this.#limits[name];
  }

  used(name: BudgetName): number {
    return this.#counts[name]?.() ?? this.#used[name];
  }

  /** Lets a kind be counted by its owner, who keeps the limit too, instead of being charged. */
  count(name: BudgetName, used: () => number): void {
    this.#counts[name] = used;
  }

  /** Why so many more cannot be made now; undefined: they can. Taken only by {@link take}. */
  refusal(name: BudgetName, count: number = 1): BrokerError | undefined {
    this.#sinceLook += count;
    const looks = this.#sinceLook >= looksEvery;
    if (looks) this.#sinceLook = 0;
    const full = this.#memoryRefusal(looks);
    if (full) return full;
    const limit = this.#limits[name];
    const used = this.#used[name];
    if (used + count <= limit) return undefined;
    const { what, setting, advice } = budgetTable[name];
    const asked = count === 1 ? '' : `, and ${count} more were asked for`;
    return new BrokerError(
      'limit-reached',
      `The broker has ${used} of at most ${limit} ${what}${asked}. ${advice}, or raise ${setting}.`,
      { budget: name, limit },
    );
  }

  /** Throws {@link refusal}. */
  check(name: BudgetName, count: number = 1): void {
    const refusal = this.refusal(name, count);
    if (refusal) throw refusal;
  }

  /** Whether the budget is used up: the quick question, before {@link refusal}. */
  isFull(name: BudgetName): boolean {
    return this.#used[name] >= this.#limits[name];
  }

  /** The objects are there, asked for or read back. */
  take(name: BudgetName, count: number = 1): void {
    this.#used[name] += count;
  }

  /** The objects are gone. */
  release(name: BudgetName, count: number = 1): void {
    this.#used[name] -= count;
  }

  /** A meter for a container whose size is charged. */
  meter(name: BudgetName): Meter {
    return new Meter(this, name);
  }

  /** All of them, as they stand. */
  use(): { readonly [K in BudgetName]: BudgetUse } {
    const entries = budgetNames.map((name) => [name, { used: this.used(name), limit: this.#limits[name] }]);
    return Object.fromEntries(entries) as { readonly [K in BudgetName]: BudgetUse };
  }
}
