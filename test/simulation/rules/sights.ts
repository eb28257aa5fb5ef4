import type { Examination } from '../examination.ts';
import { matches, type Instance, type PublishKnown, type TopicKnown } from '../facts.ts';
import type { Sighting } from '../message.ts';
import { letterSeen } from './dead-letters.ts';
import { runSeen } from './schedules.ts';
import { notReplaced } from './unique.ts';

/* A stored message as any client sees it: it is unchanged, and in its place. */

/** Every sight of a stored message goes through here. `isSteady`: its time is that of the history. */
export function see(
  exam: Examination,
  seen: Sighting,
  topic: TopicKnown,
  isSteady: boolean = false,
): Instance | undefined {
  const where = `${topic.key} ${seen.partition}/${seen.offset}`;
  const publish = exam.known.publishes.get(seen.id);
  if (!publish) return exam.broken('no message is invented', `${where} holds what nobody published`);
  if (seen.altered !== undefined)
    return exam.broken('no message is altered', `${where}: m${seen.id} has another ${seen.altered}`);
  const isNew = !topic.instance(seen.partition, seen.offset);
  const instance = exam.known.instanceOf(seen, topic, exam.at, isSteady);
  if (!instance) {
    const before = topic.instance(seen.partition, seen.offset)!.id;
    return exam.broken('offsets are never reused', `${where} held m${before} and holds m${seen.id}`);
  }
  if (instance.goneAt !== undefined)
    return exam.broken('what is gone stays gone', `${where}: m${seen.id} is back`);
  if (isNew && publish.schedule && !instance.letter && seen.runMs !== undefined)
    runSeen(exam, instance, publish, seen.runMs);
  else if (isNew) seeNew(exam, instance, publish, where);
  return instance;
}

function seeNew(exam: Examination, instance: Instance, publish: PublishKnown, where: string): void {
  const { topic, id, letter } = instance;
  if (letter) return letterSeen(exam, instance, letter);
  seenInTx(exam, instance, publish);
  if (publish.answer === 'refused') return exam.broken('nothing refused is stored', `${where}: m${id}`);
  if (publish.answer === 'ignored')
    return exam.broken('an ignored message is not stored', `${where}: m${id}`);
  if (publish.offset < 0) notReplaced(exam, instance);
  if (publish.answer === 'duplicate') return exam.broken('no duplicate is stored', `${where}: m${id}`);
  const dueMs = publish.dueMs === undefined ? undefined : Math.min(...publish.dues.map((due) => due.dueMs));
  // One that waits for room has its delay from when it is let in, by the clock of then.
  const hasOtherClock = exam.known.clock.wasSet && (publish.mayWait || mayBeLetInLater(topic));
  if (dueMs !== undefined && !hasOtherClock && exam.known.clock.isAhead(dueMs, exam.wallMs))
    exam.broken('nothing delayed shows early', `${where}: m${id} is due at ${dueMs}, now ${exam.wallMs}`);
  if (dueMs !== undefined && wasTakenBack(exam, instance, publish, dueMs))
    exam.broken('what is purged does not come later', `${where}: m${id} was to come at ${dueMs}`);
  if (publish.isCancelled && exam.known.redrives === 0)
    exam.broken('what is cancelled does not come', `${where}: m${id}`);
  // Once where it was published, and once more for each time it was put back.
  const copies = [...topic.instances.values()].filter((other) => other.id === id && !other.letter);
  const { redrives } = exam.known;
  if (publish.topic !== topic.key && redrives === 0)
    exam.broken('no message strays', `${where}: m${id} was published to ${publish.topic}`);
  if (copies.length > copiesMax(topic, redrives))
    exam.broken(
      'a message is stored once',
      `${where}: m${id} stands at ${copies.map(({ offset }) => offset).join()}`,
    );
}

function mayBeLetInLater({ configs }: TopicKnown): boolean {
  return configs.some(({ overflow, overRate }) => overflow === 'wait' || overRate === 'wait');
}

/** A message of a transaction of AMQP is seen only once its commit was asked for. */
function seenInTx(exam: Examination, instance: Instance, publish: PublishKnown): void {
  if (publish.tx === undefined) return;
  const { state } = exam.known.amqp.transaction(publish.tx);
  if (state === 'open' || state === 'dropped')
    exam.broken(
      'what is not committed is not seen',
      `m${instance.id} at ${instance.offset} of tx ${publish.tx}`,
    );
}

/** It waited to be due when its partition was purged, from beginning to end. */
function wasTakenBack(
  { events, known }: Examination,
  { topic, partition, key }: Instance,
  { answer, answeredWallMs }: PublishKnown,
  dueMs: number,
): boolean {
  if (answer !== 'stored' || known.redrives > 0) return false;
  if (known.isDelayLogDamaged) return false; // the purge may not have been able to read its key
  if (known.clock.wentBack) return false; // times do not tell which was first
  return topic.removals.some(({ at, fact, doneAt }) => {
    if (fact.kind !== 'purge' || fact.partition !== partition || doneAt === Infinity) return false;
    if (fact.before !== undefined || fact.keep !== undefined) return false;
    if (fact.pattern !== undefined && !matches(fact.pattern, key)) return false;
    return answeredWallMs < events[at]!.wallMs && events[doneAt]!.wallMs < dueMs;
  });
}

/**
 * Each group gives up each copy by itself, and once more after each reset; each of these letters may be put
 * back as another copy.
 */
function copiesMax({ groups }: TopicKnown, redrives: number): number {
  const letters = Math.max(1, sum(groups.map(({ resets }) => 1 + resets)));
  return sum(Array.from({ length: redrives + 1 }, (_, generation) => letters ** generation));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** A client saw it that is shown only decided messages. */
export function seenCommitted(exam: Examination, instance: Instance): void {
  const transaction = exam.known.transactionOf(instance);
  if (!transaction) return;
  const { number, mayBeSeen, vanished } = transaction;
  const text = `m${instance.id} at ${instance.partition}/${instance.offset}, of transaction ${number}`;
  if (!mayBeSeen) exam.broken('what is not committed is not seen', text);
  if (vanished !== undefined)
    exam.broken('a transaction is whole or not at all', `${text} was seen, and ${vanished}`);
  transaction.isCommitted = true;
}
