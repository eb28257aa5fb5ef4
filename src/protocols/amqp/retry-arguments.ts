import type { GroupOptions } from '../../broker/index.ts';
import type { FieldTable, FieldValue } from '../../wire/amqp/index.ts';

/**
 * Which requeued messages wait: those that were rejected (`failed`), those that were nacked (`returned`), or
 * both.
 */
export type RetryType = (typeof retryTypes)[number];
export const retryTypes = ['disabled', 'all', 'failed', 'returned'] as const;

const typeArgument = 'x-delayed-retry-type';
const minArgument = 'x-delayed-retry-min';
const maxArgument = 'x-delayed-retry-max';
export const backoffArgument = 'x-pillarbox-backoff';
export const jitterArgument = 'x-pillarbox-backoff-jitter';

/** The most waits of a backoff. Further retries have the last one. */
const backoffStepsMax = 256;

/** Whether requeued messages of a queue with these arguments wait; undefined if they do not. */
export function retryType(table: FieldTable): RetryType | undefined {
  const given = table.get(typeArgument) as RetryType | undefined;
  return given ?? (table.get(backoffArgument) === undefined ? undefined : 'all');
}

/**
 * The backoff that the arguments ask for. Each value has been checked by itself. Throws a text that says how
 * they do not fit together.
 */
export function retryOptions(table: FieldTable): Partial<GroupOptions> {
  const type = retryType(table) ?? 'disabled';
  const backoff = table.get(backoffArgument) as readonly number[] | undefined;
  const [min, max] = [minArgument, maxArgument].map((name) => table.get(name) as number | undefined);
  if (backoff && min !== undefined)
    throw new Error(`${minArgument} and ${backoffArgument} exclude each other`);
  if (type === 'disabled') return {};
  if (backoff)
    return { backoffMs: backoff, backoffJitter: (table.get(jitterArgument) as number | undefined) ?? 0 };
  if (min === undefined) throw new Error(`${typeArgument} needs ${minArgument}`);
  if (max !== undefined && max < min) throw new Error(`${maxArgument} is less than ${minArgument}`);
  return { backoffMs: linear(min, max ?? Infinity) };
}

/** `min`, twice `min`, and so on up to `max`. */
function linear(min: number, max: number): number[] {
  const steps = Math.min(backoffStepsMax, Math.ceil(max / Math.max(1, min)));
  return Array.from({ length: steps }, (_, i) => Math.min(min * (i + 1), max));
}

/** Throws a text unless the value is a list of waits in milliseconds. */
export function checkBackoff(value: FieldValue): void {
  const isWait = (ms: FieldValue): boolean => typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0;
  if (!Array.isArray(value) || value.length === 0 || value.length > backoffStepsMax || !value.every(isWait))
    throw new Error(`expected an array of 1 to ${backoffStepsMax} times in milliseconds`);
}

/** Throws a text unless the value is a share. */
export function checkShare(value: FieldValue): void {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1))
    throw new Error('expected a number from 0 to 1');
}
