import type { RequestContext } from '../handler.ts';
import { anonymous } from './connection-meter.ts';
import { ThrottledError } from './quota-meters.ts';

/**
 * Counts partitions that a request is about to create or delete against the quota of its client. Throws a
 * KafkaError THROTTLING_QUOTA_EXCEEDED in versions of the API that have it; clients of older versions are
 * throttled afterwards.
 */
export function takeMutations(context: RequestContext, partitions: number, strictSince: number): void {
  const { host, session, clientId, version } = context;
  const { quotaMeters } = host;
  const quotas = quotaMeters.of(session.user ?? anonymous, clientId, undefined);
  if (quotas === undefined) return;
  try {
    const throttleMs = quotaMeters.noteMutations(quotas, partitions, version >= strictSince);
    context.throttleMs = Math.max(context.throttleMs ?? 0, throttleMs);
  } catch (error) {
    if (error instanceof ThrottledError)
      context.throttleMs = Math.max(context.throttleMs ?? 0, error.throttleMs);
    throw error;
  }
}
