import type { Examination } from '../examination.ts';
import type { GroupKnown, PullKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { isOwed, mayBeRemoved } from '../losses.ts';

/* Pulls: the messages they take, and how they end. */

export function pull(exam: Examination, { pull: number, group, options }: FactOf<'pull'>): void {
  const known: PullKnown = { group, options, askedMs: exam.ms, messages: 0, bytes: 0, hasEnded: false };
  exam.known.pulls.set(number, known);
}

export function pulledOne(
  exam: Examination,
  { consumer = -1, bytes = 0 }: FactOf<'delivered'>,
  text: string,
): void {
  const known = exam.known.pulls.get(consumer);
  if (!known) return;
  if (known.hasEnded) exam.broken('a pull completes once', `${text} came after its end`);
  known.messages++;
  known.bytes += bytes;
  const { messagesMax, bytesMax = Infinity, takesAnyFirst = false } = known.options;
  const mayBeLarge = takesAnyFirst && known.messages === 1;
  if (known.messages > messagesMax || (known.bytes > bytesMax && !mayBeLarge))
    exam.broken(
      'a pull takes no more than its maximum',
      `${text} is message ${known.messages} of ${messagesMax}, byte ${known.bytes} of ${bytesMax}`,
    );
}

export function pulled(exam: Examination, fact: FactOf<'pulled'>): void {
  const known = exam.known.pulls.get(fact.pull);
  if (!known) return;
  const text = `pull ${fact.pull} of ${known.group} (${fact.end}, ${known.messages} messages)`;
  if (known.hasEnded) return exam.broken('a pull completes once', text);
  known.hasEnded = true;
  if (!hasReason(exam, fact, known)) exam.broken('a pull ends for a reason', text);
  if (fact.end === 'idle' && !fact.isPaused) isIdle(exam, known, text);
}

function hasReason(exam: Examination, { end }: FactOf<'pulled'>, known: PullKnown): boolean {
  const { messages, bytes, options, askedMs } = known;
  const { messagesMax, bytesMax = Infinity, messagesMin = Infinity, bytesMin = Infinity } = options;
  switch (end) {
    case 'full':
      return messages === messagesMax || bytes >= bytesMax;
    case 'enough':
      return messages >= messagesMin || bytes >= bytesMin;
    case 'idle':
      return options.idle === 'answer';
    case 'expired':
      return exam.ms >= askedMs + (options.waitMs ?? Infinity) - 0.01;
    case 'too-large':
      return options.bytesMax !== undefined && !(options.takesAnyFirst === true && messages === 0);
    case 'left':
      return false; // nothing ends one
    default:
      return true; // the group is gone
  }
}

/** Nothing was there that its group could have delivered. */
function isIdle(exam: Examination, { group: key }: PullKnown, text: string): void {
  const group = exam.known.groups.get(key);
  if (!group || mayHoldBack(group)) return;
  if (exam.known.clock.wentBack) return; // holds from before last longer
  for (const instance of group.topic.instances.values()) {
    const { partition, offset, goneAt } = instance;
    const delivery = group.deliveries.get(instance);
    if (goneAt !== undefined || !isOwed(group, instance, exam.known)) continue;
    if (delivery && !group.givenBack.has(delivery)) continue;
    if (delivery && (delivery.deadLettered > 0 || group.configs.length > 1)) continue;
    const isReadable = group.topic.readable.some((then) => then.partition === partition && then.end > offset);
    if (!isReadable || mayBeRemoved(instance, exam.known, exam.wallMs)) continue;
    return exam.broken('a pull is idle only when nothing is there', `${text}: m${instance.id} was`);
  }
}

function mayHoldBack(group: GroupKnown): boolean {
  const { isOrdered, limitsInFlight, holds, topic, resetsUnderWay, configs } = group;
  // With a single active consumer, the pulls of others are idle.
  if (configs.some(({ activeConsumers }) => activeConsumers === 'single')) return true;
  return isOrdered || limitsInFlight || holds.length > 0 || topic.damages.length > 0 || resetsUnderWay > 0;
}
