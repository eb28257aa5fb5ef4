import type { Budgets } from '../../broker/index.ts';

/** A client whose fetch cannot wait here waits for so long by itself (KIP-219), in milliseconds. */
const throttleMsMax = 1000;

/** What a fetch of so many partitions is charged while it waits: one of none waits, too. */
export function chargeOfFetch(partitions: number): number {
  return Math.max(1, partitions);
}

/** Whether a fetch may wait at so many partitions, beside those that wait already. */
export function mayWait(budgets: Budgets, partitions: number): boolean {
  return budgets.used('waitingFetches') + chargeOfFetch(partitions) <= budgets.limit('waitingFetches');
}

/** The `throttle_time_ms` of a fetch that would have waited and may not. */
export function throttleMs(waitMs: number): number {
  return Math.min(waitMs, throttleMsMax);
}
