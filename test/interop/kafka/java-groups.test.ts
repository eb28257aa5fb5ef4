/**
 * Groups through the Java client, which alone speaks KIP-848 and share groups to the full. Needs a JDK, and
 * in KAFKA_CLIENTS_JARS a folder with the jars of kafka-clients 4.2 or later and its dependencies.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type TemporaryDirectory, makeTemporaryDirectory, useServer } from '../../support/index.ts';

const run = promisify(execFile);
const jars = process.env['KAFKA_CLIENTS_JARS'];
const skip =
  jars === undefined ? 'KAFKA_CLIENTS_JARS is not set' : existsSync(jars) ? false : `there is no ${jars}`;
const source = join('test', 'interop', 'kafka', 'java', 'Groups.java');

describe('the Java client', { skip, timeout: 180_000 }, () => {
  const server = useServer();
  let classes: TemporaryDirectory;
  before(async () => {
    classes = await makeTemporaryDirectory();
    await run('javac', ['-cp', `${jars}/*`, '-d', classes.path, source]);
  });
  after(async () => {
    await classes?.[Symbol.asyncDispose]();
  });

  /** The results of the scenario, by key. */
  const scenario = async (name: string): Promise<{ readonly [key: string]: string }> => {
    const classPath = `${classes.path}:${jars}/*`;
    const address = `127.0.0.1:${server().kafkaPort}`;
    const { stdout } = await run('java', ['-cp', classPath, 'Groups', address, name], { timeout: 90_000 });
    const lines = stdout.trim().split('\n');
    assert.equal(lines.pop(), 'done');
    return Object.fromEntries(
      lines.map((line) => [line.split(' ', 1)[0]!, line.slice(line.indexOf(' ') + 1)]),
    );
  };

  for (const protocol of ['classic', 'consumer']) {
    test(`group.protocol=${protocol}: members share partitions, nothing is lost or read twice, one takes over`, async () => {
      assert.deepEqual(await scenario(protocol), {
        type: protocol === 'classic' ? 'Classic' : 'Consumer',
        state: 'Stable',
        members: '2',
        listed: `[g-${protocol}]`,
        seen: '150',
        deliveries: '250',
        committed: '250',
        groups: '0',
      });
    });
  }

  test('a subscription by expression is followed by the broker', async () => {
    assert.deepEqual(await scenario('pattern'), { assignment: '[pattern-a-0, pattern-b-0]' });
  });

  test('a share group accepts, releases and rejects record by record; a rejected one is a dead letter', async () => {
    assert.deepEqual(await scenario('share'), {
      accepted: '[0, 1, 2, 4, 5, 6, 7, 8, 9]',
      again: '[5 x1, 5 x2]',
      state: 'Stable',
      members: '1',
      letters: '[3 rejected]',
      implicit: '40 40',
    });
  });
});
