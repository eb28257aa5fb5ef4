import type { AlarmChange, AlarmLevel } from './alarm.ts';
import type { Rule, RuleLimits } from './rules.ts';

const weights: { readonly [L in AlarmLevel]: number } = { warning: 1, critical: 2 };

/**
 * The state of one alarm, between two thresholds: it begins at the threshold of a level, and ends only when
 * the value is better than that by the hysteresis of the rule, for a while.
 *
 * ```
 *   ok ── value beyond a threshold ─► pending ── for `forMs` ─► firing ── well within, for `clearMs` ─► ok
 * ```
 */
export class AlarmState {
  state: 'ok' | 'pending' | 'firing' = 'ok';
  level: AlarmLevel = 'warning';
  /** When the condition began: by the wall clock, to be shown, and by the monotonic clock. */
  sinceMs = 0;
  #sinceMonotonicMs = 0;
  /** Since when a firing alarm has been beyond a worse level, or well within its own. */
  #worseSinceMs: number | undefined = undefined;
  #easedSinceMs: number | undefined = undefined;

  /** Goes on firing at once, as before a restart. */
  resume(sinceMs: number, level: AlarmLevel = 'critical'): void {
    this.state = 'firing';
    this.level = level;
    this.sinceMs = sinceMs;
  }

  /**
   * Takes a new reading; undefined: there is nothing wrong that could be measured. Returns the change, if
   * there is one to tell.
   */
  judge(
    value: number | undefined,
    rule: Rule,
    limits: RuleLimits,
    now: { readonly wallMs: number; readonly monotonicMs: number },
  ): AlarmChange['change'] | undefined {
    const strict = levelAt(value, rule, limits);
    if (this.state === 'firing')
      return (
        this.#worsen(strict, limits, now.monotonicMs) ??
        this.#ease(levelAt(value, rule, limits, rule.ease), limits, now.monotonicMs)
      );
    if (strict === undefined) {
      this.state = 'ok';
      return undefined;
    }
    if (this.state === 'ok') {
      this.state = 'pending';
      this.sinceMs = now.wallMs;
      this.#sinceMonotonicMs = now.monotonicMs;
    }
    this.level = strict;
    if (now.monotonicMs - this.#sinceMonotonicMs < limits.forMs) return undefined;
    this.state = 'firing';
    this.#worseSinceMs = this.#easedSinceMs = undefined;
    return 'fired';
  }

  #worsen(strict: AlarmLevel | undefined, { forMs }: RuleLimits, nowMs: number): 'worsened' | undefined {
    if (weightOf(strict) <= weights[this.level]) {
      this.#worseSinceMs = undefined;
      return undefined;
    }
    this.#worseSinceMs ??= nowMs;
    if (nowMs - this.#worseSinceMs < forMs) return undefined;
    this.level = strict!;
    this.#worseSinceMs = this.#easedSinceMs = undefined;
    return 'worsened';
  }

  #ease(
    loose: AlarmLevel | undefined,
    { clearMs }: RuleLimits,
    nowMs: number,
  ): 'eased' | 'resolved' | undefined {
    if (weightOf(loose) >= weights[this.level]) {
      this.#easedSinceMs = undefined;
      return undefined;
    }
    this.#easedSinceMs ??= nowMs;
    if (nowMs - this.#easedSinceMs < clearMs) return undefined;
    this.#easedSinceMs = undefined;
    if (loose === undefined) this.state = 'ok';
    else this.level = loose;
    return loose === undefined ? 'resolved' : 'eased';
  }
}

function weightOf(level: AlarmLevel | undefined): number {
  return level === undefined ? 0 : weights[level];
}

/** The level of a value, with each threshold multiplied by `factor`; undefined: none. */
export function levelAt(
  value: number | undefined,
  { when }: Rule,
  { warning, critical }: RuleLimits,
  factor: number = 1,
): AlarmLevel | undefined {
  if (value === undefined) return undefined;
  const isBeyond = (threshold: number | undefined): boolean =>
    threshold !== undefined && (when === 'above' ? value >= threshold * factor : value <= threshold * factor);
  if (isBeyond(critical)) return 'critical';
  return isBeyond(warning) ? 'warning' : undefined;
}
