/**
 * Frameworks on amqplib, each a program of its own in `clients/`: rascal, NestJS's RMQ transport and
 * @golevelup/nestjs-rabbitmq. RASCAL, NESTJS and GOLEVELUP are the folders that they were installed in.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { useServer } from '../../support/index.ts';

const run = promisify(execFile);
// The programs are not compiled by tsc: dist*/test/interop/amqp -> test/interop/amqp/clients.
const clients = fileURLToPath(new URL('../../../../test/interop/amqp/clients/', import.meta.url));

const programs = [
  { title: 'rascal', script: 'rascal.mjs', variable: 'RASCAL' },
  { title: "NestJS's RMQ transport", script: 'nest.mjs', variable: 'NESTJS' },
  { title: '@golevelup/nestjs-rabbitmq', script: 'golevelup.mjs', variable: 'GOLEVELUP' },
] as const;

describe('frameworks', { timeout: 300_000 }, () => {
  const server = useServer();

  for (const { title, script, variable } of programs) {
    const folder = process.env[variable];
    const skip =
      folder === undefined ? `${variable} is not set` : existsSync(folder) ? false : `there is no ${folder}`;

    test(title, { skip }, async () => {
      const args = [`${clients}${script}`, folder!, String(server().amqpPort)];
      const { stdout } = await run(process.execPath, args, { timeout: 90_000 });
      assert.equal(stdout.trim().split('\n').at(-1), 'done');
    });
  }
});
