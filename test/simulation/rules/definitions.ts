import type { Examination } from '../examination.ts';
import { rewait } from './deliveries.ts';
import { GroupKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';

/* Topics and groups as they were requested, and what was removed from them. */

export function groupAsked(
  exam: Examination,
  { topic: topicKey, group: key, config, isNew }: FactOf<'group'>,
): void {
  const topic = exam.known.topic(topicKey, exam.at);
  let group = exam.known.groups.get(key);
  if (!group) {
    group = new GroupKnown(key, topic, exam.at);
    exam.known.groups.set(key, group);
    topic.groups.push(group);
  }
  const filters = group.configs.at(-1)?.filters.join();
  group.configs.push(config);
  if (isNew) return;
  if (filters !== config.filters.join()) group.disturbedAt = exam.at;
  rewait(group);
}

export function groupReset(exam: Examination, { group: key }: FactOf<'group-reset'>): void {
  const group = exam.known.groups.get(key)!;
  group.disturbedAt = exam.at;
  group.resets++;
  group.resetsUnderWay++;
  group.noteReset();
}

export function groupDeleted(exam: Examination, { group }: FactOf<'group-deleted'>): void {
  exam.known.groups.get(group)!.delete(exam.known.run, exam.at);
}

/** From now on they are there both, or neither. */
export function queueAsked({ known }: Examination, { topic, group }: FactOf<'queue'>): void {
  known.queues.push({ topic, group });
}

export function topicAsked(exam: Examination, { topic, config }: FactOf<'topic'>): void {
  exam.known.topic(topic, exam.at).configs.push(config);
}

export function topicDeleted(exam: Examination, { topic: key }: FactOf<'topic-deleted'>): void {
  const topic = exam.known.topic(key, exam.at);
  topic.deletedAt ??= exam.at;
  topic.deleted ??= { run: exam.known.run, at: exam.at };
}

/** Messages are to go, by hand. */
export function removalAsked(exam: Examination, fact: FactOf<'purge' | 'remove' | 'redrive'>): void {
  exam.known.topic(fact.topic, exam.at).removals.push({ at: exam.at, fact, doneAt: Infinity });
}

export function damaged(exam: Examination, fact: FactOf<'damaged'>): void {
  if (fact.topic === undefined) exam.known.isDelayLogDamaged = true;
  else exam.known.topic(fact.topic, exam.at).damages.push(fact);
}
