import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { runSyncFailure } from './sync-failures.ts';
import { missingStrace } from './tools.ts';

test(
  'a write of the journal that fails ends the process as documented, and nothing acked is lost',
  { skip: missingStrace() ?? false },
  async () => {
    // With luck the failure comes before one of the clients has stored anything: then a later one is tried.
    for (const when of [20, 30, 40]) {
      await using directory = await makeTemporaryDirectory();
      const injection = { call: 'pwrite64', when, kind: 'serve', error: 'EIO' } as const;
      const { violations, phase, end, stored, ofQueues } = await runSyncFailure(injection, directory.path);
      assert.deepEqual(violations, []);
      assert.deepEqual({ phase, end }, { phase: 'load', end: 70 });
      if (stored > 0 && ofQueues.amqp.stored > 0 && ofQueues.sqs.stored > 0) return;
    }
    assert.fail('no failure came after messages of all clients were stored');
  },
);
