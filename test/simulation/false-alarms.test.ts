import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixedScript } from './fixed-script.ts';
import { catchStrays, run } from './run.ts';
import type { Action, Operation } from './script.ts';

// Lives in which the checker once reported a broken promise though the broker was right.

catchStrays();

type Line = Action & { readonly steps?: number };

/** Little is cached, so that a move has to read the disk. */
const log = { ...fixedScript.log, tailCacheBytesMax: 0, readCacheBytesMax: 512 };

async function assertKept(lines: readonly Line[]): Promise<void> {
  for (const seed of [1, 2, 3, 4]) {
    const operations = lines.map((line, at): Operation => ({ steps: -1, ...line, turn: seed * 1000 + at }));
    const { violations } = await run({ seed, log, operations });
    assert.deepEqual(violations, []);
  }
}

const topic = 'orders';
const group = 'a';

for (const [what, limit] of [
  ['its key', { ordering: 'key' }],
  ['the last place in flight', { maxInFlight: 1 }],
] as const)
  test(`a message whose dead letter finds no room keeps ${what}`, () =>
    assertKept([
      { kind: 'create-topic', options: { name: topic } },
      {
        kind: 'create-group',
        topic,
        options: { name: group, maxDeliver: 1, deadLetter: 'letters', ...limit },
      },
      { kind: 'create-topic', options: { name: 'letters', messagesMax: 1, overflow: 'reject' } },
      { kind: 'publish', topic: 'letters', messages: [{ id: 1, key: null, bytes: 0 }] },
      { kind: 'attach', topic, group, credit: 20 },
      { kind: 'publish', topic, messages: [2, 3].map((id) => ({ id, key: 'k.1', bytes: 0 })) },
      { kind: 'answer', topic, group, answer: 'nack', pick: 0, count: 1 },
    ]));

test('a release that a crash took does not count, though a later one does', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic } },
    {
      kind: 'create-group',
      topic,
      options: { name: group, ackWaitMs: 1000, maxDeliver: 1, deadLetter: 'letters' },
    },
    { kind: 'publish', topic, messages: [{ id: 1, key: null, bytes: 0 }] },
    { kind: 'attach', topic, group, credit: 1 },
    { kind: 'release', topic, group, partition: 0 },
    { kind: 'crash', power: false, downMs: 1, again: [], look: true },
    { kind: 'attach', topic, group, credit: 2 },
    { kind: 'release', topic, group },
    { kind: 'wait', ms: 30_000 },
  ]));

test('a message that was put back pushes one out of its key, in flight or not', () =>
  assertKept([
    {
      kind: 'create-topic',
      options: { name: topic, retention: 'queue', overflow: 'wait', messagesPerKeyMax: 3 },
    },
    {
      kind: 'create-group',
      topic,
      options: { name: group, deadLetter: 'letters', ordering: 'key' },
    },
    { kind: 'attach', topic, group, credit: 20 },
    { kind: 'publish', topic, messages: [1, 2, 3].map((id) => ({ id, key: 'k.1', bytes: 0 })) },
    { kind: 'answer', topic, group, answer: 'reject', pick: 0, count: 1 },
    { kind: 'publish', topic, messages: [{ id: 4, key: 'k.1', bytes: 0 }] },
    { kind: 'redrive', topic: 'letters' },
  ]));

test('a dead letter of a dead letter is the copy that its first topic held', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic } },
    { kind: 'create-topic', options: { name: 'jobs' } },
    {
      kind: 'create-group',
      topic: 'jobs',
      options: { name: group, maxDeliver: 1, deadLetter: 'letters' },
    },
    { kind: 'attach', topic: 'jobs', group, credit: 1 },
    {
      kind: 'publish-to-all',
      mode: 'all-or-none',
      topics: [topic, 'jobs'],
      messages: [
        { id: 1, key: null, bytes: 0, copies: { orders: 1, jobs: 2 } },
        { id: 2, key: null, bytes: 0, copyOf: 1 },
      ],
    },
    { kind: 'answer', topic: 'jobs', group, answer: 'nack', pick: 0, count: 1 },
    {
      kind: 'create-group',
      topic: 'letters',
      options: { name: group, maxDeliver: 1, deadLetter: 'orders-letters' },
    },
    { kind: 'attach', topic: 'letters', group, credit: 1 },
    { kind: 'answer', topic: 'letters', group, answer: 'nack', pick: 0, count: 1 },
  ]));

for (const [what, line] of [
  ['a consumer gives back its messages', { kind: 'release', topic, group, steps: 0 }],
  [
    'a receipt settles its message',
    { kind: 'settle', topic, group, answer: 'ack', from: 'kept', pick: 0, count: 1, steps: 0 },
  ],
] as const)
  test(`${what} while its group is being moved`, () =>
    assertKept([
      { kind: 'create-topic', options: { name: topic } },
      { kind: 'create-group', topic, options: { name: group, maxDeliver: 1, filters: ['k.*'] } },
      { kind: 'publish', topic, messages: [1, 2, 3].map((id) => ({ id, key: `k.${id}`, bytes: 600 })) },
      { kind: 'stop', downMs: 1, look: false },
      { kind: 'attach', topic, group, credit: 2 },
      { kind: 'reset-group', topic, group, start: { kind: 'last' }, steps: 0 },
      line,
      { kind: 'crash', power: true, downMs: 1, again: [], look: true },
      { kind: 'attach', topic, group, credit: 2 },
    ]));

test('a schedule that is defined anew stays paused', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic } },
    {
      kind: 'schedule',
      name: 'ping',
      topic,
      messages: [{ id: 1, key: null, bytes: 0 }],
      everyMs: 5000,
      missed: 'once',
    },
    { kind: 'control-schedule', name: 'ping', what: 'pause' },
    {
      kind: 'schedule',
      name: 'ping',
      topic,
      messages: [{ id: 2, key: null, bytes: 0 }],
      everyMs: 1000,
      missed: 'once',
    },
  ]));

test('each run of a schedule may push a message out, in flight or not', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic, messagesMax: 3 } },
    { kind: 'create-group', topic, options: { name: group, maxInFlight: 1 } },
    {
      kind: 'schedule',
      name: 'ping',
      topic,
      messages: [{ id: 1, key: null, bytes: 0 }],
      everyMs: 5000,
      missed: 'once',
    },
    { kind: 'attach', topic, group, credit: 20 },
    { kind: 'wait', ms: 26_000 },
  ]));

test('the runs of a schedule push out messages of a topic in memory after a restart, too', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic, durability: 'memory', messagesMax: 7 } },
    { kind: 'create-group', topic, options: { name: group, ordering: 'key' } },
    {
      kind: 'schedule',
      name: 'ping',
      topic,
      messages: [{ id: 1, key: null, bytes: 20, isBare: true }],
      everyMs: 1000,
      missed: 'skip',
    },
    { kind: 'crash', power: false, downMs: 1, again: [], look: false },
    { kind: 'publish', topic, messages: [2, 3].map((id) => ({ id, key: 'k.2', bytes: 0 })) },
    { kind: 'attach', topic, group, credit: 1000, ackWaitMs: 500 },
    { kind: 'wait', ms: 8000 },
  ]));

test('a crash that took the change to a single active consumer leaves none active', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic } },
    { kind: 'create-group', topic, options: { name: group } },
    { kind: 'update-group', topic, group, change: { activeConsumers: 'single' }, steps: 1 },
    { kind: 'crash', power: false, downMs: 1, again: [], look: true },
    { kind: 'attach', topic, group, credit: 1 },
  ]));

test('a schedule that was paused twice runs when it is resumed once', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic } },
    {
      kind: 'schedule',
      name: 'hourly',
      topic,
      messages: [{ id: 1, key: null, bytes: 20, isBare: true }],
      everyMs: 20_000,
      missed: 'skip',
    },
    { kind: 'control-schedule', name: 'hourly', what: 'pause' },
    { kind: 'control-schedule', name: 'hourly', what: 'pause' },
    { kind: 'control-schedule', name: 'hourly', what: 'resume' },
  ]));

test('a purge passes over delayed messages that it cannot read', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic } },
    {
      kind: 'publish',
      topic,
      messages: [
        { id: 1, key: 'k.1', bytes: 0, delayMs: 50 },
        { id: 2, key: 'j.1', bytes: 0, delayMs: 40_000 },
      ],
    },
    { kind: 'checkpoint' },
    { kind: 'fault', call: 'read', code: 'EIO', after: 0, count: 3 },
    { kind: 'wait', ms: 200 },
    { kind: 'purge', topic, partition: 0, pattern: '*.1' },
  ]));

test('in the line of a key its order counts, and not the order in which messages were given back', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic } },
    { kind: 'create-group', topic, options: { name: group, ordering: 'key', keyRunMax: 3 } },
    { kind: 'publish', topic, messages: [{ id: 27, key: 'j.1', bytes: 0 }] },
    { kind: 'publish', topic, messages: [{ id: 28, key: 'j.1', bytes: 2211 }] },
    { kind: 'attach', topic, group, credit: 20, ackWaitMs: 5000 },
    { kind: 'checkpoint', steps: 2 },
    { kind: 'release', topic, group, steps: 8 }, // the second one is still being read when the first goes out
    { kind: 'detach', topic, group, held: 'release' },
  ]));

test('behind a message of before the clock was set back another stays longer, too', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic, ageMsMax: 60_000 } },
    { kind: 'publish', topic, messages: [{ id: 1, key: 'k.1', bytes: 0 }] },
    { kind: 'set-clock', byMs: -60_331, down: 'crash' },
    { kind: 'publish', topic, messages: [{ id: 2, key: 'k.1', bytes: 0 }] },
  ]));

test('a reading of a clock that was set back while no broker was up is of now', () =>
  assertKept([
    { kind: 'create-topic', options: { name: topic, overflow: 'reject' } },
    { kind: 'create-group', topic, options: { name: group } },
    { kind: 'set-clock', byMs: -4137 },
    { kind: 'set-clock', byMs: -93_600_719, down: 'stop' },
    { kind: 'attach', topic, group, credit: 20 },
    { kind: 'publish', topic, messages: [{ id: 1, key: 'k.3', bytes: 0, delayMs: 40_000, ttlMs: 500 }] },
    { kind: 'wait', ms: 50_000 },
  ]));
