import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turn, Turns } from '../../../src/protocols/connections/index.ts';
import { LoopClock } from './loop-clock.ts';

/** Connections that have no end of things to do, each of them a millisecond's work. */
class Busy {
  readonly clock: LoopClock = new LoopClock();
  readonly turns: Turns = new Turns(this.clock);
  /** Milliseconds that each has had since the last look. */
  served: { [name: string]: number } = {};
  readonly #turns = new Map<string, Turn>();

  /** Something comes for it; while it waits nothing is read. */
  comes(name: string): void {
    let turn = this.#turns.get(name);
    if (!turn) {
      turn = new Turn(this.turns, () => this.#work(name));
      this.#turns.set(name, turn);
    }
    if (!turn.isOver) this.#work(name);
  }

  #work(name: string): void {
    const turn = this.#turns.get(name)!;
    do {
      this.clock.pass(1);
      this.served[name] = (this.served[name] ?? 0) + 1;
    } while (turn.hasTime());
  }

  /** The end of a turn of the loop; how much each was served since the last. */
  nextTurn(): { [name: string]: number } {
    this.clock.turn();
    const { served } = this;
    this.served = {};
    return served;
  }
}

test('one with much to do has some milliseconds at a time', () => {
  const busy = new Busy();
  busy.comes('a');
  // The first piece of work came before it was found to have more.
  assert.deepEqual(busy.served, { a: 6 });
  busy.served = {};
  busy.comes('a');
  assert.deepEqual(busy.served, {}, 'its turn is over');
  assert.deepEqual(busy.nextTurn(), { a: 6 });
  assert.deepEqual(busy.nextTurn(), { a: 6 });
});

test('many of them share a turn of the loop, and go on in their order', () => {
  const busy = new Busy();
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  for (const name of names) busy.comes(name);
  busy.served = {};
  const order: string[] = [];
  for (let turn = 0; turn < 4; turn++) {
    const served = busy.nextTurn();
    const total = Object.values(served).reduce((sum, ms) => sum + ms, 0);
    assert.ok(total <= 22, `${total} ms in one turn of the loop`);
    order.push(...Object.keys(served));
  }
  assert.deepEqual(order.slice(0, 8), names);
  assert.deepEqual(order.slice(8, 12), ['a', 'b', 'c', 'd']);
});

test('while connections come they have less, but never nothing', () => {
  const busy = new Busy();
  for (const name of ['a', 'b', 'c']) busy.comes(name);
  busy.served = {};
  busy.turns.accepted();
  assert.deepEqual(busy.nextTurn(), { a: 5 });
  busy.turns.accepted();
  assert.deepEqual(busy.nextTurn(), { b: 5 });
  // No more connections come.
  assert.deepEqual(busy.nextTurn(), { c: 6, a: 6, b: 6 });
});

test('a connection with nothing left to do costs nothing', () => {
  const busy = new Busy();
  const turn = new Turn(busy.turns, () => assert.fail('it has nothing to do'));
  assert.ok(turn.hasTime());
  assert.deepEqual(busy.nextTurn(), {});
  assert.ok(busy.clock.isIdle);
  assert.ok(turn.hasTime());
});
