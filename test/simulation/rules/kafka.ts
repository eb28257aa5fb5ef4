import type { Examination } from '../examination.ts';
import type { TopicKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { mayBeGone } from '../losses.ts';
import { onDisk } from './durability.ts';
import { see, seenCommitted } from './sights.ts';

/* Reads and commits of Kafka clients. */

/** A read of a Kafka client: in order, complete, and without anything that a crash could take back. */
export function fetched(exam: Examination, fact: FactOf<'fetched'>): void {
  const topic = exam.known.topic(fact.topic, exam.at);
  const { partition, committedOnly, since, from, end, highWatermark, lastStableOffset, seen } = fact;
  const where = `a fetch of ${topic.key} partition ${partition} from ${from} to ${end}`;
  let last = from - 1;
  const readableEnd = committedOnly ? Math.min(highWatermark, lastStableOffset) : highWatermark;
  for (const sighting of seen) {
    const instance = see(exam, sighting, topic);
    if (!instance) return;
    onDisk(exam, exam.known.publishes.get(sighting.id)!, topic, exam.known.written, 'fetched');
    if (committedOnly) seenCommitted(exam, instance);
    if (sighting.offset <= last || sighting.offset >= readableEnd)
      exam.broken('offsets ascend', `${where}: ${sighting.offset} after ${last}, below ${readableEnd}`);
    last = sighting.offset;
  }
  const dropsEarly = topic.drops && mayGrowUnknown(exam, topic);
  for (const instance of topic.instances.values()) {
    const { offset, seenAt, goneAt, id } = instance;
    if (instance.partition !== partition) continue;
    if (seenAt < since && offset >= highWatermark)
      exam.broken(
        'what was answered can be read',
        `${where} knows of nothing from ${highWatermark} on, but m${id} is at ${offset}`,
      );
    if (offset < from || offset >= end || goneAt !== undefined || seen.some((one) => one.offset === offset))
      continue;
    if (!dropsEarly && mayBeGone(instance, exam.known, exam.wallMs) === undefined)
      exam.broken('a fetch passes nothing over', `${where} has no m${id} at ${offset}`);
  }
  topic.next[partition] = Math.max(topic.next[partition] ?? 0, highWatermark);
  topic.readable.push({ partition, end: highWatermark, written: exam.known.written, ms: exam.ms });
}

/** Messages may come that no client knows of yet, and take the room of those that are dropped for them. */
function mayGrowUnknown(exam: Examination, { publishes, name }: TopicKnown): boolean {
  const isUnsure = publishes.some(({ answer }) => answer === 'none' || answer === 'unsure');
  const takesLetters = [...exam.known.groups.values()].some(({ configs }) =>
    configs.some(({ deadLetter }) => deadLetter === name),
  );
  return isUnsure || takesLetters || exam.known.redrives > 0;
}

export function offsetCommit(exam: Examination, fact: FactOf<'offset-commit'>): void {
  const { topic, group, partition, offset, metadata, transaction } = fact;
  const known = exam.known;
  const committed = known.topic(topic, exam.at).committed(group, partition);
  if (transaction === undefined)
    known.commits.set(exam.at, committed.ask(offset, metadata, exam.at, known.run));
  else known.transaction(transaction).addPosition({ committed, offset, metadata });
}

export function transactionEnded(
  exam: Examination,
  { transaction: number, outcome }: FactOf<'transaction-ending'>,
  isRefused: boolean,
): void {
  const transaction = exam.known.transaction(number);
  if (outcome === 'commit' && !isRefused) {
    if (transaction.vanished !== undefined)
      exam.broken(
        'a transaction is whole or not at all',
        `${number} was committed, and ${transaction.vanished}`,
      );
    transaction.commit(exam.at);
  } else if (outcome === 'commit' || !isRefused) {
    if (transaction.isCommitted)
      exam.broken('a transaction is whole or not at all', `${number} was aborted, and was seen`);
    transaction.abort(exam.at);
  }
}

/**
 * A group gets the offset that it committed, after any crash: no position goes back by itself, and none is
 * invented.
 */
export function offsetSeen(exam: Examination, fact: FactOf<'offset-seen'>): void {
  const topic = exam.known.topic(fact.topic, exam.at);
  const { group, partition, since, offset, metadata } = fact;
  const problem = topic.committed(group, partition).seen(offset, metadata, since, exam.known.run, exam.at);
  if (problem !== undefined)
    exam.broken('what was committed stays', `${group} on ${topic.key} partition ${partition}: ${problem}`);
}

export function transactionEnding(exam: Examination, fact: FactOf<'transaction-ending'>): void {
  if (fact.outcome === 'commit') exam.known.transaction(fact.transaction).askCommit(exam.at, exam.known.run);
}
