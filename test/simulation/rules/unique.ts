import type { Examination } from '../examination.ts';
import type { GroupKnown, Instance, PublishKnown, TopicKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { isOwed, mayBeRemoved } from '../losses.ts';

/* Messages with unique keys. */

/** Nothing is stored, because an earlier message of the key stands in the way. */
export function ignored(
  exam: Examination,
  topic: TopicKnown,
  publish: PublishKnown,
  { partition, offset }: FactOf<'published'>,
): void {
  const { unique, id } = publish.plan;
  publish.answer = 'ignored';
  const blocker = offset < 0 ? undefined : topic.instance(partition, offset);
  if (!blocker || mayWait(topic)) return;
  const text = `m${id} was ignored because of m${blocker.id}`;
  if (exam.known.publishes.get(blocker.id)!.plan.unique?.key !== unique!.key)
    exam.broken('a key is free after a first delivery', `${text}, which has another key`);
  else if (unique!.mode !== 'throttle' && wasDelivered(exam, topic, blocker, publish.askedAt))
    exam.broken('a key is free after a first delivery', `${text}, which had been delivered`);
}

/** Some group got it before that event: in this run, or a commit carries it. */
function wasDelivered(
  { known }: Examination,
  { groups }: TopicKnown,
  instance: Instance,
  before: number,
): boolean {
  return groups.some((group) =>
    group.deliveries
      .get(instance)
      ?.log.some(
        (delivery) =>
          (delivery.run === known.run && delivery.at < before) || known.isDurable(delivery.run, delivery.at),
      ),
  );
}

/** A message took the place of the one of its key that waited. */
export function replaced(topic: TopicKnown, publish: PublishKnown, at: number): void {
  publish.replacedAt = at;
  const key = publish.plan.unique!.key;
  const earlier = topic.publishes.findLast(
    (other) =>
      other !== publish &&
      other.plan.unique?.key === key &&
      other.askedAt < publish.askedAt &&
      other.answer === 'stored',
  );
  if (publish.plan.unique!.mode !== 'replace' || !earlier || publish.offset < 0 || earlier.offset < 0) return;
  // One without an answer may have come in between.
  const isSure = !topic.publishes.some(
    ({ plan, answer, askedAt }) =>
      plan.unique?.key === key && answer === 'none' && askedAt > earlier.askedAt && askedAt < publish.askedAt,
  );
  // Nor is the place of one that took an unknown place known.
  const hasPlace = earlier.replacedAt === undefined || earlier.place !== undefined;
  if (isSure && hasPlace && earlier.partition === publish.partition)
    publish.place = earlier.place ?? earlier.offset;
}

/**
 * A message that was replaced before any group got it never comes. `instance` is new to the group, or to all.
 */
export function notReplaced(exam: Examination, instance: Instance): void {
  const { topic, id, letter } = instance;
  const publish = exam.known.publishes.get(id)!;
  const key = publish.plan.unique?.key;
  if (key === undefined || letter || mayWait(topic) || publish.topic !== topic.key) return;
  const by = topic.publishes.find(
    ({ plan, askedAt, replacedAt }) =>
      plan.unique?.key === key && askedAt > publish.askedAt && replacedAt !== undefined,
  );
  if (!by || topic.damages.length > 0 || exam.known.isDelayLogDamaged) return;
  const got = topic.groups.some(({ deliveries, resets }) => deliveries.has(instance) || resets > 0);
  if (!got) exam.broken('a message that was replaced does not come', `m${id}, replaced by m${by.plan.id}`);
}

/**
 * Deliveries of a group that was there follow the places of messages, so that nothing that came in between
 * goes first.
 */
export function keepsPlace(exam: Examination, group: GroupKnown, fresh: Instance): void {
  const { topic } = group;
  if (group.isOrdered || mayWait(topic) || topic.damages.length > 0) return;
  const own = exam.known.publishes.get(fresh.id)!;
  if (own.replacedAt !== undefined && own.place === undefined) return;
  const freshPlace = own.place ?? fresh.offset;
  for (const { place, plan, partition, offset, answer, askedAt } of topic.publishes) {
    if (group.createdAt > askedAt) continue; // a place is forgotten when all groups have passed it
    if (place === undefined || partition !== fresh.partition || answer !== 'stored') continue;
    if (place >= freshPlace || offset <= fresh.offset) continue;
    const instance = topic.instance(partition, offset);
    if (!instance || instance.goneAt !== undefined || group.deliveries.has(instance)) continue;
    if (mayBeRemoved(instance, exam.known, exam.wallMs)) continue;
    if (!isOwed(group, instance, exam.known) || isReplaced(topic, plan.unique!.key, instance, exam)) continue;
    exam.broken(
      'a replaced message keeps its place',
      `m${fresh.id} at ${fresh.offset} to ${group.key} before m${plan.id}, whose place is ${place}`,
    );
  }
}

/** Another of the key was asked for later, which may have replaced it. */
function isReplaced(topic: TopicKnown, key: string, { id }: Instance, { known }: Examination): boolean {
  const { askedAt } = known.publishes.get(id)!;
  return topic.publishes.some((other) => other.plan.unique?.key === key && other.askedAt > askedAt);
}

/**
 * Of each unique key, at most one message of these, the content of a partition, was delivered to no group.
 */
export function oneWaits(exam: Examination, topic: TopicKnown, content: Iterable<Instance>): void {
  if (topic.damages.length > 0 || exam.known.redrives > 0) return;
  const waiting = new Map<string, Instance>();
  for (const instance of content) {
    const key = exam.known.publishes.get(instance.id)?.plan.unique?.key;
    if (key === undefined || instance.letter) continue;
    if (topic.groups.some((group) => group.deliveries.has(instance) || group.resets > 0)) continue;
    const other = waiting.get(key);
    if (other)
      exam.broken(
        'one message of a unique key waits',
        `m${other.id} at ${other.offset} and m${instance.id} at ${instance.offset}, key ${key}`,
      );
    waiting.set(key, instance);
  }
}

/** Publishes may be decided in another order than they were asked for. */
function mayWait({ configs }: TopicKnown): boolean {
  return configs.some(({ overflow, overRate }) => overflow === 'wait' || overRate === 'wait');
}
