/**
 * Transactions through the Java client, which alone raises its epoch with every transaction (KIP-890). Needs
 * a JDK, and in KAFKA_CLIENTS_JARS a folder with the jars of kafka-clients 4.0 or later and its dependencies.
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
const source = join('test', 'interop', 'kafka', 'java', 'Transactions.java');

describe('the Java client', { skip, timeout: 300_000 }, () => {
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
    const { stdout } = await run('java', ['-cp', classPath, 'Transactions', address, name], {
      timeout: 120_000,
    });
    const lines = stdout.trim().split('\n');
    assert.equal(lines.pop(), 'done');
    return Object.fromEntries(
      lines.map((line) => [line.split(' ', 1)[0]!, line.slice(line.indexOf(' ') + 1)]),
    );
  };

  test('commits and aborts, and readers of committed messages see the committed ones', async () => {
    assert.deepEqual(await scenario('outcomes'), {
      feature: '2',
      orders: '80',
      bills: '40',
      last: 'open',
      undecided: '1',
      after: '41',
    });
  });

  test('is fenced by the next producer of its transactional id', async () => {
    assert.deepEqual(await scenario('fencing'), { fenced: 'yes', values: '[new]' });
  });

  test('is told that its transaction took too long', async () => {
    assert.deepEqual(await scenario('timeout'), { commit: 'was refused', values: '[next]' });
  });

  test('transforms exactly once, across rebalances and a transformer that leaves in the middle', async () => {
    assert.deepEqual(await scenario('exactly-once'), { distinct: '2000', twice: '0', committed: '2000' });
  });
});
