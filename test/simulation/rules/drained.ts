import type { Examination } from '../examination.ts';
import { schedulesRun } from './schedules.ts';
import type { GroupKnown, Instance } from '../facts.ts';
import { isDone, isOwed, mayBeBlocked } from '../losses.ts';

/* When every group was given all it could get. */

/** Every group that is left has had all it is owed, and is done with it. */
export function drained(exam: Examination): void {
  delayed(exam);
  schedulesRun(exam);
  for (const group of exam.known.groups.values()) {
    for (const instance of group.topic.instances.values()) {
      if (instance.goneAt !== undefined || !isOwed(group, instance, exam.known)) continue;
      const wasDelivered = group.deliveries.has(instance);
      if (wasDelivered && isDone(group, instance)) continue;
      // Also one that was delivered: in a run of its key, behind the one that the group gave up.
      if (mayBeBlocked(group, instance, exam.known)) continue;
      if (!wasDelivered && isKeptBack(exam, group, instance)) continue;
      const text = `m${instance.id} at ${instance.partition}/${instance.offset} of ${group.key}`;
      exam.broken(
        'a group gets all it is owed',
        `${text} was never ${wasDelivered ? 'settled' : 'delivered'}`,
      );
    }
  }
}

/** A schedule published the message a moment ago, and the rate of the group does not allow it yet. */
function isKeptBack(exam: Examination, group: GroupKnown, { partition, offset }: Instance): boolean {
  const perSecond = Math.min(...group.configs.map(({ rate }) => rate?.perSecond ?? Infinity));
  const since = group.topic.readable.find((then) => then.partition === partition && then.end > offset);
  return since !== undefined && exam.ms - since.ms < (2 * 1000) / perSecond;
}

/** Every delayed message that was accepted has come, where nothing may have taken it since. */
function delayed(exam: Examination): void {
  if (exam.known.isDelayLogDamaged) return;
  for (const { plan, topic: key, dues, mayBeCancelled, answer, offset } of exam.known.publishes.values()) {
    const dueMs = Math.max(...dues.map((due) => due.dueMs));
    if (
      plan.ttlMs !== undefined ||
      dues.length === 0 ||
      mayBeCancelled ||
      dueMs > exam.wallMs ||
      answer !== 'stored' ||
      offset >= 0
    )
      continue;
    const topic = exam.known.topics.get(key)!;
    const mayBeGone = topic.isVolatile || topic.isQueueLike || topic.drops || topic.removals.length > 0;
    const mayBeUnread = topic.damages.length > 0; // it came, but could not be read
    if (mayBeGone || mayBeUnread || topic.deletedAt !== undefined) continue;
    if (![...topic.instances.values()].some(({ id }) => id === plan.id))
      exam.broken('what is delayed comes', `m${plan.id} was due at ${dueMs}`);
  }
}
