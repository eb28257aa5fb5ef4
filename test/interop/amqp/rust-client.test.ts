/** lapin, the Rust client, as a program of its own in `clients/rust`; LAPIN_CLIENT is the built one. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { useServer } from '../../support/index.ts';

const run = promisify(execFile);
const program = process.env['LAPIN_CLIENT'];
const skip =
  program === undefined ? 'LAPIN_CLIENT is not set' : existsSync(program) ? false : `there is no ${program}`;

describe('lapin', { skip, timeout: 120_000 }, () => {
  const server = useServer();

  test('publishes with confirms, consumes with a prefetch, requeues and rejects', async () => {
    await run(program!, [String(server().amqpPort)], { timeout: 60_000 });
  });
});
