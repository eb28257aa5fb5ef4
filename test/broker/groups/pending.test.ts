import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attachment } from '../../../src/broker/groups/attachment.ts';
import { PendingEntries, PendingState } from '../../../src/broker/groups/pending.ts';
import { TestConsumer } from '../kit.ts';

const consumer = new TestConsumer();

function inFlight(pending: PendingEntries, offset: number, nowMs: number, waitMs: number): void {
  pending.deliver(pending.add(offset, 0), new Attachment(consumer), nowMs, waitMs, false);
}

test('an entry in flight is due after its wait, those of one wait in order of delivery', () => {
  const pending = new PendingEntries(0);
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
  const pending = new PendingEntries(0);
  inFlight(pending, 1, 0, 100);
  inFlight(pending, 2, 10, 100);
  pending.extend(pending.get(1)!, 50, 100);
  assert.equal(pending.nextDueMs(), 110);
  assert.equal(pending.inFlight, 2);
});

test('an entry with a deadline of its own keeps it when the waits of its group change', () => {
  const pending = new PendingEntries(0);
  inFlight(pending, 1, 0, 100);
  inFlight(pending, 2, 0, 100);
  pending.extendUntil(pending.get(2)!, 70);
  pending.rewait(() => 80);
  const passed: number[] = [];
  const expire = (nowMs: number): void =>
    pending.expire(nowMs, (entry) => {
      passed.push(entry.offset);
      pending.makeReady(entry);
    });
  expire(69);
  assert.deepEqual(passed, []);
  expire(79);
  assert.deepEqual(passed, [2]);
  expire(80);
  assert.deepEqual(passed, [2, 1]);
});

test('100,000 distinct deadlines are each kept to the millisecond, and moved as cheaply as one', () => {
  const pending = new PendingEntries(0);
  const count = 100_000;
  const dueMs = (offset: number): number => 1 + ((offset * 7919) % count);
  for (let offset = 0; offset < count; offset++) inFlight(pending, offset, 0, dueMs(offset));
  // Each is moved ahead by a minute. With a list per wait this took minutes.
  for (let offset = 0; offset < count; offset++)
    pending.extendUntil(pending.get(offset)!, 60_000 + dueMs(offset));
  let lastMs = 0;
  let passed = 0;
  for (let nowMs = pending.nextDueMs(); nowMs < Infinity; nowMs = pending.nextDueMs()) {
    assert.ok(nowMs > lastMs);
    lastMs = nowMs;
    pending.expire(nowMs, (entry) => {
      assert.equal(60_000 + dueMs(entry.offset), nowMs);
      passed++;
      pending.remove(entry);
    });
  }
  assert.equal(passed, count);
  assert.equal(pending.inFlight, 0);
});

test('an entry that waits is ready at its time, and not before', () => {
  const pending = new PendingEntries(0);
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
  const pending = new PendingEntries(0);
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
  const pending = new PendingEntries(0);
  inFlight(pending, 1, 0, 100);
  const entry = pending.get(1)!;
  pending.makeReady(entry);
  pending.deliver(entry, new Attachment(consumer), 10, 100, false);
  assert.equal(entry.state, PendingState.inFlight);
  assert.equal(entry.deliveries, 2);
  assert.equal(pending.redelivered, 1);
  pending.remove(entry);
  assert.equal(pending.redelivered, 0);
});
