import type { Examination } from '../examination.ts';
import type { FactOf } from '../history.ts';
import { isSameMember, PrecedenceKnown } from '../precedence-known.ts';

/* Which consumer of a group gets the messages: by priority, the single active one, the exclusive one. */

/** How long an active consumer may be silent, if its group does not say. */
const silenceMsDefault = 120_000;

export function attaching(exam: Examination, fact: FactOf<'attaching'>): void {
  const known = precedenceOf(exam, fact.group);
  const { consumer, member, isExclusive, isPull } = fact;
  const attached = { consumer, member, isExclusive, isPull, hasObstacle: false };
  const others = [...known.attached.values()].filter((other) => !isSameMember(other, attached));
  const hasObstacle = others.some((other) => other.isExclusive) || (isExclusive && others.length > 0);
  known.attached.set(consumer, { ...attached, hasObstacle });
}

export function attachOutcome(exam: Examination, fact: FactOf<'attach-outcome'>): void {
  const known = precedenceOf(exam, fact.group);
  const attached = known.attached.get(fact.consumer);
  if (!attached) return; // a pull that has ended already
  const text = `consumer ${fact.consumer} of ${fact.group}`;
  if (fact.refused === undefined) {
    if (attached.hasObstacle) exam.broken('an exclusive consumer is alone', text);
    // A sign of life of its member; an attachment that was refused is none.
    if (known.isActive(attached)) known.signMs = exam.ms;
    return;
  }
  known.attached.delete(fact.consumer);
  if (fact.refused === 'consumer-exclusive' && !attached.hasObstacle)
    exam.broken('a consumer is refused only for another', text);
}

export function detached(exam: Examination, fact: FactOf<'detached'>): void {
  precedenceOf(exam, fact.group).attached.delete(fact.consumer);
}

/** The broker's word about the active consumer. */
export function active(exam: Examination, { group: key, consumer, why }: FactOf<'active'>): void {
  const known = precedenceOf(exam, key);
  if (consumer !== undefined) {
    const chosen = known.attached.get(consumer);
    if (known.active || !chosen)
      exam.broken(
        'one consumer is active at a time',
        `${consumer} of ${key}, after ${known.active?.consumer}`,
      );
    known.active = chosen;
    known.signMs = exam.ms;
    return;
  }
  const silenceMs = Math.min(
    ...exam.known.groups.get(key)!.configs.map(({ activeSilenceMs = silenceMsDefault }) => activeSilenceMs),
  );
  if (why === 'silent' && exam.ms - known.signMs < silenceMs - 1)
    exam.broken('an active consumer is silent only after a time', `${known.active?.consumer} of ${key}`);
  known.active = undefined;
}

/** The group has a new configuration. */
export function reconfigured(exam: Examination, { group: key, config }: FactOf<'group'>): void {
  if (config.activeConsumers !== 'single') precedenceOf(exam, key).active = undefined;
}

export function deliveredTo(exam: Examination, fact: FactOf<'delivered'>): void {
  const { group: key, consumer, isSingle = false, passedOver, seen } = fact;
  if (consumer === undefined) return;
  const text = `m${seen.id} of ${key} to consumer ${consumer}`;
  if (passedOver !== undefined)
    exam.broken('a lower priority waits for a higher', `${text}, while ${passedOver} has credit`);
  const known = precedenceOf(exam, key);
  const attached = known.attached.get(consumer);
  if (isSingle && attached && !known.isActive(attached))
    exam.broken('one consumer is active at a time', `${text}, while ${known.active?.consumer} is active`);
}

/** An answer to a delivery that is in flight is a sign of life of its consumer. */
export function answeredBy(exam: Examination, fact: FactOf<'answered'>): void {
  const group = exam.known.groups.get(fact.group);
  const instance = group?.topic.instance(fact.partition, fact.offset);
  const delivery = instance && group?.deliveries.get(instance);
  if (!delivery || !fact.took || delivery.answered || exam.ms >= delivery.inFlightUntilMs) return;
  const known = precedenceOf(exam, fact.group);
  const holder = delivery.consumer === undefined ? undefined : known.attached.get(delivery.consumer);
  if (holder && delivery.log.at(-1)!.run === exam.known.run && known.isActive(holder)) known.signMs = exam.ms;
}

/**
 * At rest, a group with a single active consumer has one, if it has any. A pull becomes the active one with
 * its first message only.
 */
export function activeAtRest(exam: Examination): void {
  for (const [key, { attached, active: chosen }] of exam.known.precedences) {
    const group = exam.known.groups.get(key);
    if (!group || group.deletedAt !== undefined) continue;
    // A crash may have taken the last configuration.
    if (group.configs.some(({ activeConsumers }) => activeConsumers !== 'single')) continue;
    if (chosen || attached.size === 0 || [...attached.values()].some(({ isPull }) => isPull)) continue;
    return exam.broken('a takeover is at once', `${key} has consumers, and none is active`);
  }
}

function precedenceOf({ known }: Examination, group: string): PrecedenceKnown {
  let precedence = known.precedences.get(group);
  if (!precedence) known.precedences.set(group, (precedence = new PrecedenceKnown()));
  return precedence;
}
