import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pickInTurns, sortInTurns, Task, Turns } from '../../../src/protocols/connections/index.ts';
import { SeededRandom } from '../../../src/util/index.ts';
import { LoopClock } from './loop-clock.ts';

/** A task each piece of whose work takes a millisecond, and a loop that turns as often as it must. */
class Worker {
  readonly clock: LoopClock = new LoopClock();
  readonly task: Task;
  turns = 0;
  isClosed = false;

  constructor() {
    this.task = new Task(new Turns(this.clock), () => this.isClosed);
  }

  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    void work.finally(() => (isDone = true));
    for (;;) {
      await new Promise(setImmediate);
      if (isDone) return work;
      this.turns++;
      this.clock.turn();
    }
  }
}

test('a task rests when its turn is over, and goes on in the next', async () => {
  const worker = new Worker();
  const picked = await worker.run(
    pickInTurns(Array.from({ length: 100 }).keys(), worker.task, (at) => {
      worker.clock.pass(1);
      return at % 2 === 0 ? at : undefined;
    }),
  );
  assert.deepEqual(
    picked,
    Array.from({ length: 50 }, (_, at) => 2 * at),
  );
  assert.ok(worker.turns >= 15, `${worker.turns} turns`);
});

test('a task that is closed ends at its next turn', async () => {
  const worker = new Worker();
  const picked = await worker.run(
    pickInTurns([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], worker.task, (at) => {
      worker.clock.pass(1);
      worker.isClosed = true;
      return at;
    }),
  );
  assert.ok(picked.length < 10, `${picked.length} of 10`);
});

test('many items are sorted in turns, and equal ones stay in their order', async () => {
  const random = new SeededRandom(3);
  for (const length of [0, 1, 4_096, 4_097, 20_000]) {
    const worker = new Worker();
    const items = Array.from({ length }, (_, at) => ({ key: random.int(length / 2 + 1), at }));
    const compare = (one: { key: number }, other: { key: number }): number => {
      worker.clock.pass(0.001);
      return one.key - other.key;
    };
    const sorted = await worker.run(sortInTurns(items, worker.task, compare));
    assert.deepEqual(
      sorted,
      items.toSorted((one, other) => one.key - other.key),
    );
    if (length === 20_000) assert.ok(worker.turns > 5, `${worker.turns} turns`);
  }
});
