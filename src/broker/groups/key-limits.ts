import type { RateLimit } from '../../util/index.ts';
import type { GroupConfig } from './group-config.ts';

/** The limits of a group with order per key, with their defaults. */
export interface KeyLimits {
  /** How many messages of a key one consumer may have at once, in order. */
  readonly runMax: number;
  /** How many messages of a key may be in flight with any consumers; above 1 there is no order within it. */
  readonly concurrency: number;
  readonly keysPerConsumerMax: number;
  /** How many messages are held behind their key before the cursor stops. */
  readonly heldMax: number;
  readonly rate: RateLimit | undefined;
}

/** The default of `heldMax`. */
const heldMaxDefault = 10_000;

export function keyLimits(config: GroupConfig): KeyLimits {
  const { keyRunMax = 1, keyConcurrency = 1, keysPerConsumerMax = Infinity } = config;
  const { heldMax = heldMaxDefault, keyRate: rate } = config;
  return { runMax: keyRunMax, concurrency: keyConcurrency, keysPerConsumerMax, heldMax, rate };
}
