import type { Run } from './target.ts';

/** Of the processor: a machine that is busy with something else makes no finding. */
const slowMs = 500;
/**
 * The additional time for each byte. It is generous: a table built for a few bytes once took thirty times as
 * long.
 */
const slowNsPerByte = 10_000;
/** Memory outside the heap that one small input may leave or need, beside a multiple of its size. */
const arrayBytesMax = 64 * 1024 * 1024;
const arrayBytesPerByte = 100;

/** The cost of an input. */
export interface Cost {
  readonly processorMs: number;
  readonly arrayBytes: number;
}

/** The result of an input: the error it threw, or another problem, in a sentence; and its cost. */
export interface Attempt {
  readonly problem: string | undefined;
  readonly cost: Cost;
}

/** Runs an input. */
export async function tryOut(run: Run, input: Buffer): Promise<Attempt> {
  const start = process.cpuUsage();
  const before = process.memoryUsage().arrayBuffers;
  const cost = (): Cost => {
    const { user, system } = process.cpuUsage(start);
    return {
      processorMs: (user + system) / 1000,
      arrayBytes: Math.max(0, process.memoryUsage().arrayBuffers - before),
    };
  };
  try {
    const running = run(input);
    if (running) await running;
  } catch (error) {
    const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { problem, cost: cost() };
  }
  const spent = cost();
  return { problem: problemOf(spent, input.length), cost: spent };
}

/** The same, for tests that want to know only whether something is wrong. */
export async function attempt(run: Run, input: Buffer): Promise<string | undefined> {
  return (await tryOut(run, input)).problem;
}

function problemOf({ processorMs, arrayBytes }: Cost, inputBytes: number): string | undefined {
  if (processorMs > slowMs + (slowNsPerByte * inputBytes) / 1e6)
    return `took ${Math.round(processorMs)} ms for ${inputBytes} bytes`;
  return arrayBytes > arrayBytesMax + arrayBytesPerByte * inputBytes
    ? `allocated ${arrayBytes} bytes for ${inputBytes}`
    : undefined;
}
