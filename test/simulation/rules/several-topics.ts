import type { Examination } from '../examination.ts';
import type { PublishKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { onDisk } from './durability.ts';
import { refusals, unsureRefusals } from './publishing.ts';

/* Publishes to several topics. */

/** Slack for delayed messages: their time comes, and then they are appended. */
const dueSlackMs = 2000;

/** The one answer, for all topics. */
export function publishedToAll(exam: Examination, fact: FactOf<'published-to-all'>): void {
  const { known } = exam;
  const taken = fact.ids.map((id) => known.publishes.get(id)!);
  for (const publish of taken) {
    if (!answerOnce(exam, publish)) return;
    publish.answer = 'taken';
    const topic = known.topic(publish.topic, exam.at);
    if (topic.isVolatile || publish.mayMiss) continue;
    known.noteDurable(publish.run, publish.sentAt);
    // A duplicate adds nothing to be written.
    if (publish.plan.dedupeId === undefined) onDisk(exam, publish, topic, known.written, 'acked');
  }
  for (const { id, code } of fact.refusals) refusedOne(exam, known.publishes.get(id)!, code);
  if (taken[0]?.toAll === 'all-or-none' && fact.refusals.length > 0)
    exam.broken(
      'a publish to several topics is in all or in none',
      `m${taken[0].plan.id} was taken, and refused by ${fact.refusals.length} topics`,
    );
}

export function refusedByAll(exam: Examination, { ids, code }: FactOf<'refused-by-all'>): void {
  for (const id of ids) refusedOne(exam, exam.known.publishes.get(id)!, code);
}

function refusedOne(exam: Examination, publish: PublishKnown, code: string): void {
  if (!answerOnce(exam, publish)) return;
  if (!refusals.includes(code)) exam.broken('refusals have a code', `m${publish.plan.id}: ${code}`);
  publish.answer = unsureRefusals.includes(code) ? 'unsure' : 'refused';
}

function answerOnce(exam: Examination, publish: PublishKnown): boolean {
  publish.answeredWallMs = exam.wallMs;
  if (publish.answer === 'none') return true;
  exam.broken('a publish is answered once', `m${publish.plan.id} was answered before`);
  return false;
}

/**
 * After a look at everything: a message in one of its topics is in all of them, and acked messages are there.
 */
export function allOrNone(exam: Examination): void {
  const { known } = exam;
  if (known.toAll.size === 0) return;
  const seen = new Map([...known.topics.values()].map((topic) => [topic.key, idsIn(topic)]));
  const isSeen = ({ topic, plan }: PublishKnown): boolean => seen.get(topic)?.has(plan.id) === true;
  for (const copies of known.toAll.values()) {
    const there = copies.find((copy) => isSeen(copy) && !known.topics.get(copy.topic)!.isVolatile);
    for (const copy of copies) {
      if (isSeen(copy) || mayBeUnseen(exam, copy)) continue;
      const text = `m${copy.plan.id} is not in ${copy.topic}`;
      if (copy.answer === 'taken') exam.broken('no acked message is lost', text);
      else if (there && copy.toAll === 'all-or-none')
        exam.broken(
          'a publish to several topics is in all or in none',
          `${text}, and m${there.plan.id} is in ${there.topic}`,
        );
    }
  }
}

function idsIn({
  instances,
}: {
  readonly instances: ReadonlyMap<string, { readonly id: number }>;
}): Set<number> {
  return new Set(Array.from(instances.values(), ({ id }) => id));
}

/** Whether it may be in its topic, or have been there, without having been seen. */
export function mayBeUnseen(exam: Examination, { topic: key, plan, dueMs, mayMiss }: PublishKnown): boolean {
  if (mayMiss || plan.ttlMs !== undefined) return true;
  const topic = exam.known.topics.get(key)!;
  if (topic.deletedAt !== undefined || topic.isVolatile || topic.drops || topic.removals.length > 0)
    return true;
  if (topic.damages.length > 0 || topic.configs.some(({ retention }) => retention === 'interest'))
    return true;
  const hasWindow = topic.configs.some(({ dedupeWindowMs }) => dedupeWindowMs > 0);
  if (plan.dedupeId !== undefined && hasWindow) return true; // a duplicate of another
  if (dueMs !== undefined) {
    const { isDelayLogDamaged, upSinceWallMs } = exam.known;
    if (isDelayLogDamaged || exam.wallMs < Math.max(dueMs, upSinceWallMs) + dueSlackMs) return true;
  }
  // A group that has left takes the messages with it that it alone was holding.
  return (
    topic.isQueueLike &&
    topic.groups.some(
      ({ deletedAt, disturbedAt, mayExpire }) => deletedAt !== undefined || disturbedAt >= 0 || mayExpire,
    )
  );
}
