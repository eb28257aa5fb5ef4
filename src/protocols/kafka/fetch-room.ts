import type { Budgets } from '../../broker/index.ts';

/** How long a client is throttled if its fetch cannot wait here (KIP-219), in milliseconds. */
const throttleMsMax = 1000;

/**
 * The charge for a waiting fetch of this many partitions; at least 1, since a fetch of no partitions also
 * waits.
 */
export function chargeOfFetch(partitions: number): number {
  return Math.max(1, partitions);
}

/** Whether a fetch may wait on this many partitions, in addition to the fetches that wait already. */
export function mayWait(budgets: Budgets, partitions: number): boolean {
  return budgets.used('waitingFetches') + chargeOfFetch(partitions) <= budgets.limit('waitingFetches');
}

/** The `throttle_time_ms` of a fetch that should wait but may not. */
export function throttleMs(waitMs: number): number {
  return Math.min(waitMs, throttleMsMax);
}
