import type { Examination } from '../examination.ts';
import type { GroupKnown, Instance, Known } from '../facts.ts';

/* Messages with a time to live, and groups that want no old ones. */

/** Times are whole milliseconds in the broker, and fractions on the machine. */
const roundingMs = 2;
const slackMs = 100;

/** Infinity if the message has none. A dead letter and a message that was put back have none. */
function timeToLiveMs(known: Known, { id, letter, topic }: Instance): number {
  const publish = known.publishes.get(id);
  return (!letter && publish?.topic === topic.key && publish.plan.ttlMs) || Infinity;
}

/** When a message may expire, by the wall clock; undefined if it has no time to live. */
export function expiresMs(known: Known, instance: Instance): number | undefined {
  const dueMs = instance.timestampMs + timeToLiveMs(known, instance);
  return dueMs === Infinity ? undefined : dueMs;
}

/** Whether its timestamp says when the message entered its topic: its publish did not wait. */
export function isExact(known: Known, { id, topic }: Instance): boolean {
  const { mayWait, isGuess } = known.publishes.get(id)!;
  const waits = mayWait || isGuess === true || topic.configs.some(({ overflow }) => overflow !== 'reject');
  return !waits && known.redrives === 0;
}

/**
 * The last time at which the message may have entered its topic, by the wall clock: its timestamp, or when
 * clients first knew of it if its publish may have waited. Undefined if it may have been put back.
 */
function enteredMs({ known, events }: Examination, instance: Instance): number | undefined {
  if (known.redrives > 0 || !instance.isTimeSure) return undefined;
  return isExact(known, instance) ? instance.timestampMs : events[instance.seenAt]!.wallMs;
}

/** A delivery comes in time. */
export function inTime(exam: Examination, group: GroupKnown, instance: Instance, text: string): void {
  const { known, wallMs } = exam;
  const fromMs = enteredMs(exam, instance);
  if (fromMs === undefined || instance.letter) return;
  const ttlMs = timeToLiveMs(known, instance);
  if (wallMs >= fromMs + ttlMs + roundingMs)
    exam.broken('nothing expired is delivered', `${text}, expired ${wallMs - fromMs - ttlMs} ms ago`);
  const oldestMs = Math.max(...group.configs.map(({ messageTtlMs }) => messageTtlMs ?? Infinity));
  if (wallMs >= fromMs + oldestMs + roundingMs + known.clock.setBackMs)
    exam.broken('a group gets nothing too old', `${text}, ${wallMs - fromMs} ms old`);
}

/** Whether the group may be done with the message for its age. */
export function mayBeTooOld({ wallMs }: Examination, group: GroupKnown, instance: Instance): boolean {
  const youngestMs = Math.min(...group.configs.map(({ messageTtlMs }) => messageTtlMs ?? Infinity));
  return wallMs + 1 >= instance.timestampMs + youngestMs;
}

/** A message that is still there has not expired, unless a consumer of a queue may hold it. */
export function notExpired(exam: Examination, instance: Instance): void {
  const { known, wallMs } = exam;
  const { topic, partition, offset, id } = instance;
  const ttlMs = timeToLiveMs(known, instance);
  const fromMs = enteredMs(exam, instance);
  if (fromMs === undefined) return;
  const dueMs = fromMs + ttlMs;
  if (wallMs < Math.max(dueMs, known.upSinceWallMs) + slackMs) return;
  const mayBeHeld = topic.isQueueLike && topic.groups.some(({ deliveries }) => deliveries.has(instance));
  if (!mayBeHeld)
    exam.broken('what expires goes', `${topic.key}: m${id} at ${partition}/${offset} expired at ${dueMs}`);
}
