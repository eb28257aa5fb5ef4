import type { Examination } from '../examination.ts';
import type { GroupKnown, Instance, Known } from '../facts.ts';

/* Messages with a time to live, and groups that want no old ones. */

/** Times are whole milliseconds in the broker, and fractions on the machine. */
const roundingMs = 2;
const slackMs = 100;

/**
 * When a message may expire, by the wall clock; undefined if it has no time to live. A dead letter and a
 * message that was put back have none.
 */
export function expiresMs(known: Known, { id, letter, topic, timestampMs }: Instance): number | undefined {
  const publish = known.publishes.get(id);
  const ttlMs = publish?.plan.ttlMs;
  if (ttlMs === undefined || letter || publish!.topic !== topic.key) return undefined;
  return timestampMs + ttlMs;
}

/**
 * Whether it is known when the message entered its topic: its timestamp says so, unless it waited for room.
 */
export function isExact(known: Known, { id, topic }: Instance): boolean {
  const { mayWait, isGuess } = known.publishes.get(id)!;
  const waits = mayWait || isGuess === true || topic.configs.some(({ overflow }) => overflow === 'wait');
  return !waits && known.redrives === 0;
}

/** A delivery comes in time. */
export function inTime(exam: Examination, group: GroupKnown, instance: Instance, text: string): void {
  const { known, wallMs } = exam;
  const dueMs = expiresMs(known, instance);
  if (dueMs !== undefined && isExact(known, instance) && wallMs >= dueMs + roundingMs)
    exam.broken('nothing expired is delivered', `${text}, expired ${wallMs - dueMs} ms ago`);
  const oldestMs = Math.max(...group.configs.map(({ messageTtlMs }) => messageTtlMs ?? Infinity));
  const isPublished = !instance.letter && isExact(known, instance);
  if (isPublished && wallMs >= instance.timestampMs + oldestMs + roundingMs)
    exam.broken('a group gets nothing too old', `${text}, ${wallMs - instance.timestampMs} ms old`);
}

/** A message that is still there has not expired, unless a consumer of a queue may hold it. */
export function notExpired(exam: Examination, instance: Instance): void {
  const { known, wallMs } = exam;
  const { topic, partition, offset, id } = instance;
  const dueMs = expiresMs(known, instance);
  if (dueMs === undefined || !isExact(known, instance)) return;
  const fromMs = Math.max(dueMs, known.upSinceWallMs);
  if (wallMs < fromMs + slackMs) return;
  const mayBeHeld = topic.isQueueLike && topic.groups.some(({ deliveries }) => deliveries.has(instance));
  if (!mayBeHeld)
    exam.broken('what expires goes', `${topic.key}: m${id} at ${partition}/${offset} expired at ${dueMs}`);
}
