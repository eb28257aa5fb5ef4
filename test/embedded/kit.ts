import { open, VirtualClock, type Box, type OpenOptions } from '../../src/index.ts';

/** A box in memory on a clock that stands still until it is told. */
export interface TestBox extends AsyncDisposable {
  readonly box: Box;
  readonly clock: VirtualClock;
}

export async function openTestBox(options: OpenOptions = {}): Promise<TestBox> {
  const clock = new VirtualClock();
  const box = await open({ clock, ...options });
  return {
    box,
    clock,
    // Handlers that hang are not waited for.
    [Symbol.asyncDispose]: () => box.close({ timeoutMs: 0 }),
  };
}

/** All items of an async iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Lets everything that needs no clock come to its end: commits, deliveries, handlers. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise to be resolved from outside. */
export class Gate {
  open!: () => void;
  readonly passed: Promise<void> = new Promise((resolve) => {
    this.open = resolve;
  });
}
