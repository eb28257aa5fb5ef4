import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTemporaryDirectory } from '../support/index.ts';
import { costlyInputs } from './costly/index.ts';
import { play } from './costly/play.ts';

/** Of `npm run storm -- --each`: inputs that once blocked all clients for longest. */
const names = [
  'Kafka Metadata v1, 32 MiB of empty names',
  'Kafka DescribeGroups v0, 4 MiB of empty names',
  'Kafka ConsumerGroupHeartbeat, (a*){1200} over 20 topics',
  'Kafka Produce, three zstd batches of 0.9 MB full of tables, and a browse',
  'NATS STREAM.INFO with 10,000 subjects, 100 times at once',
];
/** Generous: `--each` judges by 200 ms. */
const waitMsMax = 1500;

for (const name of names)
  test(`others are served meanwhile: ${name}`, async () => {
    const input = costlyInputs.find((each) => each.name === name);
    assert.ok(input, 'it is in the table');
    await using directory = await makeTemporaryDirectory('pillarbox-costly-');
    const dataDirectory = join(directory.path, 'data');
    await mkdir(dataDirectory);
    const args = ['--log-level', 'error', '--disk-free-min', '0'];
    const { outcome, longestMs } = await play(input, {
      dataDirectory,
      workDirectory: directory.path,
      args,
    });
    assert.ok(outcome === 'answered' || outcome === 'closed', outcome);
    assert.ok(longestMs.processor < waitMsMax, `${longestMs.processor} ms of the broker's processor time`);
  });
