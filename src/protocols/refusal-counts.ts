import type { BrokerError, BrokerErrorCode } from '../broker/index.ts';

// Refusals of the broker that clients were told, by protocol and cause. They are counted where a protocol
// puts them in its own words, for the whole process, as memory and processor time are.

const counts = new Map<string, Map<BrokerErrorCode, number>>();

/** A client of this protocol is told this refusal. */
export function noteRefusal(protocol: string, { code }: BrokerError): void {
  let byCause = counts.get(protocol);
  if (!byCause) counts.set(protocol, (byCause = new Map()));
  byCause.set(code, (byCause.get(code) ?? 0) + 1);
}

/** The refusals since the process began. */
export function* refusalCounts(): Iterable<{
  readonly protocol: string;
  readonly cause: BrokerErrorCode;
  readonly count: number;
}> {
  for (const [protocol, byCause] of counts)
    for (const [cause, count] of byCause) yield { protocol, cause, count };
}
