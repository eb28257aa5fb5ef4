import type { Group as CoreGroup } from '../broker/index.ts';
import { shownText } from '../util/index.ts';
import { RejectError, RetryError } from './errors.ts';

/** The part of a delivery that a warning names. */
interface Failed {
  readonly partition: number;
  readonly offset: number;
  readonly deliveries: number;
}

/** Warns of what a handler threw, when the program did not ask to be told by `onError`. RetryError and RejectError are answers, not failures. */
export function warnOfFailure(thrown: unknown, group: CoreGroup, deliveries: readonly Failed[]): void {
  const [first] = deliveries;
  if (!first || thrown instanceof RetryError || thrown instanceof RejectError) return;
  const { partition, offset } = first;
  const batch = deliveries.length > 1 ? ` and ${deliveries.length - 1} more` : '';
  const where = `offset ${offset} (partition ${partition}, delivery ${first.deliveries})${batch}`;
  warn(`A handler of group "${group.name}" failed on topic "${group.topic.name}", ${where}`, thrown);
}

/** Warns of what the handler of a live subject threw. */
export function warnOfLiveFailure(thrown: unknown, subject: string): void {
  warn(`A handler of live requests failed on "${subject}"`, thrown);
}

function warn(what: string, thrown: unknown): void {
  process.emitWarning(shownText(`${what}: ${textOfThrown(thrown)}`), {
    type: 'PillarboxWarning',
    code: 'PILLARBOX_HANDLER',
  });
}

function textOfThrown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'an object that is no text';
  }
}
