/**
 * franz-go, the Go client, as a program of its own in `go/`. Skipped, visibly, where there is no Go or its
 * modules cannot be fetched.
 */
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GoProgram, useServer } from '../../support/index.ts';

// The Go sources are not compiled by tsc: dist*/test/interop/kafka -> test/interop/kafka/go.
const sources = fileURLToPath(new URL('../../../../test/interop/kafka/go/', import.meta.url));

describe('franz-go', { concurrency: 2, timeout: 300_000 }, () => {
  const server = useServer();
  let program: GoProgram | undefined;

  before(async () => {
    program = await GoProgram.build(sources);
  });
  after(() => program?.[Symbol.asyncDispose]());

  for (const scenario of ['produce', 'group', 'transactions', 'exactly-once']) {
    test(scenario, async (t) => {
      if (program!.skipReason !== undefined) return t.skip(program!.skipReason);
      await program!.play(`127.0.0.1:${server().kafkaPort}`, scenario);
    });
  }
});
