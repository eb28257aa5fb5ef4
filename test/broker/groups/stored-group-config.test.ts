import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupConfig, storedGroupConfig } from '../../../src/broker/groups/group-config.ts';

test('a stored configuration with the old name of backoffMeans reads as the new one', () => {
  const { backoffMeans, ...config } = groupConfig({ name: 'g', backoffMs: [10] });
  assert.equal(backoffMeans, 'wait');
  for (const [backoffReplacesDeadline, expected] of [
    [true, 'deadline'],
    [false, 'wait'],
  ] as const) {
    const read = storedGroupConfig({ ...config, backoffReplacesDeadline });
    assert.deepEqual(read, { ...config, backoffMeans: expected });
  }
  assert.deepEqual(storedGroupConfig({ ...config, backoffMeans: 'deadline' }), {
    ...config,
    backoffMeans: 'deadline',
  });
});
