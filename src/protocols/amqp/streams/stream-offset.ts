import type { GroupStart } from '../../../broker/index.ts';
import { Timestamp, type FieldValue } from '../../../wire/amqp/index.ts';
import { intervalMs } from './interval.ts';

/** The argument of a consumer that says where it starts. */
export const offsetArgument = 'x-stream-offset';

const starts: { readonly [word: string]: GroupStart } = {
  first: { kind: 'all' },
  last: { kind: 'last' },
  next: { kind: 'new' },
};

/**
 * Where a consumer starts: `first`, `last` (the last message; in RabbitMQ the last chunk), `next`, an offset,
 * a timestamp, or an interval before now. Undefined if the value is none of these.
 */
export function startOf(value: FieldValue | undefined, nowMs: number): GroupStart | undefined {
  if (value === undefined) return starts['next'];
  if (value instanceof Timestamp) return { kind: 'time', timestampMs: Number(value.seconds) * 1000 };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && value >= 0
      ? { kind: 'offset', offset: value, beyondEnd: true }
      : undefined;
  if (typeof value !== 'string') return undefined;
  if (Object.hasOwn(starts, value)) return starts[value];
  const ms = intervalMs(value);
  return ms === undefined ? undefined : { kind: 'time', timestampMs: Math.max(0, nowMs - ms) };
}
