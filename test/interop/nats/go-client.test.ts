/**
 * The Go client, as a program of its own in `go/`. Skipped, visibly, where there is no Go or its modules
 * cannot be fetched.
 */
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GoProgram, useServer } from '../../support/index.ts';

// The Go sources are not compiled by tsc: dist*/test/interop/nats -> test/interop/nats/go.
const sources = fileURLToPath(new URL('../../../../test/interop/nats/go/', import.meta.url));

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
  'jetstream-pinned',
];

describe('the Go client', { concurrency: 4, timeout: 300_000 }, () => {
  const server = useServer();
  let program: GoProgram | undefined;

  before(async () => {
    program = await GoProgram.build(sources);
  });
  after(() => program?.[Symbol.asyncDispose]());

  for (const scenario of scenarios) {
    test(scenario, async (t) => {
      if (program!.skipReason !== undefined) return t.skip(program!.skipReason);
      await program!.play(server().natsAddress, scenario);
    });
  }
});
