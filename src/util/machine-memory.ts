import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/**
 * The memory available to this process, in bytes: the container's limit (cgroup v1 or v2) if there is one,
 * else the machine's memory.
 */
export function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/**
 * The heap, in bytes: `used` includes garbage not collected yet. `limit` is the size (`--max-old-space-size`)
 * at which V8 ends the process.
 */
export function heapBytes(): { readonly used: number; readonly limit: number } {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return { used, limit };
}

/**
 * The memory that limits on objects are sized by, in bytes: the heap's limit or the container's, whichever is
 * less.
 */
export function memoryForObjectsBytes(): number {
  return Math.min(heapBytes().limit, memoryLimitBytes());
}
