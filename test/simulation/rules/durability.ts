import type { Examination } from '../examination.ts';
import type { PublishKnown, TopicKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { sqsEnded, sqsWritten } from './sqs.ts';

/* What must be on disk. */

export function ended(exam: Examination, isStopped: boolean): void {
  exam.known.isUp = false;
  exam.known.clock.ended();
  exam.known.syncFailedAt = undefined;
  exam.known.pulls.clear();
  exam.known.precedences.clear();
  exam.known.amqp.ended();
  sqsEnded(exam, isStopped);
  for (const group of exam.known.groups.values()) {
    if (group.resetsUnderWay > 0) group.disturbedAt = exam.at;
    group.restarted(exam.known);
  }
  for (const topic of exam.known.topics.values()) {
    topic.restarted(exam.at);
    if (topic.deleted && !exam.known.isDurable(topic.deleted.run, topic.deleted.at))
      topic.deleted = undefined;
  }
}

/** A commit that was written before the message was published cannot hold it. */
export function onDisk(
  exam: Examination,
  publish: PublishKnown,
  topic: TopicKnown,
  written: number,
  what: string,
): void {
  if (topic.isVolatile || written >= publish.askedAt) return;
  exam.broken('nobody hears of what is not on disk', `m${publish.plan.id} was ${what} before it was written`);
}

/** The broker is up, for the first time or again. */
export function started(exam: Examination): void {
  const { known } = exam;
  for (const topic of known.topics.values()) topic.readable.length = 0;
  known.isUp = true;
  known.upSinceWallMs = exam.wallMs;
  if (known.syncFailedAt !== undefined) exam.broken('a failed sync is final', 'the broker is up after it');
}

export function stopping({ known, at }: Examination): void {
  known.stoppingAt = at;
}

/** What was answered before the stop is on disk; an ack that came meanwhile may have been too late. */
export function stopped(exam: Examination): void {
  exam.known.noteDurable(exam.known.run, exam.known.stoppingAt);
  ended(exam, true);
}

export function written(exam: Examination, { upTo }: FactOf<'written'>): void {
  const { known } = exam;
  known.written = upTo;
  sqsWritten(exam, upTo);
  if (known.isUp && known.syncFailedAt !== undefined && upTo >= known.syncFailedAt)
    exam.broken('a failed sync is final', 'a commit was written after it');
}

export function readable(exam: Examination, fact: FactOf<'readable'>): void {
  exam.known.topic(fact.topic, exam.at).readable.push({ ...fact, written: exam.known.written, ms: exam.ms });
}
