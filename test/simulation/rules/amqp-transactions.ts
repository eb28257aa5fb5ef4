import type { TxKnown, WireDelivery } from '../amqp-known.ts';
import type { Examination } from '../examination.ts';
import type { PublishKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { onDisk } from './durability.ts';
import { mayBeUnseen } from './several-topics.ts';

/* Transactions of AMQP: publishes and answers that are one. */

export function tx(exam: Examination, { tx: number, channel, what }: FactOf<'tx'>): void {
  const { amqp } = exam.known;
  const known = amqp.transaction(number);
  switch (what) {
    case 'commit':
      known.state = 'asked';
      known.askedAt = exam.at;
      return;
    case 'committed':
      return committed(exam, known);
    case 'partial':
      known.state = 'partial';
      for (const publish of known.publishes) publish.answer = 'unsure';
      return;
    case 'rollback':
      known.state = 'dropped';
      for (const delivery of known.answers) takeBack(exam, channel, delivery);
      return;
    default:
      return what satisfies never;
  }
}

/** A delivery is unanswered again. */
function takeBack({ known }: Examination, number: number, delivery: WireDelivery): void {
  const channel = known.amqp.channel(number);
  delete delivery.asked;
  channel.asked = channel.asked.filter((other) => other !== delivery);
  const all = [...channel.unacked, [delivery.tag!, delivery] as const].toSorted(([a], [b]) => a - b);
  channel.unacked.clear();
  for (const [tag, each] of all) channel.unacked.set(tag, each);
}

/** All of it is on disk. */
function committed(exam: Examination, transaction: TxKnown): void {
  const { known } = exam;
  transaction.state = 'committed';
  for (const publish of transaction.publishes) {
    publish.answer = 'taken';
    publish.answeredWallMs = exam.wallMs;
    const topic = known.topic(publish.topic, exam.at);
    if (!publish.mayMiss)
      onDisk(exam, { ...publish, askedAt: transaction.askedAt }, topic, known.written, 'committed');
  }
  for (const { delivery, group, at } of transaction.answers) {
    const { acked, log } = delivery;
    if (log.at(-1)!.at !== at) continue; // it came again since
    if (!acked || acked.run !== known.run || acked.at < transaction.askedAt || !group.isStored) continue;
    if (known.written < acked.at - 1)
      exam.broken('nobody hears of what is not on disk', `the ack of m${delivery.instance.id}, committed`);
    known.noteDurable(acked.run, acked.at);
  }
}

/**
 * After a look at everything: the publishes of a transaction are there, and its acks are, or none of them.
 */
export function txAllOrNone(exam: Examination): void {
  for (const transaction of exam.known.amqp.transactions) {
    const { state } = transaction;
    if (state !== 'asked' && state !== 'committed') continue;
    const there = transaction.publishes.find((publish) => isSeen(exam, publish));
    const missing = transaction.publishes.find(
      (publish) =>
        !isSeen(exam, publish) && !mayBeUnseen(exam, publish) && !mayBeRefused(exam, transaction, publish),
    );
    const done = transaction.answers.find((delivery) => isSurelyDone(exam, delivery));
    const undone = transaction.answers.find((delivery) => isUndone(exam, delivery));
    const isIn = there ? `m${there.plan.id} is there` : done && `m${done.delivery.instance.id} is acked`;
    const isOut = missing
      ? `m${missing.plan.id} is not there`
      : undone && `m${undone.delivery.instance.id} is not acked`;
    if (isOut === undefined || (isIn === undefined && state === 'asked')) continue;
    exam.broken('a transaction is whole or not at all', `${isOut}, and ${isIn ?? 'it was committed'}`);
  }
}

/**
 * Whether a full queue may have refused the message, in all of its queues; the others of the transaction are
 * published then. The answer to the commit says so, if it is heard.
 */
function mayBeRefused(
  { known }: Examination,
  { state, publishes }: TxKnown,
  { plan }: PublishKnown,
): boolean {
  if (state === 'committed') return false;
  return publishes
    .filter((other) => other.plan.copyOf === plan.copyOf)
    .some(({ topic }) => known.topics.get(topic)!.configs.some(({ overflow }) => overflow === 'reject'));
}

function isSeen({ known }: Examination, { topic, plan }: PublishKnown): boolean {
  for (const { id } of known.topics.get(topic)!.instances.values()) if (id === plan.id) return true;
  return false;
}

/** The message was acked and is not there any more, and nothing but the ack can be the reason. */
function isSurelyDone(exam: Examination, { delivery, group, asked, at }: WireDelivery): boolean {
  const { instance, acked, log } = delivery;
  if (asked?.answer !== 'ack' || !acked || instance.goneAt === undefined) return false;
  if (log.at(-1)!.at !== at) return false; // another delivery may have been acked
  const { topic } = group;
  if (topic.drops || topic.removals.length > 0 || topic.deletedAt !== undefined) return false;
  if (group.mayExpire || topic.damages.length > 0) return false;
  return exam.known.publishes.get(instance.id)?.plan.ttlMs === undefined;
}

/** The message is still there, or came again: the ack has not been. */
function isUndone({ known }: Examination, { delivery, group, asked, at }: WireDelivery): boolean {
  const { instance, log } = delivery;
  if (asked?.answer !== 'ack' || !group.isStored || group.topic.damages.length > 0) return false;
  if (group.deletedAt !== undefined || group.topic.deletedAt !== undefined) return false;
  const after = log.find((each) => each.at > at);
  if (after) return after.run > log.find((each) => each.at === at)!.run;
  return instance.goneAt === undefined && log.at(-1)!.run < known.run;
}
