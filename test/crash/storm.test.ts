import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { amqpCanarySteps } from './amqp-canary.ts';
import { canarySteps } from './canary.ts';
import { kafkaCanarySteps } from './kafka-canary.ts';
import { sqsCanarySteps } from './sqs-canary.ts';
import { runStorm } from './storm.ts';

test('a client among hostile ones is served, and the server neither ends nor grows without bound', async () => {
  await using directory = await makeTemporaryDirectory();
  const result = await runStorm({ directory: directory.path, seed: 7, seconds: 2, roundsMin: 20 });
  assert.deepEqual(result.problems, []);
  for (const step of canarySteps) assert.ok(result.canary.timesMs[step].length > 0, step);
  for (const step of kafkaCanarySteps) assert.ok(result.kafkaCanary.timesMs[step].length > 0, step);
  for (const step of amqpCanarySteps) assert.ok(result.amqpCanary.timesMs[step].length > 0, step);
  for (const step of sqsCanarySteps) assert.ok(result.sqsCanary.timesMs[step].length > 0, step);
  assert.ok(result.rssMaxMib < 1024, `${result.rssMaxMib} MiB`);
  const silent = result.attacks.filter(({ counts }) => counts.connections === 0).map(({ name }) => name);
  assert.deepEqual(silent, []);
});
