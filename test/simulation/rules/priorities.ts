import type { Examination } from '../examination.ts';
import type { GroupKnown, Instance, Known } from '../facts.ts';
import { isOwed, mayBeBlocked, mayBeRemoved } from '../losses.ts';
import { isExact } from './expiry.ts';

/* The order of messages by their priority, and by the time that they waited. */

/** A timestamp may be from before the message entered the topic, by so much. */
const slackMs = 20;

/**
 * A message is delivered for the first time: no message with a higher priority is there that the group has
 * yet to get.
 */
export function higherFirst(exam: Examination, group: GroupKnown, instance: Instance, text: string): void {
  const { known } = exam;
  const { topic } = group;
  if (topic.priorities < 2 || group.honoursPriority !== true || group.resets > 0 || group.isOrdered) return;
  if (group.configs[0]!.start.kind === 'last-per-key') return; // these go before all others
  for (const other of topic.instances.values()) {
    if (!ranksAbove(other, instance, known) || group.deliveries.has(other) || other.goneAt !== undefined)
      continue;
    // Its partition may have no place for another message in flight.
    if (group.limitsInFlight && other.partition !== instance.partition) continue;
    if (!isReadable(other) || !isOwed(group, other, known) || mayBeBlocked(group, other, known)) continue;
    if (mayBeRemoved(other, known, exam.wallMs)) continue;
    const { partition, offset } = other;
    exam.broken('a higher priority goes first', `${text}, before m${other.id} at ${partition}/${offset}`);
  }
}

/**
 * Whether a message has a higher priority than another one or, in a topic with ageing, a higher rank. False
 * if it is not known.
 */
function ranksAbove(a: Instance, b: Instance, known: Known): boolean {
  const { configs } = a.topic;
  const [ageingMs] = configs.map((config) => config.ageingMs);
  const lead = known.levelOf(a) - known.levelOf(b);
  if (ageingMs === undefined) return lead > 0;
  if (known.clock.wasSet) return false;
  if (!hasKnownArrival(known, a) || !hasKnownArrival(known, b)) return false;
  return lead * ageingMs > a.timestampMs - b.timestampMs + slackMs;
}

function hasKnownArrival(known: Known, instance: Instance): boolean {
  const publish = known.publishes.get(instance.id);
  if (publish === undefined || publish.plan.delayMs !== undefined || instance.letter) return false;
  return publish.transaction === undefined && isExact(known, instance);
}

/** All readers got it, in this run. */
function isReadable({ topic, partition, offset }: Instance): boolean {
  return topic.readable.some((then) => then.partition === partition && then.end > offset);
}
