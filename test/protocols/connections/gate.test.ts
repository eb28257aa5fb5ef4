import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate, Turns } from '../../../src/protocols/connections/index.ts';
import { LoopClock } from './loop-clock.ts';

/** A gate, and the calls to its socket: `-` to pause, `+` to resume. */
function withGate(goOn: (gate: Gate) => void = () => {}): {
  readonly gate: Gate;
  readonly clock: LoopClock;
  readonly told: string[];
} {
  const told: string[] = [];
  const clock = new LoopClock();
  const gate: Gate = new Gate(new Turns(clock), () => {
    told.push('on');
    goOn(gate);
  });
  gate.of({ pause: () => told.push('-'), resume: () => told.push('+') });
  return { gate, clock, told };
}

test('a socket is read while there is no reason not to, however often reasons are given', () => {
  const { gate, told } = withGate();
  gate.shut('held');
  gate.shut('held');
  gate.set('room', true);
  gate.set('room', true);
  assert.deepEqual(told, ['-']);
  gate.open('held');
  gate.set('room', false);
  assert.ok(gate.isShut && gate.has('held') && !gate.has('room'));
  assert.deepEqual(told, ['-']);
  gate.open('held');
  assert.ok(!gate.isShut);
  gate.set('login', false);
  assert.deepEqual(told, ['-', '+']);
});

test('a turn that is over is a reason until the next has left time', () => {
  let work = 20;
  const { gate, clock, told } = withGate((own) => {
    while (own.hasTime() && work > 0) {
      work--;
      clock.pass(1);
    }
  });
  while (gate.hasTime()) clock.pass(1);
  assert.ok(gate.has('turn') && gate.isShut);
  assert.deepEqual(told, ['-']);
  clock.turn();
  assert.ok(work > 0 && gate.has('turn'), 'it did not get to the end of its work');
  assert.deepEqual(told, ['-', 'on']);
  while (gate.isShut) clock.turn();
  assert.equal(work, 0);
  assert.equal(told.at(-1), '+');
  assert.equal(told.filter((what) => what === '-').length, 1, 'nothing was read meanwhile');
});

test('a reason that is there before the socket holds for it, and one that ends leaves the others', () => {
  const told: string[] = [];
  const gate = new Gate(new Turns(new LoopClock()), () => {});
  gate.set('login', true);
  gate.shut('congested');
  gate.of({ pause: () => told.push('-'), resume: () => told.push('+') });
  gate.set('login', false);
  assert.deepEqual(told, ['-']);
  gate.open('congested');
  assert.deepEqual(told, ['-', '+']);
});

test('a connection that ends is read to its end, whatever the reasons', () => {
  const { gate, told } = withGate();
  gate.shut('held');
  gate.leave();
  gate.open('held');
  gate.shut('congested');
  assert.deepEqual(told, ['-', '+']);
});
