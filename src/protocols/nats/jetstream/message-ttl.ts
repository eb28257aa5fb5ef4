import type { ExpiryMarker } from '../../../broker/index.ts';
import { headerText, type Header } from './headers.ts';
import type { StreamConfig } from './stream-config.ts';
import { durationText, msOfNanos, nanosPerMs, parseDuration } from './time.ts';

/**
 * Time to live of messages, as JetStream has it since 2.11 (ADR-43): in whole seconds, in the header
 * `Nats-TTL`.
 */
const ttlHeader = 'Nats-TTL';
const secondMs = 1000;
const secondNanos = secondMs * nanosPerMs;
/** The largest number that nats-server reads there. */
const digitsMax = 18;

/**
 * The TTL in the headers of a message, in milliseconds: a duration of a second or more, or a number of
 * seconds. `never` is Infinity, 0 is none, NaN any other text. Undefined if there is no such header.
 */
export function messageTtlMs(headers: readonly Header[]): number | undefined {
  const text = headerText(headers, ttlHeader);
  if (text === undefined || text === '') return undefined;
  if (text.toLowerCase() === 'never') return Infinity;
  const nanos = parseDuration(text);
  if (nanos !== undefined) return nanos < secondNanos ? NaN : Math.floor(nanos / secondNanos) * secondMs;
  return /^\d+$/.test(text) && text.length <= digitsMax ? Number(text) * secondMs : NaN;
}

/**
 * The shortest TTL of a stream whose subjects leave markers: with a shorter one, the marker of an older
 * message could outlive the message, and hide that it has expired. A subject with one message only has no
 * such problem.
 */
export function shortestTtlMs(config: StreamConfig): number {
  const { subject_delete_marker_ttl: markerTtl = 0, max_msgs_per_subject: perSubject } = config;
  return perSubject === 1 ? 0 : Math.floor(markerTtl / secondNanos) * secondMs;
}

/** The headers with another TTL. The original block of headers is dropped: it has the old one. */
export function withTtl(headers: readonly Header[], ttlMs: number, verbatimName: string): readonly Header[] {
  const others = headers.filter(({ name }) => name !== ttlHeader && name !== verbatimName);
  return [...others, { name: ttlHeader, value: Buffer.from(String(ttlMs / secondMs)) }];
}

/**
 * The marker that a stream leaves for a subject whose last message has expired; undefined if it leaves none.
 */
export function expiryMarkerOf({ subject_delete_marker_ttl: nanos }: StreamConfig): ExpiryMarker | undefined {
  if (nanos === undefined) return undefined;
  return {
    ttlMs: msOfNanos(nanos),
    headers: [
      ['Nats-Marker-Reason', 'MaxAge'],
      [ttlHeader, durationText(Math.floor(nanos / secondNanos) * secondNanos)],
      ['Nats-Rollup', 'sub'],
    ],
    alsoMarks: [['KV-Operation', 'PURGE']],
  };
}
