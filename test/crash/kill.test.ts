import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { runKillCycles } from './kill-cycles.ts';

test('brokers killed under load from NATS, AMQP and SQS clients keep every promise they had made', async () => {
  await using directory = await makeTemporaryDirectory();
  const { violations, complaints, cycles, stored, readings, ofQueues } = await runKillCycles({
    cycles: 6,
    cyclesPerGeneration: 6,
    seed: 5,
    rate: 300,
    directory: directory.path,
  });
  assert.deepEqual({ violations, complaints }, { violations: [], complaints: [] });
  // Otherwise nothing was tried.
  assert.ok(cycles === 6 && stored > 50 && readings > 1, JSON.stringify({ cycles, stored, readings }));
  for (const { stored, acked } of Object.values(ofQueues))
    assert.ok(stored > 20 && acked > 20, JSON.stringify(ofQueues));
});
