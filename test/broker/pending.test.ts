import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PendingEntries, PendingState } from '../../src/broker/pending.ts';

function inFlight(pending: PendingEntries, offset: number, nowMs: number, waitMs: number): void {
  pending.deliver(pending.add(offset, 0), nowMs, waitMs);
}

test('an entry in flight is due after its wait, those of one wait in order of delivery', () => {
  const pending = new PendingEntries();
  inFlight(pending, 1, 0, 100);
  inFlight(pending, 2, 10, 100);
  inFlight(pending, 3, 20, 30);
  assert.equal(pending.nextDueMs(), 50);
  const passed: number[] = [];
  const fail = (nowMs: number): void =>
    pending.expire(nowMs, (entry) => {
      passed.push(entry.offset);
      pending.makeReady(entry);
    });
  fail(49);
  assert.deepEqual(passed, []);
  fail(105);
  assert.deepEqual(
    passed.sort((a, b) => a - b),
    [1, 3],
  );
  assert.equal(pending.nextDueMs(), 110);
  assert.equal(pending.readyCount, 2);
  assert.equal(pending.inFlight, 1);
});

test('extend puts an entry behind those delivered since', () => {
  const pending = new PendingEntries();
  inFlight(pending, 1, 0, 100);
  inFlight(pending, 2, 10, 100);
  pending.extend(pending.get(1)!, 50, 100);
  assert.equal(pending.nextDueMs(), 110);
  assert.equal(pending.inFlight, 2);
});

test('an entry that waits is ready at its time, and not before', () => {
  const pending = new PendingEntries();
  inFlight(pending, 1, 0, 100);
  pending.wait(pending.get(1)!, 70);
  assert.equal(pending.nextReady(), undefined);
  assert.equal(pending.nextDueMs(), 70);
  pending.expire(69, () => assert.fail('nothing is in flight'));
  assert.equal(pending.nextReady(), undefined);
  pending.expire(70, () => assert.fail('nothing is in flight'));
  assert.equal(pending.nextReady()?.offset, 1);
});

test('an entry that is acked while ready or waiting is not delivered again', () => {
  const pending = new PendingEntries();
  inFlight(pending, 1, 0, 100);
  inFlight(pending, 2, 0, 100);
  pending.makeReady(pending.get(1)!);
  pending.wait(pending.get(2)!, 10);
  pending.remove(pending.get(1)!);
  pending.remove(pending.get(2)!);
  pending.expire(1000, () => assert.fail('nothing is in flight'));
  assert.equal(pending.nextReady(), undefined);
  assert.equal(pending.size, 0);
  assert.equal(pending.readyCount, 0);
});

test('redelivered counts entries delivered more than once, until they are done', () => {
  const pending = new PendingEntries();
  inFlight(pending, 1, 0, 100);
  const entry = pending.get(1)!;
  pending.makeReady(entry);
  pending.deliver(entry, 10, 100);
  assert.equal(entry.state, PendingState.inFlight);
  assert.equal(entry.deliveries, 2);
  assert.equal(pending.redelivered, 1);
  pending.remove(entry);
  assert.equal(pending.redelivered, 0);
});
