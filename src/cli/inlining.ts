import { setFlagsFromString } from 'node:v8';

/**
 * Raises V8's limits of inlining. A delivery and its ack pass some thirty small functions; with the limits of
 * Node the compiler inlines half of them, and calls cost more than what they call. See decision 22.
 *
 * Must run before the code is hot. Other engines have no such limits.
 */
export function raiseInliningLimits(): void {
  if (process.versions['bun'] !== undefined) return;
  setFlagsFromString('--max-inlined-bytecode-size=800'); // 460: bytes of one function that may be inlined
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=2400'); // 920: bytes inlined into one function
}
