import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ResponsePermits } from '../../../src/protocols/nats/response-permits.ts';
import { VirtualClock } from '../../../src/util/index.ts';

describe('permission to answer', () => {
  test('lasts for so many answers and so long', () => {
    const clock = new VirtualClock();
    const permits = new ResponsePermits({ max: 2, expiresMs: 1000 }, clock);
    permits.add('a');
    permits.add('b');
    assert.deepEqual([permits.take('a'), permits.take('a'), permits.take('a')], [true, true, false]);
    clock.advance(1000);
    assert.equal(permits.take('b'), true);
    clock.advance(1);
    assert.equal(permits.take('b'), false);
    assert.equal(permits.take('c'), false);
  });

  test('without limits lasts', () => {
    const clock = new VirtualClock();
    const permits = new ResponsePermits({ max: 0, expiresMs: 0 }, clock);
    permits.add('a');
    clock.advance(1e9);
    for (let at = 0; at < 100; at++) assert.equal(permits.take('a'), true);
  });

  test('is forgotten for the oldest of too many requests', () => {
    const permits = new ResponsePermits({ max: 1, expiresMs: 0 }, new VirtualClock());
    for (let at = 0; at < 5000; at++) permits.add(`r.${at}`);
    assert.deepEqual([permits.take('r.0'), permits.take('r.4999')], [false, true]);
  });
});
