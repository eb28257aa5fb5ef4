import type { Examination } from '../examination.ts';
import type { GroupKnown, Instance, TopicKnown } from '../facts.ts';
import type { FactOf, Inventory } from '../history.ts';
import { mayBeGone, perKeyMaxThatDrops } from '../losses.ts';
import type { Sighting } from '../message.ts';
import { lettersAreThere } from './amqp-letters.ts';
import { txAllOrNone } from './amqp-transactions.ts';
import { hasLetter } from './dead-letters.ts';
import { notExpired } from './expiry.ts';
import { allOrNone } from './several-topics.ts';
import { see } from './sights.ts';
import { oneWaits } from './unique.ts';

/* Everything there is, read while nothing else happens. */

/** Slack for retention by age, which looks again every second while it cannot read. */
const ageSlackMs = 1100;
/** A try for the route, and the reading of what is dropped. */
const routeSlackMs = 2000;

export function inventory(exam: Examination, fact: FactOf<'inventory'>): void {
  const topic = exam.known.topic(fact.topic, exam.at);
  const { partition, messages, count, first, next, keys, areSomeWaiting } = fact;
  const where = `${topic.key} partition ${partition}`;
  if (next < (topic.next[partition] ?? 0))
    exam.broken(
      'offsets are never reused',
      `${where} ends at ${next}, and ended at ${topic.next[partition]} before`,
    );
  topic.next[partition] = next;
  topic.gone[partition] = next - count;
  const isWhole = topic.damages.length === 0 && areSomeWaiting === undefined;
  if (count !== messages.length && isWhole)
    exam.broken('counts are right', `${where} says ${count}, holds ${messages.length}`);
  const live = new Set<Instance>();
  let lastOffset = first - 1;
  /** By producer: the last message it published there. */
  const lastDirect = new Map<string | undefined, Instance>();
  for (const seen of messages) {
    if (seen.offset <= lastOffset || seen.offset >= next)
      exam.broken('offsets ascend', `${where}: ${seen.offset} after ${lastOffset}, below ${next}`);
    lastOffset = seen.offset;
    const instance = see(exam, seen, topic);
    if (!instance) return;
    live.add(instance);
    if (exam.known.transactionOf(instance)?.isAborted)
      exam.broken('what was aborted is gone', `${where}: m${seen.id} at ${seen.offset}`);
    const publish = exam.known.publishes.get(seen.id)!;
    const isOfChannel = publish.toAll !== undefined && publish.plan.producer !== undefined && !seen.letter;
    if (publish.topic !== topic.key) continue;
    if (!isOfChannel && (publish.offset !== seen.offset || publish.partition !== partition)) continue;
    if (publish.dueMs !== undefined) continue;
    const before = lastDirect.get(publish.plan.producer);
    if (before && before.id > seen.id)
      exam.broken('order per partition', `${where}: m${before.id} before m${seen.id}`);
    lastDirect.set(publish.plan.producer, instance);
  }
  for (const instance of topic.instances.values()) {
    if (instance.partition !== partition || instance.goneAt !== undefined) continue;
    if (live.has(instance)) {
      mustBeGone(exam, instance);
      notExpired(exam, instance);
    } else if (topic.isDamaged(partition, instance.offset)) continue; // it may come back with the next process
    else if (noteGone(exam, instance)) leave(exam, instance);
    else exam.broken('no acked message is lost', `${where}: m${instance.id} at ${instance.offset} is gone`);
  }
  limits(exam, topic, fact);
  oneWaits(exam, topic, live);
  if (keys && isWhole) keyCounts(exam, where, messages, keys);
}

function leave(exam: Examination, instance: Instance): void {
  instance.goneAt = exam.at;
  if (exam.known.amqp.letterRoutes.has(instance.topic.key)) exam.known.amqp.died.push(instance);
}

function noteGone(exam: Examination, instance: Instance): boolean {
  const cause = mayBeGone(instance, exam.known, exam.wallMs);
  if (cause === 'aborted')
    exam.known.transactionOf(instance)!.vanished ??= `m${instance.id} at ${instance.offset} is gone`;
  return cause !== undefined;
}

/** A message that all groups are done with does not stay in a queue. */
function mustBeGone(exam: Examination, instance: Instance): void {
  const { topic } = instance;
  if (!topic.isQueueLike) return;
  const groups = topic.groups.filter(({ deletedAt }) => deletedAt === undefined);
  if (groups.some(({ disturbedAt, readyAt }) => disturbedAt >= 0 || readyAt === undefined)) return;
  // Its deletion was asked for before a crash.
  if (topic.groups.some(({ deletedAt, deleted }) => deletedAt !== undefined && !deleted)) return;
  // A message that is undecided, or follows such a message, is checked later.
  const { publishes } = topic;
  if (publishes.some(({ transaction: of }) => of !== undefined && !exam.known.transaction(of).isDecided))
    return;
  // A message that could not be read stays, and is intact again for the next process.
  if (topic.damages.length > 0) return;
  // A group that lives in memory only, or has expired, leaves its unfinished messages without a record.
  if (topic.groups.some((group) => !group.isStored || group.mayExpire)) return;
  const wanting = groups.filter((group) => group.mayWant(instance.key));
  if (wanting.length === 0 || !wanting.every((group) => surelyDone(exam, group, instance))) return;
  exam.broken('what is done leaves the queue', `${topic.key}: m${instance.id} at ${instance.offset}`);
}

function surelyDone(exam: Examination, group: GroupKnown, instance: Instance): boolean {
  if (group.isCommitted) {
    const { partition, offset, topic } = instance;
    return topic.committed(group.name, partition).surelyPasses(offset, exam.at);
  }
  const delivery = group.deliveries.get(instance);
  if (!delivery) return false;
  return (delivery.acked && exam.known.holds(delivery.acked)) || hasLetter(group, instance);
}

function limits(exam: Examination, topic: TopicKnown, { partition, messages, keys }: Inventory): void {
  const where = `${topic.key} partition ${partition}`;
  if (topic.configs.length !== 1) return;
  const { messagesMax, ageMsMax, overflow, compaction, deadLetter } = topic.configs[0]!;
  // A protocol brings its dead-letter route a moment after the start, and what is dropped waits for it.
  if (deadLetter !== undefined && exam.wallMs < exam.known.upSinceWallMs + routeSlackMs) return;
  if (messagesMax !== undefined && overflow === 'drop-oldest' && messages.length > messagesMax)
    exam.broken('limits hold', `${where} holds ${messages.length} of at most ${messagesMax}`);
  // A message that was sent again keeps the time of its publish, and is checked when it comes.
  const oldestMs = Math.min(
    ...messages.map(({ id, timestampMs }) => {
      const { sentWallMs } = exam.known.publishes.get(id)!;
      return Math.max(exam.known.clock.timesOf(timestampMs, sentWallMs)[0]!, sentWallMs);
    }),
  );
  // A message that waited for room keeps the time of its publish and may follow a younger one, which is
  // checked first.
  const dueMs = Math.max(oldestMs + (ageMsMax ?? Infinity), exam.known.upSinceWallMs);
  if (
    ageMsMax !== undefined &&
    overflow !== 'wait' &&
    exam.wallMs > dueMs + ageSlackMs + exam.known.clock.setBackMs
  )
    exam.broken(
      'limits hold',
      `${where} holds a message of ${exam.wallMs - oldestMs} ms, of at most ${ageMsMax}`,
    );
  const perKey = perKeyMaxThatDrops(topic.configs[0]!);
  // A message pushed out by a transaction is removed some time after the commit.
  if (perKey === undefined || mayHaveTransactions(exam, topic)) return;
  for (const [key, count] of keys ?? []) {
    if (count > perKey && (key !== '' || !compaction))
      exam.broken('limits hold', `${where} holds ${count} of key ${key}, of at most ${perKey}`);
  }
}

/**
 * Includes messages sent before the process, and with it a topic in memory, came to its end: they may come
 * again.
 */
function mayHaveTransactions(exam: Examination, { key }: TopicKnown): boolean {
  for (const { topic, transaction } of exam.known.publishes.values())
    if (topic === key && transaction !== undefined) return true;
  return false;
}

function keyCounts(
  exam: Examination,
  where: string,
  messages: readonly Sighting[],
  keys: NonNullable<Inventory['keys']>,
): void {
  const counts = new Map<string, number>();
  for (const { key } of messages) counts.set(key ?? '', (counts.get(key ?? '') ?? 0) + 1);
  for (const [key, count] of keys) {
    if (counts.get(key) !== count)
      exam.broken('counts are right', `${where} says ${count} of key ${key}, holds ${counts.get(key) ?? 0}`);
    counts.delete(key);
  }
  for (const [key, count] of counts)
    exam.broken('counts are right', `${where} forgot ${count} of key ${key}`);
}

export function topics(exam: Examination, { topics: keys, groups }: FactOf<'topics'>): void {
  allOrNone(exam);
  txAllOrNone(exam);
  lettersAreThere(exam);
  for (const queue of exam.known.queues) {
    const group = exam.known.groups.get(queue.group)!;
    if (group.wasToGo || group.mayExpire || !group.isStored) continue;
    if (keys.includes(queue.topic) && !groups.includes(queue.group))
      exam.broken('a queue that is there has its group', `${queue.topic} is there without ${group.name}`);
  }
  for (const topic of exam.known.topics.values()) {
    const isThere = keys.includes(topic.key);
    const { deletedAt, created } = topic;
    if (deletedAt === undefined && !isThere && exam.known.holds(created))
      exam.broken('no topic is lost', `${topic.key} is gone`);
    if (topic.deleted && isThere && exam.known.holds(topic.deleted))
      exam.broken('what is deleted stays deleted', `${topic.key} is back`);
    const gone = topic.gone.reduce((sum, offsets) => sum + offsets, 0);
    if (isThere && !topic.isVolatile && gone < topic.redriven)
      exam.broken(
        'what was put back is no dead letter any more',
        `${topic.key}: ${topic.redriven} were put back, ${gone} are gone`,
      );
  }
}
