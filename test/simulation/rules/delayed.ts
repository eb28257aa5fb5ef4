import type { Examination } from '../examination.ts';
import type { FactOf } from '../history.ts';

/* Delayed messages that are moved, cancelled, or published before their time. */

export function delayedChanged(exam: Examination, { id, what, dueMs }: FactOf<'delayed-changed'>): void {
  const publish = exam.known.publishes.get(id)!;
  if (what === 'cancel') publish.mayBeCancelled = true;
  else publish.dues.push({ at: exam.at, dueMs: dueMs ?? exam.wallMs });
}

/** It is on disk: the broker found the message waiting, or did not. */
export function delayedChangeDone(
  exam: Examination,
  { id, what }: FactOf<'delayed-changed'>,
  of: number,
  wasWaiting: boolean,
): void {
  const publish = exam.known.publishes.get(id)!;
  if (what === 'cancel') {
    if (wasWaiting) publish.isCancelled = true;
    return;
  }
  // Earlier times hold no longer, unless the broker may have taken them after this one; or this one never
  // did.
  const own = publish.dues.find(({ at }) => at === of);
  if (own) own.isDone = true;
  publish.dues = publish.dues.filter(({ at, isDone }, index) =>
    wasWaiting ? at >= of || (index > 0 && !isDone) : at !== of,
  );
}
