import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDrained, checkPending, checkReading, type Kept } from './checker.ts';
import type { Event } from './event-log.ts';
import { History, type Rule, type Sighting } from './history.ts';

const stream = 'S';
let ns = 0;
const intent = (id: string, subject = 'a'): Event => ({
  kind: 'intent',
  ns: ++ns,
  stream,
  id,
  subject,
  hash: `h${id}`,
});
const stored = (id: string, seq: number): Event => ({ kind: 'stored', ns: ++ns, stream, id, seq });
const delivered = (id: string, seq: number): Event => ({
  kind: 'delivered',
  ns: ++ns,
  stream,
  seq,
  id,
  subject: 'a',
  hash: `h${id}`,
});
const connected = (): Event => ({ kind: 'connected', ns: ++ns });
const acking = (seq: number): Event => ({ kind: 'acking', ns: ++ns, stream, seq });
const acked = (seq: number): Event => ({ kind: 'acked', ns: ++ns, stream, seq });
const sighting = (id: string, seq: number, more: Partial<Sighting> = {}): Sighting => ({
  stream,
  seq,
  id,
  subject: 'a',
  hash: `h${id}`,
  ...more,
});

/** Three messages that were published and acked, and a reader's look at them. */
function read(
  messages: readonly Sighting[],
  to: number,
  kept: Kept = 'all',
  more: readonly Event[] = [],
): Rule[] {
  const history = new History();
  history.add('p', [intent('1'), intent('2'), intent('3'), stored('1', 1), stored('2', 2), stored('3', 3)]);
  history.add('c', more);
  checkReading(history, { stream, from: 1, to, messages }, kept, history.stream(stream).lastSequence);
  return history.violations.map(({ rule }) => rule);
}

const all = [sighting('1', 1), sighting('2', 2), sighting('3', 3)];

test('unchanged messages break no rule', () => {
  assert.deepEqual(read(all, 3), []);
  assert.deepEqual(read([sighting('1', 1), sighting('3', 3)], 3, 'unacked', [acking(2)]), []);
});

test('each broken promise is seen', () => {
  assert.deepEqual(read([sighting('1', 1), sighting('3', 3)], 3), ['nothing acked is missing']);
  assert.deepEqual(read([sighting('1', 1), sighting('3', 3)], 3, 'unacked'), ['nothing acked is missing']);
  assert.deepEqual(read(all.slice(0, 2), 2), ['nothing acked is missing']);
  assert.deepEqual(read([...all, sighting('9', 4)], 4), ['nothing is invented']);
  assert.deepEqual(read([sighting('1', 1, { hash: 'other' }), ...all.slice(1)], 3), ['nothing is altered']);
  assert.deepEqual(read([sighting('1', 1, { subject: 'b' }), ...all.slice(1)], 3), ['nothing is altered']);
  assert.deepEqual(read([...all, sighting('1', 4)], 4), ['an id is stored once', 'order per subject']);
  assert.deepEqual(read([all[0]!, all[2]!, all[1]!], 3), ['order per subject', 'order per subject']);
  assert.ok(read([sighting('2', 1), sighting('1', 2), all[2]!], 3).includes('offsets are not reused'));
});

test('messages of a subject stand in the order in which they were published', () => {
  const history = new History();
  history.add('p', [intent('1'), intent('2')]);
  checkReading(history, { stream, from: 1, to: 2, messages: [sighting('2', 1), sighting('1', 2)] }, 'all', 0);
  assert.deepEqual(
    history.violations.map(({ rule }) => rule),
    ['order per subject'],
  );
});

test('refused messages must not be there', () => {
  const history = new History();
  history.add('p', [intent('1'), { kind: 'refused', ns: ++ns, stream, id: '1' }]);
  history.see(sighting('1', 1));
  assert.deepEqual(
    history.violations.map(({ rule }) => rule),
    ['what was refused is not there'],
  );
});

test('a delivery after a confirmed ack is seen, on this connection and on a later one', () => {
  const history = new History();
  history.add('p', [intent('1'), stored('1', 1)]);
  history.add('other', [connected()]);
  history.add('c', [connected(), delivered('1', 1), acking(1), acked(1)]);
  history.add('other', [delivered('1', 1)]);
  assert.equal(history.crossed, 1);
  assert.deepEqual(history.violations, []);
  history.add('c', [delivered('1', 1)]);
  history.add('other', [connected(), delivered('1', 1)]);
  assert.deepEqual(
    history.violations.map(({ rule }) => rule),
    ['an acked delivery is final', 'an acked delivery is final'],
  );
});

test('an undelivered message is missed, and a delivery after a confirmed ack is seen', () => {
  const history = new History();
  history.add('p', [intent('1'), intent('2'), stored('1', 1), stored('2', 2)]);
  history.add('c', [connected(), delivered('1', 1), acking(1), acked(1)]);
  checkDrained(history, stream);
  assert.deepEqual(
    history.violations.splice(0).map(({ rule }) => rule),
    ['everything is delivered'],
  );
  checkPending(history, stream, [1, 2], [2]);
  assert.deepEqual(history.violations, []);
  checkPending(history, stream, [1, 2], [1]);
  assert.deepEqual(
    history.violations.map(({ rule }) => rule),
    ['an acked delivery is final', 'everything is delivered'],
  );
});
