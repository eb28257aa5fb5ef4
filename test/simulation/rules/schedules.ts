import type { Examination } from '../examination.ts';
import { cronLineOf } from '../cron-times.ts';
import type { Instance, PublishKnown } from '../facts.ts';
import type { FactOf } from '../history.ts';
import { ScheduleKnown } from '../schedules-known.ts';

/* Schedules: each run once, at its time, and none when there is to be none. */

/** A run that the topic refused is tried again after this at the latest. */
const retryMsMax = 62_000;
/** A run that is later was missed (docs/schedules.md). */
const lateMsMax = 10_000;
/** Times are whole milliseconds in the broker. */
const roundingMs = 2;

/** A schedule is to be defined. What had its name may go on until that is on disk. */
export function scheduleAsked({ known }: Examination, publish: PublishKnown): void {
  const { schedule, plan } = publish;
  if (!schedule) return;
  const asked = new ScheduleKnown(publish, schedule);
  for (const other of known.schedules.values()) {
    if (other.asked.name !== schedule.name) continue;
    other.mayRest = true;
    asked.sinceWallMs = Math.min(asked.sinceWallMs, other.sinceWallMs);
    asked.mayBePaused ||= other.mayBePaused;
  }
  known.schedules.set(plan.id, asked);
}

export function scheduleDefined({ known, wallMs }: Examination, { plan, schedule }: FactOf<'publish'>): void {
  if (!schedule) return;
  const defined = known.schedules.get(plan.id)!;
  defined.isDefined = true;
  defined.definedMs = wallMs;
  for (const other of known.schedules.values()) {
    if (other.asked.name !== schedule.name || other.publish.askedAt >= defined.publish.askedAt) continue;
    other.goneMs = Math.min(other.goneMs, wallMs);
  }
}

export function scheduleControlled(exam: Examination, { id, what }: FactOf<'schedule-controlled'>): void {
  const schedule = exam.known.schedules.get(id)!;
  if (what === 'run') schedule.asides.push(exam.wallMs);
  else if (what === 'resume') {
    schedule.resumedAt = exam.at;
    for (const pause of schedule.pauses) pause.toMs = Math.min(pause.toMs, exam.wallMs);
  } else if (what === 'pause') schedule.mayBePaused = true;
  else schedule.mayRest = true;
}

export function scheduleControlDone(
  exam: Examination,
  { id, what }: FactOf<'schedule-controlled'>,
  of: number,
): void {
  const schedule = exam.known.schedules.get(id)!;
  if (what === 'delete') schedule.goneMs = Math.min(schedule.goneMs, exam.wallMs);
  else if (what === 'pause' && schedule.resumedAt < of)
    schedule.pauses.push({ fromMs: exam.wallMs, toMs: Infinity });
}

/** A message of a schedule is seen for the first time; `runMs` is the time of its run. */
export function runSeen(exam: Examination, instance: Instance, publish: PublishKnown, runMs: number): void {
  const { known } = exam;
  const { topic, partition, offset, id, timestampMs } = instance;
  const where = `${topic.key} ${partition}/${offset}`;
  const schedule = known.schedules.get(id)!;
  const { name, endMs = Infinity, count = Infinity } = schedule.asked;
  if (known.redrives > 0) return; // it may be one that was put back
  const text = `${where}: "${name}" (m${id}) for ${runMs}`;
  if (publish.topic !== topic.key) exam.broken('no message strays', text);
  if (instance.isTimeSure && !known.clock.wentBack && timestampMs > schedule.goneMs)
    exam.broken('a schedule that is gone does not run', text);
  if (!schedule.isAside(runMs)) {
    const before = schedule.runs.get(runMs);
    // A topic in memory does not wait for the disk, where the crash may have kept the run from getting.
    if (before !== undefined && !(topic.isVolatile && before.run < known.run))
      exam.broken('a run is published once', `${text}, and at ${before.where}`);
    if (known.clock.wasSet) return runAfterJump(exam, schedule, instance, runMs, text);
    if (runMs > endMs) exam.broken('a schedule ends', `${text}, and its end is ${endMs}`);
    if (schedule.isPausedAt(timestampMs)) exam.broken('a schedule that is paused does not run', text);
    const other = schedule.ownRuns[0];
    // Times of messages and of runs are of two clocks, each of whole milliseconds.
    if (timestampMs + 1 < runMs || !schedule.isTime(runMs, other))
      exam.broken('a run keeps its time', `${text}, published at ${timestampMs}, another for ${other}`);
    if (isTooLate(schedule, runMs, timestampMs))
      exam.broken('what was missed is made up for as asked', `${text}, published at ${timestampMs}`);
  }
  schedule.runs.set(runMs, { where, run: known.run });
  // One that has ended may still be asked to run.
  const own = schedule.ownRuns.length;
  if (own > count) exam.broken('a schedule ends', `${text}, its run ${own}`);
}

/** The times of runs moved with the clock, but there are no more of them by that. */
function runAfterJump(
  exam: Examination,
  schedule: ScheduleKnown,
  { topic, partition, offset }: Instance,
  runMs: number,
  text: string,
): void {
  const { known } = exam;
  schedule.runs.set(runMs, { where: `${topic.key} ${partition}/${offset}`, run: known.run });
  const { asked, sinceWallMs, asides, runs } = schedule;
  const timesMax = Math.floor((exam.wallMs - sinceWallMs) / asked.everyMs) + 2 + asides.length; // at once, perhaps
  if (runs.size > timesMax && !known.clock.wentBack)
    exam.broken('a run keeps its time', `${text}, one of ${runs.size}, and ${timesMax} had their time`);
}

/** Of several runs that are due, only `all` publishes another than the last, and `skip` none that is late. */
function isTooLate(schedule: ScheduleKnown, runMs: number, publishedMs: number): boolean {
  const { missed, jitterMs = 0 } = schedule.asked;
  if (missed === 'all') return false;
  if (publishedMs > schedule.after(runMs) + roundingMs) return true;
  return missed === 'skip' && publishedMs - runMs > lateMsMax + jitterMs + roundingMs;
}

/**
 * At the end: every schedule that is there has run lately, and passed over no run that it is to make up for.
 */
export function schedulesRun(exam: Examination): void {
  const { known, wallMs } = exam;
  if (known.redrives > 0 || known.clock.wasSet) return; // runs were not told apart from what was put back
  for (const schedule of known.schedules.values()) {
    const { asked, publish, isDefined, mayBePaused, mayRest, definedMs, ownRuns } = schedule;
    const topic = known.topics.get(publish.topic)!;
    const { name, cron, missed, endMs, count } = asked;
    if (!isDefined || mayRest || mayBePaused) continue;
    if (topic.deletedAt !== undefined || topic.isVolatile || topic.drops || topic.removals.length > 0)
      continue;
    const mayRefuse = topic.configs.some(
      ({ sealed, messageBytesMax }) => sealed || messageBytesMax !== undefined,
    );
    const isUnseen = topic.damages.length > 0 || topic.configs[0]!.retention === 'interest';
    if (mayRefuse || isUnseen) continue;
    const text = `"${name}" (m${publish.plan.id})`;
    const [first] = ownRuns;
    if (missed === 'all' && first !== undefined) {
      const gap = ownRuns.find((ms, at) => at > 0 && ms !== schedule.after(ownRuns[at - 1]!, first));
      if (gap !== undefined || (cron !== undefined && first > schedule.after(definedMs)))
        exam.broken('what was missed is made up for as asked', `${text}: ${ownRuns.join()}`);
    }
    if (endMs !== undefined || count !== undefined) continue;
    // Its last times may all have been missed.
    if (missed === 'skip' && cron !== undefined && cronLineOf(cron).window) continue;
    const last = Math.max(publish.askedWallMs, ...ownRuns);
    if (schedule.after(last) + retryMsMax < wallMs)
      exam.broken('a schedule runs', `${text} ran at ${last} for the last time`);
  }
}
