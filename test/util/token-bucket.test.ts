import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom, TokenBucket } from '../../src/util/index.ts';

test('starts full, and gains tokens with time up to the burst', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 1000);
  for (let i = 0; i < 3; i++) {
    assert.equal(bucket.has(1000), true);
    bucket.take(1000);
  }
  assert.equal(bucket.has(1000), false);
  assert.equal(bucket.waitMs(1000), 100);
  assert.equal(bucket.has(1099), false);
  assert.equal(bucket.has(1100), true);
  assert.equal(bucket.isFull(1299), false);
  assert.equal(bucket.isFull(1300), true);
  assert.equal(bucket.has(1_000_000, 3), true);
  bucket.take(1_000_000, 3);
  assert.equal(bucket.has(1_000_000), false, 'no more than the burst was saved up');
});

test('a rate may be less than one in a second', () => {
  const bucket = new TokenBucket({ perSecond: 0.5, burst: 1 }, 0);
  bucket.take(0);
  assert.equal(bucket.waitMs(0), 2000);
  assert.equal(bucket.waitMs(1500), 500);
  assert.equal(bucket.has(2000), true);
});

test('more than the burst at once needs a full bucket and leaves a debt', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
  bucket.take(0);
  assert.equal(bucket.has(0, 20), false);
  assert.equal(bucket.waitMs(0, 20), 100);
  assert.equal(bucket.has(100, 20), true);
  bucket.take(100, 20);
  assert.equal(bucket.waitMs(100), 1600);
  assert.equal(bucket.has(1699), false);
  assert.equal(bucket.has(1700), true);
});

test('tokens that are given back can be taken again, and fill no more than the burst', () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 }, 0);
  bucket.take(0, 2);
  bucket.giveBack();
  assert.equal(bucket.has(0), true);
  assert.equal(bucket.has(0, 2), false);
  bucket.giveBack(5);
  bucket.take(0, 2);
  assert.equal(bucket.has(0), false);
});

test('a change counts from now on', () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 10 }, 0);
  bucket.take(0, 10);
  bucket.change({ perSecond: 100, burst: 2 }, 500);
  assert.deepEqual(bucket.limit, { perSecond: 100, burst: 2 });
  assert.equal(bucket.has(500, 2), true, 'five were gained at the old rate, two are kept');
  bucket.take(500, 2);
  assert.equal(bucket.waitMs(500), 10);
  bucket.take(500, 3);
  bucket.change({ perSecond: 1, burst: 10 }, 500);
  assert.equal(bucket.waitMs(500), 4000, 'a debt stays');
});

test('after the wait the tokens are there, or the next wait is a millisecond', () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 2000; round++) {
    const limit = { perSecond: 0.01 + random.next() * 5000, burst: 1 + Math.floor(random.next() * 50) };
    let nowMs = random.next() * 1e9;
    const bucket = new TokenBucket(limit, nowMs);
    bucket.take(nowMs, Math.floor(random.next() * 100));
    const count = 1 + Math.floor(random.next() * 60);
    nowMs += bucket.waitMs(nowMs, count);
    assert.ok(bucket.waitMs(nowMs, count) <= 1);
    assert.equal(bucket.has(nowMs + 1, count), true);
  }
});

test('in any window no more is taken than the burst and the rate allow', () => {
  const random = new SeededRandom(11);
  const limit = { perSecond: 40, burst: 7 };
  const bucket = new TokenBucket(limit, 0);
  const taken: number[] = [];
  for (let nowMs = 0; nowMs < 60_000; nowMs += random.next() * 60) {
    if (!bucket.has(nowMs)) continue;
    bucket.take(nowMs);
    taken.push(nowMs);
  }
  for (let from = 0; from < taken.length; from++)
    for (let to = from; to < Math.min(taken.length, from + 300); to++) {
      const allowed = limit.burst + ((taken[to]! - taken[from]!) / 1000) * limit.perSecond;
      assert.ok(to - from + 1 <= allowed + 1e-6, `${to - from + 1} taken, ${allowed} allowed`);
    }
  assert.ok(taken.length > 60 * 40 * 0.4);
});
