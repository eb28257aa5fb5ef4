/**
 * The same requests to our server and to nats-server, and their answers side by side. Skipped, visibly,
 * without nats-server.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { comparedPath } from '../../support/index.ts';
import { play } from './api-player.ts';
import { steps, type Step } from './api-table.ts';

describe('answers of the JetStream API', { timeout: 300_000 }, () => {
  let ours: readonly unknown[] = [];
  let theirs: readonly unknown[] = [];

  before(async () => {
    if (comparedPath === undefined) return;
    ours = await play('pillarbox');
    theirs = await play('nats-server');
  });

  for (const [index, step] of steps.entries()) {
    test(`${index}: ${describeStep(step)}`, (t) => {
      if (comparedPath === undefined) return t.skip('there is no nats-server: set NATS_SERVER to its path');
      if (step.differs !== undefined) return t.skip(step.differs);
      assert.deepEqual(ours[index], theirs[index]);
    });
  }
});

function describeStep(step: Step): string {
  return JSON.stringify(step).slice(0, 160);
}
