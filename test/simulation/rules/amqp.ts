import type { ChannelKnown, WireDelivery } from '../amqp-known.ts';
import type { WireAnswer } from '../amqp-facts.ts';
import type { Examination } from '../examination.ts';
import type { FactOf } from '../history.ts';
import type { DeliveryKnown, GroupKnown } from '../facts.ts';
import { mayBeRemoved } from '../losses.ts';
import { mayBeTooOld } from './expiry.ts';
import { giveBack } from './receipts.ts';

/* What AMQP clients see on the wire, beside what the broker's groups say. */

/** The answers of a group that are those of clients. */
const answerOf: { readonly [K in WireAnswer]: string } = { ack: 'ack', requeue: 'nack', reject: 'reject' };

/** A queue is what it was declared as, also after a start. */
export function declared(exam: Examination, { traits, topic, group }: FactOf<'declared'>): void {
  const { lengthMax, overflow, ttlMs, priorityMax = 0, isSingle, deliveryLimit, retryMs, letters } = traits;
  const check = (name: string, is: unknown, wanted: unknown): void => {
    if (is !== wanted)
      exam.broken('a queue is what it was declared as', `${topic.name}: ${name} is ${String(is)}`);
  };
  check('durability', topic.durability, 'disk');
  check('messagesMax', topic.messagesMax, lengthMax);
  check('overflow', topic.overflow, overflow?.startsWith('reject') ? 'reject' : 'drop-oldest');
  check('priorities', topic.priorities ?? 1, priorityMax + 1);
  check('dead letters', topic.deadLetter !== undefined, letters !== undefined);
  check('messageTtlMs', group.messageTtlMs, ttlMs);
  check('activeConsumers', group.activeConsumers === 'single', isSingle === true);
  check('maxDeliver', group.maxDeliver, deliveryLimit === undefined ? undefined : deliveryLimit + 1);
  check('backoffMs', group.backoffMs[0], retryMs);
}

export function consuming({ known: { amqp } }: Examination, fact: FactOf<'consuming'>): void {
  const { consumer, channel, prefetch, noAck } = fact;
  amqp.consumers.set(consumer, { channel: amqp.channel(channel), prefetch, noAck, coming: [] });
}

/** It holds for what comes after the next sign of the server. */
export function channelPrefetch({ known, at }: Examination, fact: FactOf<'channel-prefetch'>): void {
  const channel = known.amqp.channel(fact.channel);
  channel.prefetch = 0;
  channel.limits.push({ at, prefetch: fact.prefetch });
}

export function getting({ known }: Examination, { group, noAck }: FactOf<'getting'>): void {
  const { gets } = known.amqp;
  const before = gets.get(group);
  gets.set(group, { mayNotAck: noAck || before?.mayNotAck === true, coming: before?.coming ?? [] });
}

/** The broker's group has delivered a message; it is on its way to a client. */
export function handingOver(exam: Examination, fact: FactOf<'delivered'>): void {
  const { known, at } = exam;
  const { amqp } = known;
  const group = known.groups.get(fact.group);
  const instance = group?.topic.instance(fact.seen.partition, fact.seen.offset);
  const delivery = instance && group?.deliveries.get(instance);
  if (!group || !delivery) return;
  if (!fact.isHandedOver) return void amqp.deliveries.delete(delivery);
  comesAgainFirst(exam, group, delivery);
  const consumer = fact.consumer === undefined ? undefined : amqp.consumers.get(fact.consumer);
  const coming: WireDelivery = { group, delivery, at, count: fact.deliveries, consumer };
  amqp.deliveries.set(delivery, coming);
  if (consumer) consumer.coming.push(coming);
  else amqp.gets.get(fact.group)?.coming.push(coming);
}

/** A message that is delivered for the first time is not before one that went back to the queue. */
function comesAgainFirst(exam: Examination, group: GroupKnown, { instance, log }: DeliveryKnown): void {
  const { known } = exam;
  if (log.length > 1 || group.resets > 0 || group.topic.damages.length > 0) return;
  const returned = [...group.deliveries.values()].filter((other) => isReturned(exam, group, other));
  const first = returned.find((other) => known.levelOf(instance) <= known.levelOf(other.instance));
  if (!first) return;
  const text = `m${instance.id} at ${instance.offset} of ${group.key}, before m${first.instance.id}`;
  exam.broken('what comes again goes first', text);
}

/** It went back to its queue in this run, and may go out at once. */
function isReturned(exam: Examination, group: GroupKnown, delivery: DeliveryKnown): boolean {
  const { answered, acked, rejected, deadLettered, earliestMs, instance, log } = delivery;
  const { run, count } = log.at(-1)!;
  const isBack = answered && !acked && !rejected && group.backoffMsMin(count) === 0 && earliestMs <= exam.ms;
  if (!isBack && !group.givenBack.has(delivery)) return false;
  if (run !== exam.known.run || deadLettered > 0 || count >= group.maxDeliverMin) return false;
  return !mayBeRemoved(instance, exam.known, exam.wallMs) && !mayBeTooOld(exam, group, instance);
}

export function handedOver(exam: Examination, fact: FactOf<'handed-over'>): void {
  const { amqp } = exam.known;
  const channel = amqp.channel(fact.channel);
  const text = `m${fact.id} with tag ${fact.tag} on channel ${fact.channel}`;
  if (fact.tag !== channel.lastTag + 1)
    return exam.broken('a delivery tag is used once', `${text}, after ${channel.lastTag}`);
  channel.lastTag = fact.tag;
  if (fact.altered !== undefined) exam.broken('no message is altered', `${text} has another ${fact.altered}`);
  const consumer = fact.consumer === undefined ? undefined : amqp.consumers.get(fact.consumer);
  const coming = consumer ? consumer.coming : (amqp.gets.get(fact.group)?.coming ?? []);
  const isIt = ({ delivery }: WireDelivery): boolean => delivery.instance.id === fact.id;
  // Gets of several channels may be answered in any order.
  const at = consumer ? 0 : coming.findLastIndex(isIt); // an earlier one was given back before it was sent
  const [delivery] = coming.splice(Math.max(0, at), 1);
  if (!delivery || !isIt(delivery))
    return exam.broken('clients get what their queue delivers', `${text} was not delivered now`);
  delivery.channel = channel;
  delivery.tag = fact.tag;
  if (fact.redelivered !== delivery.count > 1)
    exam.broken('a redelivery says so', `${text}, delivery ${delivery.count}`);
  withinPrefetch(exam, channel, delivery, text);
  if (!fact.noAck) channel.unacked.set(fact.tag, delivery);
}

function withinPrefetch(
  exam: Examination,
  { unacked, asked, prefetch, recoveries }: ChannelKnown,
  { consumer }: WireDelivery,
  text: string,
): void {
  if (!consumer || consumer.noAck || recoveries > 0) return;
  // Answers within a transaction count when it is committed.
  const ofTx = asked.filter((delivery) => isOpen(exam, delivery));
  const held = [...unacked.values(), ...ofTx].filter((other) => other.consumer === consumer).length;
  if (consumer.prefetch > 0 && held >= consumer.prefetch)
    exam.broken('no more unanswered than the prefetch', `${text}, beside ${held} others`);
  if (prefetch > 0 && unacked.size >= prefetch)
    exam.broken('no more unanswered than the prefetch', `${text}, beside ${unacked.size} of the channel`);
}

/** Its answer waits for the end of a transaction. */
function isOpen({ known }: Examination, { asked }: WireDelivery): boolean {
  return asked?.tx !== undefined && known.amqp.transaction(asked.tx).state === 'open';
}

/** When the answer was to be carried out. */
function askedAt({ known }: Examination, { asked }: WireDelivery): number {
  if (asked?.tx === undefined) return asked!.at;
  const { state, askedAt: at } = known.amqp.transaction(asked.tx);
  return state === 'open' ? Infinity : at;
}

// ---- answers

export function answering(exam: Examination, fact: FactOf<'answering'>): void {
  const { amqp } = exam.known;
  const channel = amqp.channel(fact.channel);
  const { tag, multiple, answer, tx } = fact;
  for (const [each, delivery] of channel.unacked) {
    if (multiple ? each > tag : each !== tag) continue;
    channel.unacked.delete(each);
    delivery.asked = { at: exam.at, answer, ...(tx === undefined ? {} : { tx }) };
    channel.asked.push(delivery);
    if (tx !== undefined) amqp.transaction(tx).answers.push(delivery);
  }
}

/** A group has taken an answer: it is the one of the client. */
export function answeredForClient(exam: Examination, fact: FactOf<'answered'>): void {
  const { amqp, groups } = exam.known;
  const group = groups.get(fact.group);
  const instance = group?.topic.instance(fact.partition, fact.offset);
  const delivery = instance && group?.deliveries.get(instance);
  const ours = delivery && amqp.deliveries.get(delivery);
  if (!ours || !fact.took) return;
  const { asked, consumer } = ours;
  const mayBeUnasked = consumer ? consumer.noAck : amqp.gets.get(fact.group)?.mayNotAck === true;
  if (mayBeUnasked && fact.answer === 'ack') return;
  const isAsked = asked && asked.answer !== 'release' && answerOf[asked.answer] === fact.answer;
  if (isAsked && !isOpen(exam, ours)) return;
  const text = `${fact.answer} of m${instance.id} at ${fact.offset} of ${fact.group}`;
  exam.broken('only what a client answers is settled', text);
}

/** A delivery goes back because its channel ends, or because the client wants that. */
export function givenBack(exam: Examination, fact: FactOf<'given-back'>): void {
  const { amqp, groups } = exam.known;
  const group = groups.get(fact.group);
  const instance = group?.topic.instance(fact.partition, fact.offset);
  const delivery = instance && group?.deliveries.get(instance);
  if (!group || !delivery || !fact.took) return;
  const ours = amqp.deliveries.get(delivery);
  giveBack(exam, group, delivery);
  const channel = ours?.consumer?.channel ?? ours?.channel;
  if (!channel || channel.mayEnd || channel.recoveries > 0) return;
  const text = `m${instance.id} at ${fact.offset} of ${fact.group}`;
  exam.broken(
    'only what a client answers is settled',
    `${text} goes back, and channel ${channel.number} goes on`,
  );
}

/** The server has got there: all answers until then have been taken. */
export function synced(exam: Examination, fact: FactOf<'synced'>): void {
  const channel = exam.known.amqp.channel(fact.channel);
  while (channel.limits.length > 0 && channel.limits[0]!.at <= fact.upTo) {
    const { prefetch } = channel.limits.shift()!;
    channel.prefetch = channel.limits.length === 0 ? prefetch : 0;
  }
  for (const [name, at] of channel.lost)
    if (at <= fact.upTo) exam.broken('a message without a queue comes back', `m${name} did not`);
  const over = channel.asked.filter((delivery) => askedAt(exam, delivery) <= fact.upTo);
  channel.asked = channel.asked.filter((delivery) => !over.includes(delivery));
  for (const delivery of over) settled(exam, delivery);
}

function settled(exam: Examination, { group, delivery, at, asked }: WireDelivery): void {
  const { answered, acked, rejected, deadLettered, instance, log } = delivery;
  const isMoved = group.resets > 0 || group.deletedAt !== undefined || group.topic.deletedAt !== undefined;
  if (isMoved || answered || acked || rejected || deadLettered > 0 || log.at(-1)!.at !== at) return;
  if (group.givenBack.has(delivery) || mayBeRemoved(instance, exam.known, exam.wallMs)) return;
  exam.broken(
    'what a client answers is settled',
    `${asked!.answer} of m${instance.id} at ${instance.offset} of ${group.key}`,
  );
}

export function recovering({ known }: Examination, fact: FactOf<'recovering'>): void {
  known.amqp.channel(fact.channel).recoveries++;
}

/** All that came before went back; what was on its way is void. */
export function recovered(exam: Examination, fact: FactOf<'recovered'>): void {
  const channel = exam.known.amqp.channel(fact.channel);
  channel.recoveries--;
  for (const delivery of channel.unacked.values()) {
    delivery.asked = { at: exam.at, answer: 'release' };
    settled(exam, delivery);
  }
  channel.unacked.clear();
}

export function channelMayEnd({ known }: Examination, fact: FactOf<'channel-may-end'>): void {
  known.amqp.channel(fact.channel).mayEnd = fact.may;
}

// ---- returns

export function mandatory({ known, at }: Examination, fact: FactOf<'mandatory'>): void {
  if (fact.way === 'none') known.amqp.channel(fact.channel).lost.set(fact.name, at);
  else if (fact.way === 'sure') known.amqp.routed.add(fact.name);
}

export function returned(exam: Examination, { name, channel }: FactOf<'returned'>): void {
  const { amqp } = exam.known;
  if (amqp.routed.has(name))
    exam.broken('a message without a queue comes back', `m${name} has one, and came back`);
  amqp.channel(channel).lost.delete(name);
}
