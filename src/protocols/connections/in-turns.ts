import { Turn, type Turns } from './turns.ts';

/** A turn taker does work piece by piece, and rests in between when its turn is over. */
export interface TurnTaker {
  /** A promise for the next turn if this one is over. To be asked between two pieces of work. */
  rest(): Promise<void> | undefined;
  /** Whether nobody waits for the results any more. */
  readonly closed: boolean;
}

/** A task is work that does not come as the input of a connection, and takes turns with those that do. */
export class Task implements TurnTaker {
  readonly #turn: Turn;
  readonly #isClosed: () => boolean;
  #resting: (() => void)[] = [];

  constructor(turns: Turns, isClosed: () => boolean) {
    this.#isClosed = isClosed;
    this.#turn = new Turn(turns, () => {
      const resting = this.#resting;
      this.#resting = [];
      for (const resolve of resting) resolve();
    });
  }

  get closed(): boolean {
    return this.#isClosed();
  }

  rest(): Promise<void> | undefined {
    if (this.#turn.hasTime()) return undefined;
    return new Promise((resolve) => this.#resting.push(resolve));
  }
}

/**
 * Calls `work` on one item after another, and yields to others whenever the turn of this taker is over. Stops
 * when the taker is closed, since the results are then useless.
 */
export async function inTurns<T, R>(
  items: Iterable<T>,
  taker: TurnTaker,
  work: (item: T) => R | Promise<R>,
): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) {
    const result = work(item);
    // Awaits promises only.
    made.push(result instanceof Promise ? await result : result);
    const rest = taker.rest();
    if (!rest) continue;
    await rest;
    if (taker.closed) break;
  }
  return made;
}

/** The results of `pick` that are defined, in turns as {@link inTurns}. */
export async function pickInTurns<T, R>(
  items: Iterable<T>,
  taker: TurnTaker,
  pick: (item: T) => R | undefined,
): Promise<R[]> {
  const picked: R[] = [];
  await inTurns(items, taker, (item) => {
    const result = pick(item);
    if (result !== undefined) picked.push(result);
  });
  return picked;
}

/** Items that are sorted at once: some 2 ms. */
const sortedAtOnce = 4_096;

/** The items in order, in turns as {@link inTurns}; equal ones stay as they are. */
export async function sortInTurns<T>(
  items: readonly T[],
  taker: TurnTaker,
  compare: (one: T, other: T) => number,
): Promise<readonly T[]> {
  const starts = Array.from({ length: Math.ceil(items.length / sortedAtOnce) }, (_, at) => at * sortedAtOnce);
  let runs: (readonly T[])[] = await inTurns(starts, taker, (start) =>
    items.slice(start, start + sortedAtOnce).toSorted(compare),
  );
  while (runs.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let at = 0; at < runs.length; at += 2)
      merged.push(await merge(runs[at]!, runs[at + 1] ?? [], taker, compare));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function merge<T>(
  first: readonly T[],
  second: readonly T[],
  taker: TurnTaker,
  compare: (one: T, other: T) => number,
): Promise<readonly T[]> {
  if (second.length === 0) return first;
  const merged: T[] = [];
  let at = 0;
  await inTurns(first, taker, (item) => {
    while (at < second.length && compare(second[at]!, item) < 0) merged.push(second[at++]!);
    merged.push(item);
  });
  await inTurns(second.slice(at), taker, (item) => void merged.push(item));
  return merged;
}

/**
 * Starts `work` on one item after another, in turns as {@link inTurns}, and waits for all of it at the end.
 * One commit may so cover all work that is started in one turn. Rejects with the first failure.
 */
export async function beginInTurns<T>(
  items: Iterable<T>,
  taker: TurnTaker,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const begun: Promise<unknown>[] = [];
  await inTurns(items, taker, (item) => {
    const promise = work(item);
    promise.catch(() => undefined); // reported at the end
    begun.push(promise);
  });
  await Promise.all(begun);
}
