/**
 * The Go client, as a program of its own in `go/`. Skipped, visibly, where there is no Go or its modules
 * cannot be fetched.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type TemporaryDirectory, makeTemporaryDirectory, useServer } from '../../support/index.ts';

const run = promisify(execFile);

// The Go sources are not compiled by tsc: dist*/test/interop/nats -> test/interop/nats/go.
const sourceDirectory = fileURLToPath(new URL('../../../../test/interop/nats/go/', import.meta.url));

const DOWNLOAD_TIMEOUT_MS = 60_000;
const BUILD_TIMEOUT_MS = 180_000;
const SCENARIO_TIMEOUT_MS = 60_000;

const scenarios = [
  'core',
  'legacy-publish',
  'legacy-subscribe',
  'legacy-pull',
  'legacy-key-value',
  'jetstream-streams',
  'jetstream-consume',
  'jetstream-ordered',
  'jetstream-values',
];

interface ProcessError extends Error {
  readonly stderr?: string;
}

describe('the Go client', { concurrency: 4, timeout: 300_000 }, () => {
  const server = useServer();
  let directory: TemporaryDirectory | undefined;
  let program = '';
  let skipReason: string | undefined;

  const go = (args: readonly string[], timeout: number): Promise<unknown> =>
    run('go', args, {
      cwd: sourceDirectory,
      timeout,
      env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly -buildvcs=false' },
    });

  before(async () => {
    try {
      await go(['version'], DOWNLOAD_TIMEOUT_MS);
    } catch {
      skipReason = 'go is not installed';
      return;
    }
    try {
      await go(['mod', 'download'], DOWNLOAD_TIMEOUT_MS);
    } catch (error) {
      skipReason = `the Go modules cannot be fetched: ${(error as ProcessError).stderr?.trim().split('\n').at(-1) ?? String(error)}`;
      return;
    }
    directory = await makeTemporaryDirectory();
    program = join(directory.path, 'client');
    await go(['build', '-o', program, '.'], BUILD_TIMEOUT_MS);
  });
  after(async () => {
    await directory?.[Symbol.asyncDispose]();
  });

  for (const scenario of scenarios) {
    test(scenario, async (t) => {
      if (skipReason !== undefined) return t.skip(skipReason);
      await run(program, [server().natsAddress, scenario], { timeout: SCENARIO_TIMEOUT_MS }).catch(
        (error: ProcessError) => {
          assert.fail(error.stderr?.trim() || error.message);
        },
      );
    });
  }
});
