import { apiError } from './errors.ts';
import type { PullPriority } from './priority-groups.ts';
import type { PullOptions } from './pull-request.ts';
import { msOfNanos } from './time.ts';

const one: PullOptions = { batch: 1, maxBytes: 0, expiresMs: 0, heartbeatMs: 0, noWait: false };
const digitsOnly = /^[+-]?\d+$/;

/**
 * Decodes the body of a pull request: nothing (one message), a number of messages, or
 * `{batch, expires, max_bytes, no_wait, idle_heartbeat, group, id, min_pending, min_ack_pending, priority}`
 * with times in nanoseconds. Unknown members are ignored.
 *
 * Throws an API error whose description says what is wrong.
 */
export function decodePullBody(body: Uint8Array): PullOptions {
  if (body.length === 0) return one;
  const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8').trim();
  if (!text.startsWith('{'))
    return digitsOnly.test(text) ? { ...one, batch: Math.max(1, Number(text)) } : one;
  const request = parse(text);
  const expires = numberOf(request, 'expires');
  const heartbeat = numberOf(request, 'idle_heartbeat');
  if (heartbeat > 0 && heartbeat * 2 > expires) throw apiError('streamGeneral', 'heartbeat value too large');
  return {
    batch: Math.max(1, numberOf(request, 'batch')),
    maxBytes: Math.max(0, numberOf(request, 'max_bytes')),
    expiresMs: Math.max(0, msOfNanos(expires)),
    heartbeatMs: Math.max(0, msOfNanos(heartbeat)),
    noWait: request['no_wait'] === true,
    priority: priorityOf(request),
  };
}

function priorityOf(request: { readonly [member: string]: unknown }): PullPriority {
  return {
    group: textOf(request, 'group'),
    id: textOf(request, 'id'),
    minPending: numberOf(request, 'min_pending'),
    minAckPending: numberOf(request, 'min_ack_pending'),
    priority: numberOf(request, 'priority'),
  };
}

function textOf(request: { readonly [member: string]: unknown }, member: string): string {
  const value = request[member] ?? '';
  if (typeof value === 'string') return value;
  throw apiError(
    'streamGeneral',
    `json: cannot unmarshal ${typeof value} into field ${member} of type string`,
  );
}

function parse(text: string): { readonly [member: string]: unknown } {
  try {
    return JSON.parse(text) as { readonly [member: string]: unknown };
  } catch (error) {
    // The text of nats-server for the most common mistake: some tests of clients compare it.
    const first = /^\{\s*([^\s"}])/.exec(text)?.[1];
    if (first) {
      throw apiError(
        'streamGeneral',
        `invalid character '${first}' looking for beginning of object key string`,
      );
    }
    throw apiError('streamGeneral', (error as Error).message.replace(/[\r\n]+/g, ' '));
  }
}

function numberOf(request: { readonly [member: string]: unknown }, member: string): number {
  const value = request[member] ?? 0;
  if (typeof value !== 'number') {
    throw apiError(
      'streamGeneral',
      `json: cannot unmarshal ${typeof value} into field ${member} of type integer`,
    );
  }
  return value;
}
