import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Broker, budgetLimits } from '../../src/broker/index.ts';
import { MemoryFiles } from '../../src/log/index.ts';
import { VirtualClock } from '../../src/util/index.ts';
import { memoryForObjectsBytes, memoryLimitBytes, oldSpaceSizeOf } from '../../src/util/machine-memory.ts';

test('the size of the old generation is read from the options of Node, and the last one counts', () => {
  assert.equal(oldSpaceSizeOf('--enable-source-maps'), Infinity);
  assert.equal(oldSpaceSizeOf('--max-old-space-size=256'), 256 * 2 ** 20);
  assert.equal(oldSpaceSizeOf('--max_old_space_size 512 --max-old-space-size=300 x'), 300 * 2 ** 20);
});

test('in a container of 256 MiB the budgets of a broker are those of 256 MiB', async () => {
  const limit = 256 * 2 ** 20;
  const constrained = mock.method(process, 'constrainedMemory', () => limit);
  try {
    assert.equal(memoryLimitBytes(), limit);
    assert.equal(memoryForObjectsBytes(), limit);
    const broker = await Broker.open({ dir: 'data', files: new MemoryFiles(), clock: new VirtualClock() });
    const limits = Object.fromEntries(
      Object.entries(broker.stats().budgets).map(([name, budget]) => [name, budget.limit]),
    );
    await broker.close();
    assert.deepEqual(limits, budgetLimits(limit));
    assert.ok(limits['subscriptions'] < budgetLimits(2 ** 30).subscriptions);
  } finally {
    constrained.mock.restore();
  }
});
