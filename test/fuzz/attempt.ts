import type { Run } from './target.ts';

/** Of the processor: a machine that is busy with something else makes no finding. */
const slowMs = 2000;
/** Memory outside the heap that one small input may leave or need, beside a multiple of its size. */
const arrayBytesMax = 128 * 1024 * 1024;

/** Runs an input; what it threw, or what else is wrong with it, in a sentence. */
export async function attempt(run: Run, input: Buffer): Promise<string | undefined> {
  const start = process.cpuUsage();
  const before = process.memoryUsage().arrayBuffers;
  try {
    const running = run(input);
    if (running) await running;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const { user, system } = process.cpuUsage(start);
  const tookMs = (user + system) / 1000;
  if (tookMs > slowMs) return `took ${Math.round(tookMs)} ms`;
  const bytes = process.memoryUsage().arrayBuffers - before;
  return bytes > arrayBytesMax + 100 * input.length
    ? `allocated ${bytes} bytes for ${input.length}`
    : undefined;
}
