import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noPostgres } from '../databases/postgres-server.ts';
import { runBank } from './bank.ts';

test(
  'money moves once while publishers, relays, consumers, broker and database are killed',
  { skip: noPostgres },
  async () => {
    const { violations, transfers } = await runBank({ rounds: 12, seed: 3, checkEvery: 3 });
    assert.deepEqual(violations, []);
    assert.ok(transfers > 50, String(transfers));
  },
);
