import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { limitsCases, runLimits } from './limits.ts';
import { missing } from './tools.ts';

const reason = missing('bash');
for (const limits of limitsCases.slice(0, 2))
  test(
    `a broker with ${limits.name} outlives idle connections and serves the next clients`,
    {
      skip: reason ?? false,
    },
    async () => {
      await using directory = await makeTemporaryDirectory();
      const { acked, refused, problems } = await runLimits(limits, directory.path);
      assert.deepEqual(problems, []);
      assert.ok(acked >= 20);
      assert.ok(refused > 0);
    },
  );
