import type { Examination } from '../examination.ts';
import type { DeliveryKnown, GroupKnown, Instance } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { noteFailed } from './key-runs.ts';

/* What keeps deliveries back: rates, concurrency, and what consumers postponed. */

/** `inFlight` are the other messages that are surely in flight, on all partitions. */
export function mayGo(
  exam: Examination,
  group: GroupKnown,
  { partition, key }: Instance,
  inFlight: readonly DeliveryKnown[],
  text: string,
): void {
  if (inFlight.length >= group.concurrencyMax)
    exam.broken('no more at once than the concurrency', `${text}, ${inFlight.length} others are in flight`);
  spend(exam, group, text);
  for (const hold of group.holds) {
    const isOfMessage = hold.key === undefined || (hold.key.partition === partition && hold.key.name === key);
    const isKept = hold.run === exam.known.run || (group.isStored && exam.known.holds(hold));
    if (isOfMessage && exam.ms < hold.untilMs - 2 && isKept)
      exam.broken('nothing is delivered before its hold ends', `${text}, held until ${hold.untilMs}`);
  }
}

/** In any time, a group delivers no more than its burst and what its rate allows in that time. */
function spend(exam: Examination, group: GroupKnown, text: string): void {
  const rate = group.rateMax;
  if (rate === undefined) {
    group.spent = undefined;
    return;
  }
  const { run } = exam.known;
  const limit = `${rate.perSecond} ${rate.burst}`;
  const before = group.spent?.run === run && group.spent.limit === limit ? group.spent : undefined;
  const drained = before === undefined ? 0 : ((exam.ms - before.ms) / 1000) * rate.perSecond;
  const level = Math.max(0, (before?.level ?? 0) - drained) + 1;
  if (level > rate.burst + 0.001)
    exam.broken('no faster than the rate', `${text}, ${level.toFixed(3)} at once, and at most ${rate.burst}`);
  group.spent = { run, limit, ms: exam.ms, level };
}

/** A consumer postponed the message, its key or the group: no failure. */
export function postponed(
  exam: Examination,
  group: GroupKnown,
  delivery: DeliveryKnown,
  fact: FactOf<'answered'>,
): void {
  const { at, ms } = exam;
  const { run } = exam.known;
  const { scope = 'message', delayMs = 0 } = fact;
  const { partition, key: name } = delivery.instance;
  delivery.releases.push({ run, at, ms });
  delivery.answered = true;
  delivery.consumer = undefined;
  delivery.inFlightUntilMs = ms;
  delivery.earliestMs = scope === 'message' ? ms + delayMs : ms;
  group.givenBack.delete(delivery);
  noteFailed(exam, group, delivery);
  if (scope === 'message') return;
  const key = scope === 'key' ? { partition, name } : undefined;
  group.holds.push({ run, at, untilMs: ms + delayMs, key });
}

/** All holds end; those of keys also when the group is moved. */
export function resumed(exam: Examination, { group }: FactOf<'resumed'>): void {
  const known = exam.known.groups.get(group);
  if (known) known.holds = [];
}
