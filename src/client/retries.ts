import type { Random } from '../util/index.ts';
import type { GroupPlan } from './group-settings.ts';

/** The wait before the next delivery of a message that failed `deliveries` times. */
export function backoffMs(plan: GroupPlan, deliveries: number, random: Random): number {
  const { backoffMs: waits, backoffJitter } = plan;
  const wait = waits[Math.min(deliveries, waits.length) - 1] ?? 0;
  return Math.round(wait * (1 - backoffJitter * random.next()));
}
