import type { Examination } from '../examination.ts';
import type { PublishKnown, TopicKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { mayBeGone } from '../losses.ts';
import { onDisk } from './durability.ts';
import { withinRate } from './rates.ts';
import { scheduleAsked } from './schedules.ts';
import { see } from './sights.ts';
import { ignored, replaced } from './unique.ts';

/* Requests of publishers and their answers. */

/**
 * The broker may say these of a publish; anything else is no refusal. After the last two the message may be
 * stored or not.
 */
export const refusals: readonly string[] = [
  'message-too-large',
  'message-invalid',
  'topic-full',
  'topic-bytes-full',
  'key-full',
  'rate-exceeded',
  'wrong-last-offset',
  'wrong-last-key-offset',
  'wrong-last',
  'not-allowed',
  'topic-not-found',
  'sequence-gap',
  'producer-fenced',
  'not-in-transaction',
  'transaction-unknown',
  'storage-full',
  'closed',
  'storage-failed',
];
export const unsureRefusals: readonly string[] = ['closed', 'storage-failed'];

export function publishAsked(exam: Examination, fact: FactOf<'publish'>): void {
  const topic = exam.known.topic(fact.topic, exam.at);
  const publish: PublishKnown = {
    ...fact,
    mayWait:
      fact.isGuess === true ||
      topic.configs.some(({ overRate }) => overRate === 'wait') ||
      topic.publishes.some(({ mayWait, answer }) => mayWait && answer === 'none'),
    askedAt: exam.at,
    askedWallMs: exam.wallMs,
    run: exam.known.run,
    sentAt: exam.at,
    sentWallMs: exam.wallMs,
    // A schedule publishes it, as often as it runs, or never.
    answer: fact.schedule ? 'unsure' : 'none',
    answeredWallMs: Infinity,
    partition: -1,
    offset: -1,
    dues: fact.dueMs === undefined ? [] : [{ at: exam.at, dueMs: fact.dueMs }],
  };
  exam.known.publishes.set(fact.plan.id, publish);
  topic.publishes.push(publish);
  if (fact.toAll) noteToAll(exam, publish);
  if (fact.tx !== undefined) exam.known.amqp.transaction(fact.tx).publishes.push(publish);
  if (fact.schedule) scheduleAsked(exam, publish);
  if (fact.plan.rollup || fact.plan.unique) topic.removals.push({ at: exam.at, fact, doneAt: Infinity });
}

/** A later message of the key may replace it, but it replaces none that comes later. */
function noteUnique(
  exam: Examination,
  topic: TopicKnown,
  publish: PublishKnown,
  { outcome }: FactOf<'published'>,
): void {
  const removal = topic.removals.find(
    ({ fact }) => fact.kind === 'publish' && fact.plan.id === publish.plan.id,
  );
  if (removal) removal.doneAt = outcome === 'replaced' ? exam.at : -1;
  if (outcome === 'replaced') replaced(topic, publish, exam.at);
}

function noteToAll({ known }: Examination, publish: PublishKnown): void {
  const { copyOf, id } = publish.plan;
  const name = copyOf ?? id;
  const copies = known.toAll.get(name);
  if (copies) copies.push(publish);
  else known.toAll.set(name, [publish]);
}

export function published(exam: Examination, fact: FactOf<'published'>): void {
  const publish = exam.known.publishes.get(fact.id)!;
  const topic = exam.known.topic(publish.topic, exam.at);
  const { partition, offset, duplicate } = fact;
  if (publish.answer !== 'none')
    return exam.broken('a publish is answered once', `m${fact.id} was answered before`);
  publish.answeredWallMs = exam.wallMs;
  if (fact.outcome === 'ignored') return ignored(exam, topic, publish, fact);
  publish.answer = duplicate ? 'duplicate' : 'stored';
  withinRate(exam, topic, publish);
  if (!topic.isVolatile) exam.known.noteDurable(publish.run, publish.sentAt);
  dedupe(exam, topic, publish, fact);
  if (!duplicate && offset >= 0) {
    publish.partition = partition;
    publish.offset = offset;
  }
  if (publish.plan.unique) noteUnique(exam, topic, publish, fact);
  if (duplicate || offset < 0) return;
  onDisk(exam, publish, topic, exam.known.written, 'acked');
  const since = topic.readable.find((then) => then.partition === partition && then.end > offset);
  if (since) onDisk(exam, publish, topic, since.written, 'readable');
  const { key, id } = publish.plan;
  see(exam, { partition, offset, id, key, timestampMs: publish.askedWallMs }, topic, true);
  expected(exam, topic, publish);
}

function expected(
  exam: Examination,
  topic: TopicKnown,
  { plan, expectedLastOffset, expectedLastKeyOffset, partition, offset }: PublishKnown,
): void {
  if (expectedLastOffset !== undefined && offset !== expectedLastOffset + 1)
    exam.broken(
      'expectations hold',
      `m${plan.id} expected last offset ${expectedLastOffset} and went to ${offset}`,
    );
  if (expectedLastKeyOffset === undefined) return;
  for (let at = expectedLastKeyOffset + 1; at < offset; at++) {
    const other = topic.instance(partition, at);
    if (!other || other.key !== plan.key || mayBeGone(other, exam.known, exam.wallMs) !== undefined) continue;
    exam.broken(
      'expectations hold',
      `m${plan.id} expected ${expectedLastKeyOffset} to be the last of its key, but ${at} was`,
    );
  }
}

/** Two acked publishes with one id are one message, surely within the window and surely not beyond it. */
function dedupe(
  exam: Examination,
  topic: TopicKnown,
  publish: PublishKnown,
  { partition, offset, duplicate }: { partition: number; offset: number; duplicate: boolean },
): void {
  const { dedupeId } = publish.plan;
  const windows = topic.configs.map(({ dedupeWindowMs }) => dedupeWindowMs);
  if (duplicate && dedupeId === undefined)
    return exam.broken('only a repeated id is a duplicate', `m${publish.plan.id} has none`);
  if (dedupeId === undefined) return;
  const others = topic.publishes.filter((other) => other !== publish && other.plan.dedupeId === dedupeId);
  if (duplicate) {
    const originals = others.filter((other) => other.answer !== 'duplicate' && other.answer !== 'refused');
    const original =
      originals.find((other) => other.offset === offset && other.partition === partition) ??
      originals.findLast((other) => other.offset < 0);
    if (!original)
      return exam.broken('a duplicate is answered with its original', `m${publish.plan.id} at ${offset}`);
    if (original.answeredWallMs + Math.max(...windows) + exam.known.clock.setBackMs < publish.askedWallMs)
      exam.broken(
        'an id is free after the window',
        `m${publish.plan.id} called a duplicate of m${original.plan.id}`,
      );
    return;
  }
  if (topic.configs.some(({ dedupeEntriesMax }) => dedupeEntriesMax < topic.publishes.length)) return;
  const latestMs = exam.known.clock.latest(exam.wallMs);
  for (const other of others) {
    if (other.answer !== 'stored' || latestMs - other.askedWallMs >= Math.min(...windows)) continue;
    exam.broken(
      'no duplicate within the dedupe window',
      `m${publish.plan.id} and m${other.plan.id} (${dedupeId})`,
    );
  }
}

export function refused(exam: Examination, { id, code, wasSentBefore = false }: FactOf<'refused'>): void {
  const publish = exam.known.publishes.get(id)!;
  const { plan } = publish;
  if (!refusals.includes(code)) return exam.broken('refusals have a code', `m${plan.id}: ${code}`);
  publish.answer = unsureRefusals.includes(code) || wasSentBefore ? 'unsure' : 'refused';
  const { configs } = exam.known.topics.get(publish.topic)!;
  if (code === 'message-invalid' && !configs.some(({ compaction }) => compaction))
    exam.broken('refusals have a code', `m${plan.id} was refused as only a compacted topic may do it`);
  // A message that waited for room may have been appended in between.
  const waits = configs.some(({ overflow, overRate }) => overflow === 'wait' || overRate === 'wait');
  if (code === `wrong-${plan.expect}` && !waits && !publish.mayWait)
    exam.broken('expectations hold', `m${plan.id} was right, and refused with ${code}`);
}

/** A client sends messages without an answer again. */
export function sent(exam: Examination, { ids }: FactOf<'sent'>): void {
  const { at: sentAt, wallMs: sentWallMs, known } = exam;
  for (const id of ids) Object.assign(known.publishes.get(id)!, { run: known.run, sentAt, sentWallMs });
}
