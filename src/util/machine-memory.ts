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
 * The heap, in bytes: `used` includes garbage not collected yet. `limit` is V8's own, with the young
 * generation: 48 MiB of it on Node 20, 96 MiB on Node 26.
 */
export function heapBytes(): { readonly used: number; readonly limit: number } {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return { used, limit };
}

/** `--max-old-space-size` among these options of Node, in bytes; the last one counts. Infinity: not given. */
export function oldSpaceSizeOf(options: string): number {
  const sizes = [...options.matchAll(/--max[-_]old[-_]space[-_]size[= ](\d+)/g)];
  const last = sizes[sizes.length - 1];
  return last === undefined ? Infinity : Number(last[1]) * 2 ** 20;
}

/**
 * The memory that limits on objects are sized by, in bytes: the heap's limit or the container's, whichever is
 * less. Objects that stay leave the young generation, so `--max-old-space-size` counts where it is given.
 */
export function memoryForObjectsBytes(): number {
  const options = `${process.env['NODE_OPTIONS'] ?? ''} ${process.execArgv.join(' ')}`;
  return Math.min(heapBytes().limit, oldSpaceSizeOf(options), memoryLimitBytes());
}
