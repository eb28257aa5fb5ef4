import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { runFullDisk } from './full-disk.ts';
import { missing } from './tools.ts';

test(
  'on a full disk publishes are refused, consumers go on, and room lets publishes in again without a restart',
  { skip: missing('root', 'mount') ?? false },
  async () => {
    await using directory = await makeTemporaryDirectory();
    const result = await runFullDisk({
      fileSystem: 'tmpfs',
      diskFreeMin: '16MiB',
      directory: directory.path,
    });
    assert.deepEqual(result.violations, []);
    assert.equal(result.refusal, '10047 insufficient storage resources available');
    assert.ok(result.drainedWhileFull > 0 && result.storedAfter > 0);
    for (const { drainedWhileFull } of Object.values(result.ofQueues)) assert.ok(drainedWhileFull > 0);
  },
);
