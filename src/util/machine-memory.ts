import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/**
 * The memory that this process may have, in bytes: the container's limit (cgroup v1 or v2) where there is
 * one, else the machine's.
 */
export function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/**
 * The heap: what lives on it or is garbage yet, and how large V8 lets it grow (`--max-old-space-size`) before
 * it ends the process.
 */
export function heapBytes(): { readonly used: number; readonly limit: number } {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return { used, limit };
}

/** What objects can be sized to: the heap's limit or the container's, whichever is less. */
export function memoryForObjectsBytes(): number {
  return Math.min(heapBytes().limit, memoryLimitBytes());
}
