import { budgetNames, budgetTable, type BudgetName } from './budget-table.ts';
import { BrokerError } from './errors.ts';

export type BudgetLimits = { readonly [K in BudgetName]: number };

/** The smallest default limit, even on a small machine. */
const limitMin = 1000;

/** The limits for this much memory (heap or container, whichever is less); each can be overridden. */
export function budgetLimits(memoryBytes: number, given: Partial<BudgetLimits> = {}): BudgetLimits {
  const limits: { [K in BudgetName]?: number } = {};
  for (const name of budgetNames) {
    const { share, bytesEach } = budgetTable[name];
    limits[name] = given[name] ?? Math.max(limitMin, Math.floor((memoryBytes * share) / bytesEach));
  }
  return limits as BudgetLimits;
}

/** The current use of a budget. */
export interface BudgetUse {
  readonly used: number;
  readonly limit: number;
}

/** A meter charges the size of a container to a budget. Each new size takes or returns the difference. */
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

  /**
   * Why the container cannot have this size now; undefined if it can. A size that does not grow is never
   * refused.
   */
  refusalOf(size: number): BrokerError | undefined {
    return size > this.#held ? this.#budgets.refusal(this.#name, size - this.#held) : undefined;
  }

  /** Releases the charge of the container and its content. */
  close(): void {
    this.set(0);
    this.#closed = true;
  }
}

/**
 * Memory is measured again after this many new objects of any kind. The check once a second is too slow when
 * clients create many objects.
 */
const looksEvery = 256;

/** The budgets of one broker: they track the use of each kind, and refuse objects beyond the limit. */
export class Budgets {
  readonly #limits: BudgetLimits;
  readonly #used: { [K in BudgetName]: number };
  readonly #counts: { [K in BudgetName]?: () => number } = {};
  readonly #memoryRefusal: (looks: boolean) => BrokerError | undefined;
  #sinceLook = 0;

  /**
   * `memoryRefusal` returns the reason why nothing may grow now, if any; with `looks` it measures the memory
   * first.
   */
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

  /** Registers a function that counts a kind. Its owner keeps the limit too, and nothing is charged here. */
  count(name: BudgetName, used: () => number): void {
    this.#counts[name] = used;
  }

  /**
   * Why this many more objects cannot be created now; undefined if they can. Charges nothing, see {@link
   * take}.
   */
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

  /** Whether the budget is used up: a quick check before {@link refusal}. */
  isFull(name: BudgetName): boolean {
    return this.#used[name] >= this.#limits[name];
  }

  /** Charges objects that were created or read back. */
  take(name: BudgetName, count: number = 1): void {
    this.#used[name] += count;
  }

  /** Returns the charge of objects that are gone. */
  release(name: BudgetName, count: number = 1): void {
    this.#used[name] -= count;
  }

  /** A meter for a container whose size is charged. */
  meter(name: BudgetName): Meter {
    return new Meter(this, name);
  }

  /** The current use of all budgets. */
  use(): { readonly [K in BudgetName]: BudgetUse } {
    const entries = budgetNames.map((name) => [name, { used: this.used(name), limit: this.#limits[name] }]);
    return Object.fromEntries(entries) as { readonly [K in BudgetName]: BudgetUse };
  }
}
