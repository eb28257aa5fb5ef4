import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AlarmState } from '../../../src/server/alarms/alarm-state.ts';
import type { Rule } from '../../../src/server/alarms/rules.ts';

const above: Rule = {
  of: 'group',
  unit: 'count',
  when: 'above',
  ease: 0.8,
  defaults: { warning: 10, critical: 100, forMs: 2, clearMs: 3 },
};
const below: Rule = { ...above, when: 'below', ease: 1.5, defaults: { warning: 10, forMs: 0, clearMs: 0 } };

/** The states after each value, one a millisecond. */
function statesOf(rule: Rule, values: readonly (number | undefined)[]): string[] {
  const state = new AlarmState();
  return values.map((value, at) => {
    const change = state.judge(value, rule, rule.defaults, { wallMs: 1000 + at, monotonicMs: at });
    return [state.state === 'ok' ? 'ok' : `${state.state} ${state.level}`, ...(change ? [change] : [])].join(
      ', ',
    );
  });
}

describe('an alarm', () => {
  test('fires after its time, and ends after another time well within its threshold', () => {
    assert.deepEqual(statesOf(above, [9, 10, 11, 12, 9, 8, 7, 9, 7, 7, 7, 7]), [
      'ok',
      'pending warning',
      'pending warning',
      'firing warning, fired',
      'firing warning', // within the threshold, but not by a fifth
      'firing warning',
      'firing warning',
      'firing warning', // begins the wait again
      'firing warning',
      'firing warning',
      'firing warning',
      'ok, resolved',
    ]);
  });

  test('is forgotten if it was pending only', () => {
    assert.deepEqual(statesOf(above, [10, 10, 9, 10]), [
      'pending warning',
      'pending warning',
      'ok',
      'pending warning',
    ]);
  });

  test('worsens and eases, each after its time', () => {
    assert.deepEqual(statesOf(above, [100, 100, 100, 50, 50, 50, 50, 100, 100, 100, undefined]), [
      'pending critical',
      'pending critical',
      'firing critical, fired',
      'firing critical',
      'firing critical',
      'firing critical',
      'firing warning, eased',
      'firing warning',
      'firing warning',
      'firing critical, worsened',
      'firing critical',
    ]);
  });

  test('of a rule for small values ends above its threshold', () => {
    assert.deepEqual(statesOf(below, [11, 10, 14, 15, 16, undefined]), [
      'ok',
      'firing warning, fired',
      'firing warning',
      'firing warning',
      'ok, resolved',
      'ok',
    ]);
  });
});
