import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { runPowerLosses } from './power-losses.ts';
import { recordedDiskNeeds } from './recorded-disk.ts';
import { missing } from './tools.ts';

test(
  'when the power goes, what was acked is on the disk; a disk that lied is found out',
  { skip: missing(...recordedDiskNeeds) ?? false },
  async () => {
    const options = { seed: 3, kind: 'small', seconds: 3 } as const;
    {
      await using directory = await makeTemporaryDirectory();
      const result = await runPowerLosses({ ...options, cycles: 3, directory: directory.path });
      assert.deepEqual([result.violations, result.complaints], [[], []]);
      assert.ok(result.storedChecked > 0 && result.cycles === 3);
      for (const { stored } of Object.values(result.queuesChecked)) assert.ok(stored > 0);
    }
    await using directory = await makeTemporaryDirectory();
    const lie = await runPowerLosses({ ...options, cycles: 20, lieEvents: 60, directory: directory.path });
    assert.ok(lie.violations.some(({ rule }) => rule === 'nothing acked is missing'));
  },
);
