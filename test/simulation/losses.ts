import type { TopicConfig } from '../../src/broker/index.ts';
import {
  matches,
  type GroupKnown,
  type Instance,
  type Known,
  type PublishKnown,
  type TopicKnown,
} from './facts.ts';
import type { Fact } from './history.ts';
import { expiresMs } from './rules/expiry.ts';
import type { PlannedMessage } from './script.ts';

/**
 * Why a message that was stored may be gone; undefined when nothing that was asked for explains it. It errs
 * on the side of the broker only where clients cannot know better: an operation that was asked for and not
 * confirmed may have happened or not.
 */
export function mayBeGone(instance: Instance, known: Known, readMs: number): string | undefined {
  const nowMs = known.clock.latest(readMs);
  const { topic } = instance;
  if (topic.deletedAt !== undefined) return 'topic deleted';
  if (topic.isDamaged(instance.partition, instance.offset)) return 'damaged';
  const from = askedAt(instance, known);
  for (const { at, fact, doneAt } of topic.removals) {
    // A rollup removes earlier messages; any other removal takes the messages it finds until it is done.
    if ((fact.kind === 'publish' && fact.plan.rollup ? at : doneAt) <= from) continue;
    const cause = removes(fact, instance, known);
    if (cause !== undefined) return cause;
  }
  const dueMs = expiresMs(known, instance);
  if (dueMs !== undefined && nowMs + 1 >= dueMs) return 'ttlMs';
  const cause =
    limitThatDrops(instance, known, nowMs) ?? (topic.isQueueLike ? settledBy(instance, known) : undefined);
  return cause ?? (known.transactionOf(instance)?.isCommitted === false ? 'aborted' : undefined);
}

/**
 * The same for a message that the broker reports as gone, perhaps before the messages that pushed it out are
 * known: they may be in the open commit.
 */
export function mayBeRemoved(instance: Instance, known: Known, nowMs: number): boolean {
  if (mayBeGone(instance, known, nowMs) !== undefined) return true;
  const { topic, partition, offset } = instance;
  const unseen = unseenOf(topic, known, nowMs, () => true);
  // Dead letters and redriven messages come without a publish.
  const others = known.redrives > 0 ? Infinity : known.deadLetteredAt.size;
  const kept =
    topic.priorities > 1 ? outranking(instance, known, nowMs) : (topic.next[partition] ?? 0) - 1 - offset;
  const above = kept + unseen + others;
  const ofKey = laterOfKey(instance, known, nowMs) + others;
  return topic.configs.some((config) => {
    const { messagesMax, bytesMax, overflow } = config;
    const perKey = perKeyMaxThatDrops(config);
    if (perKey !== undefined && ofKey >= perKey) return true;
    if (overflow !== 'drop-oldest') return false;
    return (messagesMax !== undefined && above >= messagesMax) || (bytesMax !== undefined && above > 0);
  });
}

function removes(fact: Fact, instance: Instance, known: Known): string | undefined {
  switch (fact.kind) {
    case 'remove':
      return fact.partition === instance.partition && fact.offset === instance.offset ? 'removed' : undefined;
    case 'purge': {
      if (fact.partition !== instance.partition) return undefined;
      if (fact.pattern !== undefined && !matches(fact.pattern, instance.key)) return undefined;
      return fact.before !== undefined && instance.offset >= fact.before ? undefined : 'purged';
    }
    case 'redrive':
      return instance.letter ? 'redriven' : undefined;
    case 'publish':
      if (fact.plan.unique && fact.plan.id !== instance.id)
        return known.publishes.get(instance.id)?.plan.unique?.key === fact.plan.unique.key
          ? 'replaced'
          : undefined;
      if (fact.plan.rollup === 'topic') return 'rolled up';
      return fact.plan.rollup === 'key' && fact.plan.key === instance.key ? 'rolled up' : undefined;
    default:
      return undefined;
  }
}

/** Limits of the topic, under any configuration it was ever asked to have. */
function limitThatDrops(instance: Instance, known: Known, nowMs: number): string | undefined {
  const { topic, partition, offset, timestampMs } = instance;
  const above =
    topic.priorities > 1 ? outranking(instance, known, nowMs) : (topic.next[partition] ?? 0) - 1 - offset;
  for (const config of topic.configs) {
    const { messagesMax, bytesMax, ageMsMax, overflow } = config;
    if (overflow === 'drop-oldest') {
      if (messagesMax !== undefined && above >= messagesMax) return 'messagesMax';
      if (bytesMax !== undefined && above > 0) return 'bytesMax'; // an estimate: docs/decisions/0003
    }
    if (ageMsMax !== undefined && nowMs - timestampMs >= ageMsMax) return 'ageMsMax';
    const perKey = perKeyMaxThatDrops(config);
    if (perKey !== undefined && laterOfKey(instance, known, nowMs) >= perKey) return 'messagesPerKeyMax';
  }
  return undefined;
}

/**
 * The number of messages that a full topic with priorities keeps rather than this one: those of higher levels
 * and the later ones of its own, and those never seen anywhere.
 */
function outranking(instance: Instance, known: Known, nowMs: number): number {
  const { topic, partition, offset } = instance;
  const level = known.levelOf(instance);
  let count = topic.next[partition] ?? 0; // messages of any level may have been at the offsets not seen
  for (const other of topic.instances.values()) {
    if (other.partition !== partition) continue;
    count--;
    const otherLevel = known.levelOf(other);
    if (otherLevel > level || (otherLevel === level && other.offset > offset)) count++;
  }
  return count + unseenOf(topic, known, nowMs, ({ priority = 0 }) => priority >= level);
}

/**
 * The number of such messages that may have been stored and were never seen; each run of a schedule is one.
 */
function unseenOf(
  { instances, publishes }: TopicKnown,
  known: Known,
  nowMs: number,
  isSuch: (plan: PlannedMessage) => boolean,
): number {
  const seen = new Set(Array.from(instances.values(), ({ id }) => id));
  let count = 0;
  for (const { plan, answer } of publishes) {
    if (answer === 'refused' || !isSuch(plan)) continue;
    const schedule = known.schedules.get(plan.id);
    if (schedule) count += schedule.unseenRuns(nowMs);
    else if (!seen.has(plan.id)) count++;
  }
  return count;
}

/** How many messages of a key the topic holds before it drops the oldest of them. */
export function perKeyMaxThatDrops({
  compaction,
  messagesPerKeyMax,
  overflowPerKey,
}: TopicConfig): number | undefined {
  if (compaction) return 1;
  return overflowPerKey === 'drop-oldest' ? messagesPerKeyMax : undefined;
}

/**
 * The number of messages of that key that may be above the offset: those seen there, and those never seen
 * anywhere.
 */
function laterOfKey({ topic, partition, offset, key }: Instance, known: Known, nowMs: number): number {
  let count = unseenOf(topic, known, nowMs, (plan) => plan.key === key);
  for (const other of topic.instances.values())
    if (other.partition === partition && other.offset > offset && other.key === key) count++;
  // A message removed before it was seen, a dead letter or a redriven message, may have had that key.
  for (const { fact } of topic.removals)
    if (fact.kind === 'remove' && fact.partition === partition && fact.offset > offset) count++;
  return count;
}

/** Queue and interest retention: some group is done with it, and no group that wants it is not. */
function settledBy(instance: Instance, known: Known): string | undefined {
  const { topic } = instance;
  if (topic.configs[0]!.retention === 'interest' && wasUnwanted(instance, known)) return 'unwanted';
  let isSettled = false;
  for (const group of topic.groups) {
    const isDisturbed = group.deletedAt !== undefined || group.disturbedAt >= 0 || group.mayExpire;
    if (isDisturbed || isDone(group, instance)) {
      isSettled = true;
      continue;
    }
    if (group.surelyWants(instance.key) && wasReady(group, instance, known)) return undefined;
  }
  return isSettled ? 'settled' : undefined;
}

/**
 * The group has done all it does with the message, whether or not that was on disk when the last run ended.
 */
export function isDone(group: GroupKnown, instance: Instance): boolean {
  if (group.isCommitted)
    return instance.topic.committed(group.name, instance.partition).mayPass(instance.offset);
  const delivery = group.deliveries.get(instance);
  if (!delivery) return false;
  if (delivery.acked || delivery.mayBeAcked || delivery.rejected || delivery.deadLettered > 0) return true;
  return group.isAtMostOnce || delivery.log.at(-1)!.count >= group.maxDeliverMin;
}

/**
 * The group existed, with nothing skipped before the message, when the message was published; or it came
 * later, before any group was done with the message.
 */
function wasReady(group: GroupKnown, instance: Instance, known: Known): boolean {
  if (group.configs[0]!.start.kind === 'all') {
    const earlier = instance.topic.groups.filter(({ createdAt }) => createdAt < group.createdAt);
    return !earlier.some((other) => mayHaveSettled(other, instance, group.createdAt));
  }
  return group.readyAt !== undefined && askedAt(instance, known) > group.readyAt;
}

/** The group may have been done with the message, or without interest in it, by then. */
function mayHaveSettled(group: GroupKnown, instance: Instance, by: number): boolean {
  if (group.mayExpire || (group.deletedAt ?? Infinity) < by || group.disturbedAt >= 0) return true;
  const delivery = group.deliveries.get(instance);
  if (group.isCommitted) return isDone(group, instance);
  return delivery !== undefined && isDone(group, instance) && delivery.log[0]!.at < by;
}

/** Interest retention: perhaps no group was there to want it. */
function wasUnwanted(instance: Instance, known: Known): boolean {
  const at = askedAt(instance, known);
  return !instance.topic.groups.some(
    (group) =>
      group.readyAt !== undefined &&
      group.readyAt < at &&
      (group.deletedAt ?? Infinity) > at &&
      group.surelyWants(instance.key),
  );
}

/** When the message may first have been appended, as an index of the history. */
function askedAt(instance: Instance, known: Known): number {
  const { letter } = instance;
  if (letter)
    return (
      known.deadLetteredAt.get(`${letter.topic}/${letter.group}/${letter.partition}/${letter.offset}`) ?? 0
    );
  return known.publishes.get(instance.id)?.askedAt ?? 0;
}

/** Whether a group is bound to have had the message by now, if it still stands. */
export function isOwed(group: GroupKnown, instance: Instance, known: Known): boolean {
  if (
    group.isCommitted ||
    expiresMs(known, instance) !== undefined ||
    known.transactionOf(instance)?.isCommitted === false ||
    group.deletedAt !== undefined ||
    group.mayExpire ||
    group.topic.deletedAt !== undefined ||
    group.readyAt === undefined ||
    !group.surelyWants(instance.key) ||
    group.topic.isDamaged(instance.partition, instance.offset)
  )
    return false;
  const from = Math.max(group.disturbedAt, group.configs[0]!.start.kind === 'all' ? -1 : group.readyAt);
  return askedAt(instance, known) > from;
}

/**
 * Whether a message need not come because another that the group gave up stays pending: no dead-letter topic
 * has room for it. It keeps its key (`ordering: 'key'`) and its place in maxInFlight.
 */
export function mayBeBlocked(group: GroupKnown, instance: Instance, known: Known): boolean {
  if (!group.isOrdered && !group.limitsInFlight) return false;
  if (!mayRefuseLetters(group, known)) return false;
  for (const { instance: other, acked, deadLettered, log, rejected } of group.deliveries.values()) {
    if (other === instance || other.partition !== instance.partition || other.goneAt !== undefined) continue;
    const isGivenUp = rejected || log.at(-1)!.count >= group.maxDeliverMin;
    if (!isGivenUp || deadLettered > 0 || (acked && known.holds(acked))) continue;
    if (group.limitsInFlight || other.key === instance.key) return true;
  }
  return false;
}

/** Under some configuration that was asked for, a dead-letter topic of the group may take no dead letter. */
function mayRefuseLetters(group: GroupKnown, known: Known): boolean {
  const names = new Set(group.configs.map(({ deadLetter }) => deadLetter));
  return [...known.topics.values()].some(
    ({ name, configs }) => names.has(name) && configs.some((config) => mayRefuse(config)),
  );
}

function mayRefuse(config: TopicConfig): boolean {
  const { sealed, messageBytesMax, messagesMax, bytesMax, messagesPerKeyMax } = config;
  if (sealed || messageBytesMax !== undefined) return true;
  if (messagesPerKeyMax !== undefined && config.overflowPerKey === 'reject') return true;
  return config.overflow !== 'drop-oldest' && (messagesMax !== undefined || bytesMax !== undefined);
}

export type { PublishKnown };
