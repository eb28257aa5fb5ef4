import type { Examination } from '../examination.ts';
import type { DeliveryKnown, GroupKnown, Instance } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { mayBeRemoved } from '../losses.ts';
import { hasLetter, leastCount } from './dead-letters.ts';
import { onDisk } from './durability.ts';
import { inTime } from './expiry.ts';
import { pulledOne } from './pulls.ts';
import { goesByKey, noteFailed } from './key-runs.ts';
import { atRest, goesOutInOrder, isStale } from './receipts.ts';
import { higherFirst } from './priorities.ts';
import { see, seenCommitted } from './sights.ts';
import { keepsPlace, notReplaced } from './unique.ts';
import { mayGo, postponed } from './throttles.ts';

/* Deliveries to groups, and their answers. */

/** A delivery is counted on disk after so long, as the broker promises. */
const countedAfterMs = 25;

export function delivered(exam: Examination, fact: FactOf<'delivered'>): void {
  const { topic: topicKey, group: groupKey, seen, deliveries } = fact;
  const group = exam.known.groups.get(groupKey);
  const topic = exam.known.topics.get(topicKey);
  if (!group || !topic) return exam.broken('sound', 'a delivery of a group that nobody created');
  const instance = see(exam, seen, topic);
  if (!instance) return;
  seenCommitted(exam, instance);
  const text = `m${seen.id} at ${seen.partition}/${seen.offset} to ${group.key}, delivery ${deliveries}`;
  const { run } = exam.known;
  onDisk(exam, exam.known.publishes.get(seen.id)!, topic, exam.known.written, 'delivered');
  if (group.deleted !== undefined) exam.broken('a deleted group gets nothing', text);
  if (!group.mayWant(seen.key))
    exam.broken('a group gets what its filters ask for', `${text}, key ${seen.key}`);
  inTime(exam, group, instance, text);
  const before = group.deliveries.get(instance);
  notReplaced(exam, instance);
  const delivery: DeliveryKnown = before ?? {
    instance,
    log: [],
    counted: 0,
    sinceMs: 0,
    inFlightUntilMs: 0,
    earliestMs: 0,
    untilMs: undefined,
    ownWaitMs: undefined,
    consumer: undefined,
    releases: [],
    answered: false,
    acked: undefined,
    rejected: false,
    deadLettered: 0,
  };
  if (before) again(exam, group, before, deliveries, text);
  else if (deliveries !== 1 && group.resets === 0) exam.broken('deliveries count from 1', text);
  const released = delivery.releases.length + (group.releasesBefore.get(instance) ?? 0);
  if (deliveries - released > group.maxDeliverMax) exam.broken('no more than maxDeliver deliveries', text);
  inOrder(exam, group, instance, deliveries === 1 && before === undefined, fact.consumer, text);
  delivery.log.push({ run, at: exam.at, ms: exam.ms, count: deliveries });
  delivery.answered = false;
  delivery.consumer = fact.consumer;
  delivery.ownWaitMs = fact.waitMs;
  waitFrom(group, delivery, exam.ms);
  group.deliveries.set(instance, delivery);
  goesOutInOrder(exam, group, delivery, text);
  pulledOne(exam, fact, text);
}

function waitFrom(group: GroupKnown, delivery: DeliveryKnown, sinceMs: number): void {
  const { ownWaitMs } = delivery;
  delivery.sinceMs = sinceMs;
  waitUntil(group, delivery, sinceMs + (ownWaitMs ?? group.deadlineMsMin));
  delivery.untilMs = ownWaitMs === undefined ? undefined : delivery.inFlightUntilMs;
}

function waitUntil(group: GroupKnown, delivery: DeliveryKnown, untilMs: number): void {
  delivery.untilMs = untilMs;
  delivery.inFlightUntilMs = untilMs;
  delivery.earliestMs = untilMs + group.backoffMsMin(delivery.log.at(-1)!.count);
}

/** Shortened waits hold for messages in flight. */
export function rewait(group: GroupKnown): void {
  for (const delivery of group.deliveries.values()) {
    if (delivery.answered) continue;
    if (delivery.untilMs === undefined) waitFrom(group, delivery, delivery.sinceMs);
    else {
      // Its own deadline stays, and the backoff after it may be another.
      const earliestMs = delivery.untilMs + group.backoffMsMin(delivery.log.at(-1)!.count);
      delivery.earliestMs = Math.min(delivery.earliestMs, earliestMs);
    }
  }
}

/** Nothing else may come: deliveries are counted on disk a bounded time after they were made. */
export function idle(exam: Examination, fact: FactOf<'idle'>): void {
  const { known, ms } = exam;
  atRest(exam, fact);
  for (const group of known.groups.values()) {
    if (!group.isStored || group.isAtMostOnce || group.deletedAt !== undefined) continue;
    for (const delivery of group.deliveries.values()) {
      const last = delivery.log.at(-1)!;
      if (last.run === known.run && last.ms + countedAfterMs <= ms)
        delivery.counted = Math.max(delivery.counted, last.count);
      for (const release of delivery.releases)
        if (release.run === known.run && release.ms + countedAfterMs <= ms) release.isStored = true;
    }
  }
}

function again(
  exam: Examination,
  group: GroupKnown,
  before: DeliveryKnown,
  deliveries: number,
  text: string,
): void {
  const last = before.log.at(-1)!;
  const { run } = exam.known;
  if (before.acked && exam.known.holds(before.acked)) exam.broken('no delivery after a durable ack', text);
  if (before.deadLettered > 0 && group.letters.size > 0 && hasLetter(group, before.instance))
    exam.broken('no delivery after the dead letter', text);
  if (last.run === run) {
    if (group.isAtMostOnce) exam.broken('at most once where asked', text);
    if (deliveries !== last.count + 1)
      exam.broken('deliveries count up by one', `${text} after ${last.count}`);
    if (exam.ms < before.earliestMs - 0.01)
      exam.broken(
        'no redelivery before deadline or nack',
        `${text}, due at ${before.earliestMs}, now ${exam.ms}`,
      );
    return;
  }
  const least = leastCount(exam, before) + 1;
  const most = Math.max(last.count, group.countsBefore.get(before.instance) ?? 0) + 1;
  if (deliveries < least || deliveries > most)
    exam.broken('deliveries are counted across restarts', `${text}, at least ${least}, at most ${most}`);
}

/** The first deliveries go in order, of a key too; no more in flight than the limit. */
function inOrder(
  exam: Examination,
  group: GroupKnown,
  instance: Instance,
  isFresh: boolean,
  consumer: number | undefined,
  text: string,
): void {
  const { partition, offset } = instance;
  const allInFlight = [...group.deliveries.values()].filter(
    ({ instance: other, log, answered, inFlightUntilMs }) =>
      other !== instance &&
      log.at(-1)!.run === exam.known.run &&
      !answered &&
      exam.ms < inFlightUntilMs &&
      !group.isAtMostOnce &&
      !mayBeRemoved(other, exam.known, exam.wallMs), // its place is free again
  );
  mayGo(exam, group, instance, allInFlight, text);
  if (group.isOrdered) goesByKey(exam, group, instance, consumer, allInFlight, text);
  const inFlight = allInFlight.filter(({ instance: other }) => other.partition === partition);
  if (!isFresh) return;
  if (inFlight.length >= group.maxInFlightMax)
    exam.broken('no more in flight than allowed', `${text}, ${inFlight.length} others are`);
  higherFirst(exam, group, instance, text);
  const honours = group.honoursPriority;
  if (group.isOrdered || honours === undefined) return;
  keepsPlace(exam, group, instance);
  if (exam.known.publishes.get(instance.id)?.plan.unique?.mode === 'replace') return;
  const place = `${partition}/${honours ? exam.known.levelOf(instance) : 0}`;
  const last = group.lastFresh.get(place) ?? -1;
  if (offset < last) exam.broken('first deliveries go in order', `${text}, after ${last}`);
  group.lastFresh.set(place, offset);
}

/**
 * A removed message is in flight with no consumer: it takes no place in maxInFlight, and does not block its
 * key.
 */
export function position(exam: Examination, { group, removed }: FactOf<'position'>): void {
  if (removed > 0) exam.broken('what is removed is not under way', `${removed} messages of ${group}`);
}

export function answered(exam: Examination, fact: FactOf<'answered'>): void {
  const group = exam.known.groups.get(fact.group)!;
  const { partition, offset, answer, took, delayMs } = fact;
  const instance = group.topic.instance(partition, offset);
  const delivery = instance && group.deliveries.get(instance);
  if (!delivery) {
    // A receipt from before a reset holds until the group is moved.
    if (took && fact.receipt && group.resetsUnderWay === 0 && !group.hasFailedToMove)
      exam.broken('a stale receipt settles nothing', `${answer} of ${partition}/${offset}`);
    return;
  }
  const text = `${answer} of m${instance.id} at ${partition}/${offset} by ${group.key}`;
  if (isStale(exam, fact, delivery)) {
    if (took) exam.broken('a stale receipt settles nothing', text);
    return;
  }
  const isInTime = delivery.log.at(-1)!.run === exam.known.run && exam.ms < delivery.inFlightUntilMs;
  if (!took) {
    const isTaken = delivery.answered || delivery.acked !== undefined || group.deletedAt !== undefined;
    // No answer is expected for a message that was removed while it was in flight.
    if (isInTime && !isTaken && !mayBeRemoved(instance, exam.known, exam.wallMs))
      exam.broken('an answer in time is taken', text);
    return;
  }
  const ack = { run: exam.known.run, at: exam.at };
  if (answer === 'ack') delivery.acked ??= ack;
  else if (answer === 'ack-all') {
    for (const other of group.deliveries.values())
      if (other.instance.partition === partition && other.instance.offset <= offset) {
        // Delivered by an earlier process, it may be blocked by its key again: then no consumer can ack it.
        if (group.isOrdered && other.log.at(-1)!.run !== exam.known.run) {
          other.mayBeAcked = true;
          continue;
        }
        group.givenBack.delete(other);
        const isGivenUp = other.log.at(-1)!.count >= group.maxDeliverMin; // perhaps before the answer came
        if (isGivenUp && other !== delivery) other.answered = true;
        if (other.rejected || other.deadLettered > 0 || (isGivenUp && other !== delivery)) continue;
        if (!other.acked || !exam.known.holds(other.acked)) other.acked = ack;
        other.answered = true;
      }
  } else if (answer === 'reject') delivery.rejected = true;
  else if (answer === 'postpone') return postponed(exam, group, delivery, fact);
  else if (answer === 'set-deadline') return waitUntil(group, delivery, exam.ms + delayMs!);
  else if (answer === 'nack') {
    delivery.earliestMs = exam.ms + (delayMs ?? group.backoffMsMin(delivery.log.at(-1)!.count));
    noteFailed(exam, group, delivery);
  } else {
    waitFrom(group, delivery, exam.ms);
    return;
  }
  if (answer === 'ack' && !exam.known.holds(delivery.acked!)) delivery.acked = ack;
  delivery.answered = true;
  group.givenBack.delete(delivery);
}
