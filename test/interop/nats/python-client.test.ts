/**
 * nats-py, by the defaults of its client. Needs a python3 that has nats-py 2.13 or later; NATS_PY_PYTHONPATH
 * may name a folder to find it in.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { useServer } from '../../support/index.ts';

const run = promisify(execFile);
// The Python sources are not compiled by tsc: dist*/test/interop/nats -> test/interop/nats/python.
const script = fileURLToPath(new URL('../../../../test/interop/nats/python/client.py', import.meta.url));
const folder = process.env['NATS_PY_PYTHONPATH'];
const env = {
  ...process.env,
  PYTHONDONTWRITEBYTECODE: '1',
  ...(folder === undefined ? {} : { PYTHONPATH: folder }),
};
const hasClient = 'import nats.js.api as a; assert "allow_direct" in a.StreamConfig.__dataclass_fields__';
const skip =
  spawnSync('python3', ['-c', hasClient], { env }).status === 0
    ? false
    : 'there is no python3 with nats-py 2.13';

const scenarios = ['core', 'key-value', 'pull', 'push', 'objects'];

describe('nats-py', { skip, timeout: 300_000 }, () => {
  const server = useServer();

  for (const scenario of scenarios) {
    test(scenario, async () => {
      const { stdout } = await run('python3', [script, server().natsAddress, scenario], {
        env,
        timeout: 90_000,
      });
      assert.equal(stdout.trim().split('\n').at(-1), 'done');
    });
  }
});
