import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixedScript } from './fixed-script.ts';
import { generate } from './generator.ts';
import { catchStrays, run } from './run.ts';
import type { Action, LogLimits, Operation, PlannedMessage } from './script.ts';

// Bugs that the simulation found, as the shortest script that showed each.

catchStrays();

type Line = Action & { readonly steps?: number };

/** Plays the lines; each number of turns makes other choices of which call of the disk completes first. */
async function assertKept(lines: readonly Line[], log: Partial<LogLimits> = {}): Promise<void> {
  for (const seed of [1, 2, 3, 4]) {
    const operations = lines.map((line, at): Operation => ({ steps: -1, ...line, turn: seed * 1000 + at }));
    const script = { seed, log: { ...fixedScript.log, ...log }, operations };
    const { violations } = await run(script);
    assert.deepEqual(violations, []);
  }
}

function publish(topic: string, ...messages: readonly PlannedMessage[]): Line {
  return { kind: 'publish', topic, messages };
}

const crash: Line = { kind: 'crash', power: false, downMs: 100, again: [], look: true };
const powerLoss: Line = { ...crash, power: true };

test('a count below zero was stored, and the broker did not start any more', () =>
  assertKept([
    { kind: 'create-topic', options: { name: 'orders', messagesPerKeyMax: 1 } },
    { kind: 'create-group', topic: 'orders', options: { name: 'a', filters: ['k.1', 'j.1'] } },
    publish('orders', { id: 18, key: 'k.1', bytes: 0 }),
    publish('orders', { id: 19, key: 'k.1', bytes: 0, delayMs: 40_000 }, { id: 20, key: 'j.1', bytes: 0 }),
    { kind: 'attach', topic: 'orders', group: 'a', credit: 1 },
    publish('orders', { id: 29, key: 'j.1', bytes: 0 }),
    crash,
  ]));

test('keys of messages that were gone before they were accounted for counted for ever', () =>
  assertKept(
    [
      { kind: 'create-topic', options: { name: 'orders', partitions: 3, messagesPerKeyMax: 4 } },
      publish(
        'orders',
        { id: 32, key: 'k.3', bytes: 77 },
        { id: 33, key: 'k.3', bytes: 0, delayMs: 500 },
        { id: 34, key: null, bytes: 0 },
        { id: 36, key: 'k.3', bytes: 19 },
        { id: 37, key: null, bytes: 98 },
      ),
      publish('orders', { id: 50, key: 'k.3', bytes: 14 }),
      { kind: 'checkpoint' },
      { kind: 'checkpoint' },
      publish('orders', ...[103, 104, 108].map((id) => ({ id, key: 'k.3', bytes: 0 }))),
      { kind: 'wait', ms: 600 },
      { kind: 'wait', ms: 20_000 },
      powerLoss,
    ],
    { segmentBytesMax: 512, batchBytesMax: 256, batchRecordsMax: 1, checkpointBytes: 65_536 },
  ));

test('a start on the last of each key outlived the messages in memory, and delivered others twice', () =>
  assertKept([
    { kind: 'create-topic', options: { name: 'jobs', durability: 'memory', keyState: true } },
    publish('jobs', { id: 12, key: 'j.1', bytes: 0 }),
    {
      kind: 'create-group',
      topic: 'jobs',
      options: { name: 'c', start: { kind: 'last-per-key' }, ack: 'none' },
    },
    crash,
    { kind: 'attach', topic: 'jobs', group: 'c', credit: 10 },
    publish('jobs', { id: 13, key: 'k.2.x', bytes: 0 }),
    { kind: 'wait', ms: 100 },
  ]));

test('the last of each key came again after a crash to a group that gets everything once at most', () =>
  assertKept([
    { kind: 'create-topic', options: { name: 'orders', keyState: true } },
    publish('orders', ...[1, 2, 3].map((id) => ({ id, key: `k.${id}`, bytes: 0 }))),
    {
      kind: 'create-group',
      topic: 'orders',
      options: { name: 'a', start: { kind: 'last-per-key' }, ack: 'none' },
    },
    { kind: 'attach', topic: 'orders', group: 'a', credit: 1 },
    publish('orders', { id: 4, key: 'k.4', bytes: 0 }),
    { kind: 'attach', topic: 'orders', group: 'a', credit: 1 },
    publish('orders', { id: 5, key: 'k.5', bytes: 0 }),
    crash,
    { kind: 'attach', topic: 'orders', group: 'a', credit: 2 },
  ]));

test('what was held behind its key stood at the end after a crash, and was not acked with what stands before it', () =>
  assertKept([
    { kind: 'create-topic', options: { name: 'jobs' } },
    {
      kind: 'create-group',
      topic: 'jobs',
      options: { name: 'c', maxDeliver: 1, deadLetter: 'letters', ordering: 'key' },
    },
    { kind: 'attach', topic: 'jobs', group: 'c', credit: 5 },
    publish('jobs', ...['k.2', 'k.2', 'k.3'].map((key, at) => ({ id: at + 1, key, bytes: 0 }))),
    publish('jobs', { id: 4, key: 'k.4', bytes: 0 }),
    crash,
    { kind: 'attach', topic: 'jobs', group: 'c', credit: 2 },
    { kind: 'answer', topic: 'jobs', group: 'c', answer: 'ack-all', pick: 0, count: 1 },
  ]));

test('a message of a queue that no group had handled went with one that was acked', () =>
  assertKept([
    { kind: 'create-topic', options: { name: 'orders', retention: 'queue' } },
    publish('orders', { id: 1, key: null, bytes: 0 }),
    publish('orders', { id: 2, key: 'k.2.x', bytes: 0 }),
    { kind: 'create-group', topic: 'orders', options: { name: 'c', start: { kind: 'last' } } },
    { kind: 'attach', topic: 'orders', group: 'c', credit: 20 },
    { kind: 'create-group', topic: 'orders', options: { name: 'a', filters: ['j.1', 'k.2'] } },
  ]));

test('a delayed message that became due while the broker was down was never delivered', () =>
  assertKept([
    { kind: 'create-topic', options: { name: 'orders' } },
    publish('orders', { id: 1, key: 'k.1', bytes: 11, delayMs: 50 }),
    { ...crash, downMs: 2000 },
    publish('orders', { id: 2, key: 'k.1', bytes: 11, delayMs: 5000 }),
    { kind: 'checkpoint' },
    { kind: 'stop', downMs: 10_000, look: true },
  ]));

test('a delayed message kept the time of its publish, and outlived the age limit behind a younger one', () =>
  assertKept([
    { kind: 'create-topic', options: { name: 'orders', ageMsMax: 5000 } },
    publish('orders', { id: 5, key: 'j.1', bytes: 0, delayMs: 4100 }),
    { kind: 'wait', ms: 4000 },
    publish('orders', { id: 15, key: 'k.1', bytes: 0 }),
    { kind: 'wait', ms: 3000 },
    crash,
  ]));

for (const checkpoint of [[], [{ kind: 'checkpoint' }]] as const)
  test(`the dedupe id of a delayed message for a topic in memory was forgotten${checkpoint.length > 0 ? ' by a checkpoint' : ''}`, () =>
    assertKept([
      { kind: 'create-topic', options: { name: 'jobs', durability: 'memory' } },
      publish('jobs', { id: 64, key: 'j.1', bytes: 0, dedupeId: 'd0', delayMs: 5000 }),
      ...checkpoint,
      crash,
      publish('jobs', { id: 91, key: 'k.2', bytes: 0, dedupeId: 'd0' }),
    ]));

test('a receipt of before a reset settled a later delivery, if a crash had lost the earlier one', () =>
  assertKept([
    { kind: 'create-topic', options: { name: 'orders' } },
    { kind: 'create-group', topic: 'orders', options: { name: 'a' } },
    publish('orders', { id: 1, key: 'k.1', bytes: 0 }, { id: 2, key: 'k.2', bytes: 0 }),
    { kind: 'attach', topic: 'orders', group: 'a', credit: 2 },
    crash,
    { kind: 'reset-group', topic: 'orders', group: 'a', start: { kind: 'all' } },
    { kind: 'attach', topic: 'orders', group: 'a', credit: 2 },
    { kind: 'wait', ms: 2000 },
    crash,
    { kind: 'settle', topic: 'orders', group: 'a', answer: 'ack', from: 'written', pick: 0, count: 1 },
  ]));

test('a reset that failed left its group without deliveries', () =>
  assertKept(
    [
      { kind: 'create-topic', options: { name: 'orders' } },
      { kind: 'create-group', topic: 'orders', options: { name: 'a' } },
      publish('orders', ...[1, 2, 3, 4, 5, 6, 7, 8].map((id) => ({ id, key: 'k.1', bytes: 600 }))),
      { kind: 'checkpoint' },
      { kind: 'stop', downMs: 1, look: false },
      { kind: 'fault', call: 'any', code: 'ENOSPC', after: 0, count: 1 },
      {
        kind: 'reset-group',
        topic: 'orders',
        group: 'a',
        start: { kind: 'time', timestampMs: 1_700_000_000_001 },
      },
      publish('orders', { id: 9, key: 'k.1', bytes: 0 }),
    ],
    { tailCacheBytesMax: 0, readCacheBytesMax: 512 },
  ));

test('a group with an age limit read two partitions in turn for ever, if the cache held one of them', () =>
  assertKept(
    [
      { kind: 'create-topic', options: { name: 'orders', partitions: 2, keyState: true } },
      publish('orders', ...[1, 2].map((id) => ({ id, key: 'k.1', bytes: 600, partition: id % 2 }))),
      { kind: 'checkpoint' },
      { kind: 'stop', downMs: 1, look: false },
      {
        kind: 'create-group',
        topic: 'orders',
        options: { name: 'a', messageTtlMs: 5000, start: { kind: 'last-per-key' } },
      },
      { kind: 'wait', ms: 20 },
    ],
    { tailCacheBytesMax: 0, readCacheBytesMax: 512 },
  ));

test('a message that could not be read for its dead letter kept the processor busy for ever', () =>
  assertKept(
    [
      {
        kind: 'create-topic',
        options: {
          name: 'orders',
          retention: 'queue',
          deadLetter: { to: 'letters', causes: ['expired'] },
        },
      },
      { kind: 'create-group', topic: 'orders', options: { name: 'a' } },
      publish('orders', { id: 1, key: 'k.1', bytes: 600, ttlMs: 3000 }),
      { kind: 'checkpoint' },
      { kind: 'stop', downMs: 1, look: false },
      { kind: 'fault', call: 'read', code: 'EIO', after: 0, count: 3 },
      { kind: 'attach', topic: 'orders', group: 'a', credit: 1 },
      { kind: 'wait', ms: 5000 },
    ],
    { tailCacheBytesMax: 0, readCacheBytesMax: 512, openFilesMax: 2 },
  ));

test('a message of one partition was delivered as one of another, in a topic with ageing', async () => {
  const { violations } = await run(generate(53011463)); // the seed that showed it
  assert.deepEqual(violations, []);
});
