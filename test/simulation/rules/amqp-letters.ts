import type { Examination } from '../examination.ts';
import type { Instance, TopicKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import type { Letter } from '../message.ts';

/* Dead letters that go through exchanges, also of messages that leave their queue by themselves. */

/** Whether it died of a limit of its queue, or of its age: perhaps nobody ever got it. */
export function isOfTopic({ cause }: Letter): boolean {
  return cause.startsWith('expired') || cause.startsWith('overflow');
}

export function topicLetterSeen(exam: Examination, instance: Instance, letter: Letter): void {
  const { known } = exam;
  const text = `letter m${instance.id} of ${letter.topic} at ${letter.offset}: ${letter.cause}`;
  const origins = [...known.named(letter.topic)];
  if (!origins.some((topic) => mayCause(topic, letter, known.publishes.get(instance.id)?.plan.ttlMs)))
    exam.broken('a dead letter has a cause', text);
  if (letter.offset < 0) {
    if (known.publishes.get(instance.id)?.answer === 'taken')
      exam.broken('a dead letter has a cause', `${text}, but it was taken`);
    return;
  }
  const twins = [...instance.topic.instances.values()].filter(
    (other) => other !== instance && isSameLetter(other.letter, letter) && other.id === instance.id,
  );
  if (twins.length > 0) exam.broken('a dead letter is one', `${text} stands twice`);
  for (const { groups, instance: at } of origins.map((topic) => ({
    groups: topic.groups,
    instance: topic.instance(letter.partition, letter.offset),
  })))
    for (const { deliveries } of groups) {
      const delivery = at && at.id === instance.id ? deliveries.get(at) : undefined;
      if (delivery?.acked && known.holds(delivery.acked))
        exam.broken('no dead letter of what was acked', text);
      if (delivery) delivery.deadLettered++;
    }
}

function isSameLetter(a: Letter | undefined, b: Letter): boolean {
  return a?.topic === b.topic && a.partition === b.partition && a.offset === b.offset;
}

function mayCause({ configs, groups }: TopicKnown, { cause }: Letter, ttlMs: number | undefined): boolean {
  if (!configs.some(({ deadLetter }) => deadLetter !== undefined)) return false;
  if (cause.startsWith('overflow')) return configs.some(({ messagesMax }) => messagesMax !== undefined);
  const isOfGroup = groups.some((group) =>
    group.configs.some(({ messageTtlMs }) => messageTtlMs !== undefined),
  );
  return ttlMs !== undefined || isOfGroup;
}

export function lettersGo({ known, at }: Examination, { topic, to }: FactOf<'letters-go'>): void {
  const { letterRoutes } = known.amqp;
  const before = letterRoutes.get(topic);
  const isSame = to !== undefined && before?.to?.join() === to.join();
  letterRoutes.set(topic, { to, since: isSame ? before.since : at });
}

/** After a look at everything: what died is where its exchange has sent it. */
export function lettersAreThere(exam: Examination): void {
  const { amqp } = exam.known;
  for (const instance of amqp.died.splice(0)) {
    const { topic } = instance;
    const route = amqp.letterRoutes.get(topic.key);
    if (!route?.to || mayHaveGone(instance, route.since)) continue;
    for (const key of route.to) {
      const to = exam.known.topics.get(key);
      if (!to || to.drops || to.deletedAt !== undefined || to.removals.length > 0) continue;
      if (to.damages.length > 0 || hasLetterIn(to, instance)) continue;
      exam.broken(
        'no dead letter is lost',
        `m${instance.id} at ${instance.offset} of ${topic.key} is gone, and not in ${to.key}`,
      );
    }
  }
}

/** It may have left its queue without becoming a dead letter there. */
function mayHaveGone(instance: Instance, since: number): boolean {
  const { topic, letter } = instance;
  if (letter || topic.removals.length > 0 || topic.deletedAt !== undefined || topic.damages.length > 0)
    return true;
  if (instance.seenAt < since) return true;
  return topic.groups.some((group) => {
    const delivery = group.deliveries.get(instance);
    return (
      group.resets > 0 ||
      group.deletedAt !== undefined ||
      delivery?.acked !== undefined ||
      delivery?.mayBeAcked === true
    );
  });
}

function hasLetterIn(to: TopicKnown, { id, topic, partition, offset }: Instance): boolean {
  for (const { id: other, letter } of to.instances.values()) {
    if (other !== id || letter?.topic !== topic.name) continue;
    if (letter.partition === partition && letter.offset === offset) return true;
  }
  return false;
}
