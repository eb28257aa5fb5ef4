import type { Examination } from '../examination.ts';
import type { FactOf } from '../history.ts';
import { delayedChangeDone } from './delayed.ts';
import { transactionEnded } from './kafka.ts';
import { scheduleControlDone, scheduleDefined } from './schedules.ts';

/* Outcomes of requests. */

export function outcome(exam: Examination, { of, error, count = 0 }: FactOf<'outcome'>): void {
  const known = exam.known;
  if (error?.startsWith('exception')) return exam.broken('refusals have a code', error);
  const { fact, run } = exam.events[of]!;
  if (fact.kind === 'offset-commit') return known.commits.get(of)?.settle(exam.at, error !== undefined);
  if (fact.kind === 'transaction-ending') return transactionEnded(exam, fact, error !== undefined);
  if (fact.kind === 'group-reset') {
    const group = known.groups.get(fact.group)!;
    group.resetsUnderWay--;
    group.hasFailedToMove = error !== undefined;
    if (group.resetsUnderWay === 0 && error === undefined) group.forgetBefore();
    group.disturbedAt = exam.at;
  }
  if (error !== undefined) {
    // It never came to be, and is owed nothing; a process that is about to end may have begun with it.
    if (fact.kind === 'group' && fact.isNew) known.groups.get(fact.group)!.deletedAt ??= exam.at;
    return;
  }
  if (fact.kind === 'publish') return scheduleDefined(exam, fact);
  if (fact.kind === 'delayed-changed') return delayedChangeDone(exam, fact, of, count > 0);
  if (fact.kind === 'schedule-controlled') return scheduleControlDone(exam, fact, of);
  if (fact.kind === 'redrive') known.topics.get(fact.topic)!.redriven += count;
  if (fact.kind === 'purge' || fact.kind === 'redrive')
    known.topics.get(fact.topic)!.removals.find(({ at }) => at === of)!.doneAt = exam.at;
  if (
    fact.kind !== 'topic' &&
    fact.kind !== 'group' &&
    fact.kind !== 'topic-deleted' &&
    fact.kind !== 'remove'
  )
    return;
  known.noteDurable(run, of);
  if (fact.kind === 'group' && fact.isNew) known.groups.get(fact.group)!.readyAt = exam.at;
}
