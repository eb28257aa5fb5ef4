/**
 * amqp091-go, the Go client, as a program of its own in `clients/go`. Skipped, visibly, where there is no Go
 * or its module cannot be fetched.
 */
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GoProgram, useServer } from '../../support/index.ts';

// The Go sources are not compiled by tsc: dist*/test/interop/amqp -> test/interop/amqp/clients/go.
const sources = fileURLToPath(new URL('../../../../test/interop/amqp/clients/go/', import.meta.url));

describe('amqp091-go', { concurrency: 2, timeout: 300_000 }, () => {
  const server = useServer();
  let program: GoProgram | undefined;

  before(async () => {
    program = await GoProgram.build(sources);
  });
  after(() => program?.[Symbol.asyncDispose]());

  for (const scenario of ['work', 'rpc', 'reconnect']) {
    test(scenario, async (t) => {
      if (program!.skipReason !== undefined) return t.skip(program!.skipReason);
      await program!.play(String(server().amqpPort), String(server().adminPort), scenario);
    });
  }
});
