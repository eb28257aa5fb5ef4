import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from './history.ts';
import { generate } from './generator.ts';
import { catchStrays, run } from './run.ts';

catchStrays();

/** What a few lives have to show: otherwise the clients do too little. */
const wanted: readonly string[] = [
  'active',
  'answering ack',
  'answering of several',
  'answering reject',
  'answering requeue',
  'channel-prefetch',
  'consuming',
  'crashed',
  'dead-lettered',
  'getting',
  'given-back',
  'handed-over again',
  'mandatory',
  'published-to-all',
  'purge',
  'recovered',
  'refused-by-all',
  'returned',
  'stopped',
  'topic-deleted',
  'tx committed',
  'tx rollback',
];

test('AMQP clients do and hear everything in a few lives, and every promise is kept', async () => {
  const heard = new Set<string>();
  for (const seed of [68, 74, 84, 90, 100, 106, 116, 122, 132, 138, 148, 154]) {
    const script = generate(seed);
    assert.equal(script.door, 'amqp');
    const { violations, events } = await run(script);
    assert.deepEqual(violations, [], `npm run sim -- --replay ${seed} tells more`);
    for (const { fact } of events) heard.add(nameOf(fact));
  }
  assert.deepEqual(
    wanted.filter((name) => !heard.has(name)),
    [],
  );
});

function nameOf(fact: Fact): string {
  if (fact.kind === 'tx') return `tx ${fact.what}`;
  if (fact.kind === 'handed-over' && fact.redelivered) return 'handed-over again';
  if (fact.kind === 'answering') return fact.multiple ? 'answering of several' : `answering ${fact.answer}`;
  return fact.kind;
}

test('a message that went back to its queue as its time was over was gone without a dead letter', async () => {
  const { violations } = await run(generate(11332)); // the seed that showed it
  assert.deepEqual(violations, []);
});
