import type { Group as CoreGroup } from '../broker/index.ts';
import { shownText, SystemClock, type Clock } from '../util/index.ts';
import { PostponeError, RejectError, RetryError } from './errors.ts';

/** The part of a delivery that a warning names. */
interface Failed {
  readonly partition: number;
  readonly offset: number;
  readonly deliveries: number;
}

/**
 * Warns about a handler's error, for programs without `onError`. RetryError, PostponeError and RejectError
 * are answers, not failures.
 */
export function warnOfFailure(thrown: unknown, group: CoreGroup, deliveries: readonly Failed[]): void {
  const [first] = deliveries;
  if (!first || isAnswer(thrown)) return;
  const { partition, offset } = first;
  const batch = deliveries.length > 1 ? ` and ${deliveries.length - 1} more` : '';
  const where = `offset ${offset} (partition ${partition}, delivery ${first.deliveries})${batch}`;
  const handler = `A handler of group "${group.name}" failed on topic "${group.topic.name}"`;
  warnings.warn(handler, `${handler}, ${where}: ${textOfThrown(thrown)}`);
}

/** Warns about an error of a handler of a live subject. */
export function warnOfLiveFailure(thrown: unknown, subject: string): void {
  const handler = 'A handler of live requests failed';
  warnings.warn(handler, `${handler} on "${subject}": ${textOfThrown(thrown)}`);
}

/**
 * Warnings about handlers, at most {@link warningsMax} per group in {@link windowMs}: a handler that always
 * fails must not flood the output. Further warnings are counted, and the count is reported at the end of the
 * window.
 */
export class FailureWarnings {
  readonly #clock: Clock;
  readonly #tell: (text: string) => void;
  readonly #told = new Map<string, number>();

  constructor(clock: Clock, tell: (text: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** `handler` names the failing handler; `text` is the whole warning. */
  warn(handler: string, text: string): void {
    const told = this.#told.get(handler) ?? 0;
    this.#told.set(handler, told + 1);
    if (told === 0) this.#clock.setTimer(windowMs, () => this.#ended(handler));
    if (told < warningsMax) this.#tell(text);
  }

  #ended(handler: string): void {
    const left = this.#told.get(handler)! - warningsMax;
    this.#told.delete(handler);
    if (left > 0) this.#tell(`${handler}, ${left} times more in ${windowMs / 1000} s`);
  }
}

const warningsMax = 10;
const windowMs = 10_000;

const warnings = new FailureWarnings(new SystemClock(), (text) =>
  process.emitWarning(shownText(text), { type: 'PillarboxWarning', code: 'PILLARBOX_HANDLER' }),
);

function textOfThrown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'an object that is no text';
  }
}

function isAnswer(thrown: unknown): boolean {
  return [RetryError, PostponeError, RejectError].some((answer) => thrown instanceof answer);
}
