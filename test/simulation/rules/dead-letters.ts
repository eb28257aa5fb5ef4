import type { Examination } from '../examination.ts';
import type { DeliveryKnown, GroupKnown, Instance } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { isOfTopic, topicLetterSeen } from './amqp-letters.ts';

/* Messages that were given up. */

export function letterSeen(
  exam: Examination,
  instance: Instance,
  letter: NonNullable<Instance['letter']>,
): void {
  if (isOfTopic(letter)) return topicLetterSeen(exam, instance, letter);
  const text = `letter m${instance.id} of ${letter.topic}/${letter.group} at ${letter.partition}/${letter.offset}`;
  const groups = [...exam.known.groups.values()].filter(
    ({ name, topic }) => name === letter.group && topic.name === letter.topic,
  );
  const had = groups.flatMap((group) => {
    const origin = group.topic.instance(letter.partition, letter.offset);
    const delivery = origin && group.deliveries.get(origin);
    return delivery && origin.id === instance.id ? [{ group, delivery }] : [];
  });
  // Of several groups of that name, one after the other, those that said so.
  const gaveUp = had.filter(({ group }) => group.givenUp.has(`${letter.partition}/${letter.offset}`));
  const deliveries = gaveUp.length > 0 ? gaveUp : had;
  const wasReset = groups.some(
    ({ resets, deletedAt, mayExpire }) => resets > 0 || deletedAt !== undefined || mayExpire,
  );
  if (deliveries.length === 0 && !wasReset)
    return exam.broken('a dead letter was delivered before', `${text} was not`);
  for (const { group, delivery } of deliveries) {
    const where = `${letter.partition}/${letter.offset}/${instance.id}`;
    const all = group.letters.get(where) ?? [];
    group.letters.set(where, [...all, instance]);
    // An exchange may send it to several queues.
    const isRouted = group.topic.configs.some(({ deadLetter }) => deadLetter !== undefined);
    const letters = isRouted ? all.filter(({ topic }) => topic === instance.topic) : all;
    delivery.deadLettered++;
    if (letters.length > exam.known.redrives && !wasReset)
      exam.broken('a dead letter is one', `${text} stands twice`);
    const last = delivery.log.at(-1)!;
    const isSameRun = group.givenUp.get(`${letter.partition}/${letter.offset}`) === last.run;
    const least = isSameRun ? last.count : leastCount(exam, delivery);
    if (letter.cause.startsWith('max-deliveries')) {
      // Messages given back do not count.
      const failed = [
        letter.deliveries - delivery.releases.length,
        letter.deliveries - leastReleases(exam, delivery),
      ] as const;
      const isExact =
        wasReset ||
        group.configs.some(({ maxDeliver = -1 }) => maxDeliver >= failed[0] && maxDeliver <= failed[1]);
      if (!wasReset && (letter.deliveries < least || letter.deliveries > last.count))
        exam.broken(
          'a dead letter says how often',
          `${text} says ${letter.deliveries}, delivered ${last.count} times`,
        );
      if (!isExact && group.configs.length === 1)
        exam.broken('dead letter after exactly maxDeliver', `${text} after ${letter.deliveries}`);
    } else if (!delivery.rejected && !wasReset)
      exam.broken('a dead letter has a cause', `${text}: ${letter.cause}`);
    if (delivery.acked && exam.known.holds(delivery.acked) && !wasReset)
      exam.broken('no dead letter of what was acked', text);
  }
}

/** How many deliveries the broker is bound to remember after a crash. */
export function leastCount(exam: Examination, { log, counted }: DeliveryKnown): number {
  return Math.max(
    counted,
    ...log.filter(({ run, at }) => exam.known.isDurable(run, at)).map(({ count }) => count),
  );
}

/** How often it was given back, as the broker is bound to remember. */
export function leastReleases(exam: Examination, { releases }: DeliveryKnown): number {
  // A crash takes what was not durable; later ones do not bring it back.
  return releases.filter(
    ({ run, at, isStored }) => isStored || run === exam.known.run || exam.known.isDurable(run, at),
  ).length;
}

export function hasLetter(group: GroupKnown, { partition, offset, id }: Instance): boolean {
  return group.resets === 0 && (group.letters.get(`${partition}/${offset}/${id}`)?.length ?? 0) > 0;
}

/** The broker's own word. */
export function deadLettered(exam: Examination, fact: FactOf<'dead-lettered'>): void {
  const { known } = exam;
  const group = known.groups.get(fact.group);
  const instance = group?.topic.instance(fact.partition, fact.offset);
  const delivery = instance && group!.deliveries.get(instance);
  if (delivery) delivery.deadLettered++;
  if (!group) return;
  group.givenUp.set(`${fact.partition}/${fact.offset}`, known.run);
  const where = `${group.topic.name}/${group.name}/${fact.partition}/${fact.offset}`;
  if (!known.deadLetteredAt.has(where)) known.deadLetteredAt.set(where, exam.at);
}
