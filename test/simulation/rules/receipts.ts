import type { Examination } from '../examination.ts';
import type { DeliveryKnown, GroupKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { mayBeRemoved } from '../losses.ts';
import { mayBeTooOld } from './expiry.ts';
import { noteFailed } from './key-runs.ts';
import { leastCount } from './dead-letters.ts';

/* Messages that consumers hold, give back, and answer by receipt. */

/** A timer goes off up to a millisecond late. */
const timerSlackMs = 2;

/** The receipt is of a delivery that was not the last one of its message. */
export function isStale(
  exam: Examination,
  { receipt }: FactOf<'answered'>,
  delivery: DeliveryKnown,
): boolean {
  if (!receipt) return false;
  const last = delivery.log.at(-1)!;
  if (last.at === receipt.of) return false;
  if (receipt.run === exam.known.run || last.run === exam.known.run) return true;
  // A delivery that was not counted on disk did not happen, for the process that came after: it may give the
  // number once more.
  const count = delivery.log.find(({ at }) => at === receipt.of)?.count;
  return last.count !== count && last.count <= leastCount(exam, delivery);
}

/** A consumer gives back its messages. */
export function released(exam: Examination, fact: FactOf<'released'>): void {
  const group = exam.known.groups.get(fact.group)!;
  const { run } = exam.known;
  const held = new Set<DeliveryKnown>();
  let lastAt = -1;
  for (const { partition, offset, delivery: count } of fact.held) {
    const instance = group.topic.instance(partition, offset);
    const delivery = instance && group.deliveries.get(instance);
    const last = delivery?.log.at(-1);
    if (!delivery && group.resetsUnderWay > 0) {
      // From before the reset: it is the consumer's until the group is moved.
      if (instance && !isKept(fact, partition)) group.noteReleasedBefore(instance);
      continue;
    }
    const text = `delivery ${count} of ${partition}/${offset} of ${group.key}`;
    if (!delivery || last?.run !== run || last.count !== count || delivery.consumer !== fact.consumer)
      return exam.broken('a consumer holds what it was given', `${text} is not its`);
    if (last.at < lastAt)
      exam.broken('a consumer holds what it was given', `${text} stands behind later ones`);
    lastAt = last.at;
    held.add(delivery);
    if (!isKept(fact, partition)) giveBack(exam, group, delivery);
  }
  if (group.isAtMostOnce) return;
  for (const delivery of group.deliveries.values())
    if (delivery.consumer === fact.consumer && !held.has(delivery)) notHeld(exam, group, delivery);
}

/** The consumer gives back its messages of another partition only. */
function isKept(fact: FactOf<'released'>, partition: number): boolean {
  return fact.partition !== undefined && fact.partition !== partition;
}

/** A consumer gives back one of its messages. */
export function giveBack(exam: Examination, group: GroupKnown, delivery: DeliveryKnown): void {
  const { at, ms } = exam;
  delivery.releases.push({ run: exam.known.run, at, ms });
  delivery.inFlightUntilMs = ms;
  delivery.earliestMs = ms;
  delivery.untilMs = -Infinity;
  delivery.consumer = undefined;
  group.givenBack.delete(delivery);
  group.givenBack.add(delivery);
  noteFailed(exam, group, delivery);
}

function notHeld(exam: Examination, { key }: GroupKnown, delivery: DeliveryKnown): void {
  const { answered, inFlightUntilMs, instance } = delivery;
  if (answered || delivery.log.at(-1)!.run !== exam.known.run || exam.ms >= inFlightUntilMs) return;
  if (mayBeRemoved(instance, exam.known, exam.wallMs)) return;
  exam.broken('a consumer holds what it was given', `m${instance.id} of ${key} is in flight, and not held`);
}

/** In the line of one key the lowest offset goes first, whichever message was given back first. */
function isInLineBehind(
  { keyConcurrencyMax }: GroupKnown,
  { instance }: DeliveryKnown,
  { instance: earlier }: DeliveryKnown,
): boolean {
  return keyConcurrencyMax === 1 && earlier.key === instance.key && earlier.offset < instance.offset;
}

/** Earlier messages given back, of its partition, have been delivered. */
export function goesOutInOrder(
  exam: Examination,
  group: GroupKnown,
  delivery: DeliveryKnown,
  text: string,
): void {
  if (!group.givenBack.has(delivery)) return;
  for (const earlier of group.givenBack) {
    if (earlier === delivery) break;
    const isElsewhere = earlier.instance.partition !== delivery.instance.partition;
    if (isElsewhere || mayPass(exam, group, delivery, earlier) || mayBeOver(exam, group, earlier)) continue;
    // With levels a message given back may stand behind a later one of its key.
    const isByKey = group.goesByKey || (group.isOrdered && group.honoursPriority !== false);
    if (isByKey && !isInLineBehind(group, delivery, earlier)) continue;
    if (group.holds.length > 0) continue;
    exam.broken('what was given back goes out in order', `${text}, before m${earlier.instance.id}`);
  }
  group.givenBack.delete(delivery);
}

/**
 * A message with a higher priority goes before those that were given back earlier; with ageing an older one
 * may.
 */
function mayPass(
  { known }: Examination,
  group: GroupKnown,
  { instance }: DeliveryKnown,
  { instance: earlier }: DeliveryKnown,
): boolean {
  if (group.honoursPriority === false) return false;
  if (known.levelOf(instance) > known.levelOf(earlier)) return true;
  const ages = instance.topic.configs.some(({ ageingMs }) => ageingMs !== undefined);
  return ages && (known.clock.wasSet || instance.timestampMs < earlier.timestampMs);
}

/** It may be done with in the meantime, without a word to clients. */
function mayBeOver(exam: Examination, group: GroupKnown, { instance, deadLettered }: DeliveryKnown): boolean {
  return (
    deadLettered > 0 ||
    mayBeRemoved(instance, exam.known, exam.wallMs) ||
    mayBeTooOld(exam, group, instance) ||
    (group.configs.length > 1 && group.maxDeliverMin < Infinity) // the limit was lowered
  );
}

/** Nothing is left to do: all deliverable messages were delivered, and no deadline has passed. */
export function atRest(exam: Examination, { hungry = [], inFlight = [] }: FactOf<'idle'>): void {
  const { known } = exam;
  for (const key of hungry) {
    const group = known.groups.get(key);
    if (!group || group.resetsUnderWay > 0 || group.limitsInFlight || isDamaged(group)) continue;
    // With order by key, another message of the key may have gone first, as its priority is higher.
    if (group.isOrdered && group.topic.priorities > 1) continue;
    if (group.goesByKey || group.holds.length > 0) continue;
    for (const delivery of group.givenBack) {
      if (mayBeOver(exam, group, delivery)) continue;
      const { id, partition, offset } = delivery.instance;
      const text = `m${id} at ${partition}/${offset} of ${key} has not gone out`;
      return exam.broken('what was given back goes out at once', text);
    }
  }
  for (const [key, count] of inFlight) {
    const group = known.groups.get(key);
    if (!group || group.deletedAt !== undefined) continue;
    const most = mayBeInFlight(exam, group);
    if (count > most)
      exam.broken('a deadline that passed is noticed', `${key} says consumers hold ${count}, not ${most}`);
  }
}

function isDamaged({ topic }: GroupKnown): boolean {
  return topic.damages.length > 0;
}

function mayBeInFlight(exam: Examination, group: GroupKnown): number {
  const { known, ms } = exam;
  const waitMs = group.deadlineMsMax;
  let count = 0;
  for (const { answered, log, untilMs, sinceMs } of group.deliveries.values()) {
    if (answered || log.at(-1)!.run !== known.run) continue;
    if (ms <= (untilMs ?? sinceMs + waitMs) + timerSlackMs) count++;
  }
  return count;
}
