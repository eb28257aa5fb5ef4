import type { Examination } from '../examination.ts';
import type { GroupKnown, Instance } from '../facts.ts';
import { isOwed, mayBeBlocked, mayBeRemoved } from '../losses.ts';

/* The order of messages by their priority. */

/**
 * A message is delivered for the first time: no message with a higher priority is there that the group has
 * yet to get.
 */
export function higherFirst(exam: Examination, group: GroupKnown, instance: Instance, text: string): void {
  const { known } = exam;
  const { topic } = group;
  if (topic.priorities < 2 || group.honoursPriority !== true || group.resets > 0 || group.isOrdered) return;
  if (group.configs[0]!.start.kind === 'last-per-key') return; // these go before all others
  const level = known.levelOf(instance);
  for (const other of topic.instances.values()) {
    if (known.levelOf(other) <= level || group.deliveries.has(other) || other.goneAt !== undefined) continue;
    // Its partition may have no place for another message in flight.
    if (group.limitsInFlight && other.partition !== instance.partition) continue;
    if (!isReadable(other) || !isOwed(group, other, known) || mayBeBlocked(group, other, known)) continue;
    if (mayBeRemoved(other, known, exam.wallMs)) continue;
    const { partition, offset } = other;
    exam.broken('a higher priority goes first', `${text}, before m${other.id} at ${partition}/${offset}`);
  }
}

/** All readers got it, in this run. */
function isReadable({ topic, partition, offset }: Instance): boolean {
  return topic.readable.some((then) => then.partition === partition && then.end > offset);
}
