import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate } from './generator.ts';
import type { Fact } from './history.ts';
import { catchStrays, run } from './run.ts';

catchStrays();

/** What a few lives have to show: otherwise the clients do too little. */
const wanted: readonly string[] = [
  'asked change',
  'asked create',
  'asked delete',
  'asked move',
  'asked purge',
  'asked receive',
  'asked send',
  'crashed',
  'done',
  'failed AWS.SimpleQueueService.MessageNotInflight',
  'failed InvalidParameterValue',
  'failed ReceiptHandleIsInvalid',
  'received',
  'received again',
  'sqs-left',
  'stopped',
];

// Seed 22 has shown that a message whose timeout is 0 came twice in one receive, seed 838 that the numbers of
// delayed messages began again after a purge.
test('SQS clients do and hear everything in a few lives, and every promise is kept', async () => {
  const heard = new Set<string>();
  for (const seed of [6, 22, 38, 54, 70, 86, 102, 118, 134, 150, 838]) {
    const script = generate(seed);
    assert.equal(script.door, 'sqs');
    const { violations, events } = await run(script);
    assert.deepEqual(violations, [], `npm run sim -- --replay ${seed} tells more`);
    for (const { fact } of events) for (const name of namesOf(fact)) heard.add(name);
  }
  assert.deepEqual(
    wanted.filter((name) => !heard.has(name)),
    [],
  );
});

function namesOf(fact: Fact): string[] {
  if (fact.kind === 'sqs-asked') return [`asked ${fact.ask.what}`];
  if (fact.kind !== 'sqs-told') return [fact.kind];
  const { results = [], seen = [] } = fact;
  return [
    ...results.map((result) => (result?.kind === 'failed' ? `failed ${result.code}` : 'done')),
    ...seen.map(({ count }) => (count > 1 ? 'received again' : 'received')),
  ];
}
