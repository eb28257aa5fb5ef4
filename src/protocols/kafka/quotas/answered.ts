import type { ApiName } from '../../../wire/kafka/index.ts';
import type { ClientQuotas, QuotaMeters } from './quota-meters.ts';

/** A request and its answer, for the quotas of its client. */
export interface Answered {
  readonly api: ApiName;
  readonly requestBytes: number;
  readonly response: unknown;
  /** Time that the handler ran until its first wait, in milliseconds. */
  readonly workMs: number;
}

interface WithRecords {
  readonly responses: readonly {
    readonly partitions: readonly { readonly records?: Records | null }[];
  }[];
}
type Records = Uint8Array | readonly Uint8Array[];

/**
 * Counts an answer against the quotas of its client. Returns the answer to send instead, and how long the
 * client is throttled. A fetch above its quota is answered without records; the client then repeats it.
 */
export function meter(
  meters: QuotaMeters,
  quotas: ClientQuotas,
  { api, requestBytes, response, workMs }: Answered,
): { readonly response: unknown; readonly throttleMs: number } {
  const workedMs = meters.noteWorked(quotas, workMs);
  if (api === 'Produce')
    return { response, throttleMs: Math.max(workedMs, meters.noteProduced(quotas, requestBytes)) };
  if (api !== 'Fetch' && api !== 'ShareFetch') return { response, throttleMs: workedMs };
  const bytes = recordBytes(response as WithRecords);
  // Records of a share group are acquired already, so they are sent, and the next fetch waits.
  const mayDrop = api === 'Fetch';
  const fetchedMs = meters.noteFetched(quotas, bytes, mayDrop);
  const isDropped = fetchedMs > 0 && mayDrop;
  return {
    response: isDropped ? { ...(response as WithRecords), responses: [] } : response,
    throttleMs: Math.max(workedMs, fetchedMs),
  };
}

function recordBytes({ responses }: WithRecords): number {
  let bytes = 0;
  for (const { partitions } of responses)
    for (const { records } of partitions) {
      if (records instanceof Uint8Array) bytes += records.length;
      else for (const part of records ?? []) bytes += part.length;
    }
  return bytes;
}
