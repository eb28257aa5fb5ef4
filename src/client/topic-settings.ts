import { BoxError, checks, type Checks } from '../embedded/values.ts';
import { oneOf } from './one-of.ts';
import type { Feature } from './features.ts';

/** The settings of a topic. A setting that is left out keeps its value, or takes the target's default. */
export interface TopicSettings {
  /**
   * `limits`: messages stay until a limit removes them. `queue`: until their groups have acked them. Default
   * `limits`, and `queue` on targets without `log`.
   */
  readonly retention?: 'limits' | 'queue';
  readonly messagesMax?: number;
  readonly bytesMax?: number;
  readonly ageMsMax?: number;
  readonly messageBytesMax?: number;
  /** What happens to a publish when a limit is reached. Default `drop-oldest`. */
  readonly overflow?: 'drop-oldest' | 'reject';
  /** How long a dedupe id is remembered. */
  readonly dedupeWindowMs?: number;
  /** Levels of priority, from 1 (none) on. */
  readonly priorities?: number;
}

export const topicChecks: Checks<TopicSettings> = {
  retention: oneOf('limits', 'queue'),
  messagesMax: checks.limitOf(1),
  bytesMax: checks.limitOf(1),
  ageMsMax: checks.limitOf(1),
  messageBytesMax: checks.wholeNumber(1),
  overflow: oneOf('drop-oldest', 'reject'),
  dedupeWindowMs: checks.wholeNumber(),
  priorities: checks.wholeNumber(1),
};

/** The features that the settings of a topic ask for. */
export function topicFeatures(settings: TopicSettings): Feature[] {
  const { retention, messagesMax, bytesMax, ageMsMax, overflow, dedupeWindowMs, priorities } = settings;
  const asked: Feature[] = [];
  if (retention === 'limits') asked.push('log');
  if ([messagesMax, bytesMax, ageMsMax, overflow].some((limit) => limit !== undefined))
    asked.push('topicLimits');
  if (dedupeWindowMs !== undefined) asked.push('dedupe');
  if (priorities !== undefined && priorities > 1) asked.push('priorities');
  return asked;
}

const namePattern = /^[\w-]{1,200}$/;

/** Names that every target takes: letters, digits, `-` and `_`. */
export function checkName(call: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && namePattern.test(name)) return;
  throw new BoxError(
    'option-invalid',
    `${call} cannot be called so: a name has 1 to 200 letters, digits, "-" and "_", so that every target takes it, not ${checks.shownValue(name)}.`,
  );
}
