/**
 * The Java client and Spring AMQP. They need a JDK, and in RABBITMQ_JAVA_JARS a folder with the jars of
 * amqp-client, spring-rabbit and their dependencies.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type TemporaryDirectory, makeTemporaryDirectory, useServer } from '../../support/index.ts';

const run = promisify(execFile);
const jars = process.env['RABBITMQ_JAVA_JARS'];
const skip =
  jars === undefined ? 'RABBITMQ_JAVA_JARS is not set' : existsSync(jars) ? false : `there is no ${jars}`;
// The Java sources are not compiled by tsc: dist*/test/interop/amqp -> test/interop/amqp/clients/java.
const sources = fileURLToPath(new URL('../../../../test/interop/amqp/clients/java/', import.meta.url));

describe('clients in Java', { skip, timeout: 300_000 }, () => {
  const server = useServer();
  let classes: TemporaryDirectory;
  before(async () => {
    classes = await makeTemporaryDirectory();
    const files = [`${sources}JavaClient.java`, `${sources}SpringClient.java`];
    await run('javac', ['-parameters', '-cp', `${jars}/*`, '-d', classes.path, ...files]);
  });
  after(async () => {
    await classes?.[Symbol.asyncDispose]();
  });

  async function play(program: string, ...scenario: readonly string[]): Promise<void> {
    const ports = [String(server().amqpPort), String(server().adminPort)];
    const args = ['-cp', `${classes.path}:${jars}/*`, program, ...ports, ...scenario];
    const { stdout } = await run('java', args, { timeout: 90_000 });
    assert.equal(stdout.trim().split('\n').at(-1), 'done');
  }

  for (const scenario of ['work', 'rpc', 'direct-reply', 'recovery'])
    test(`the Java client: ${scenario}`, () => play('JavaClient', scenario));

  test('Spring AMQP: listeners, confirms, returns, dead letters, a call', () => play('SpringClient'));
});
