import type { LiveMessage } from '../../../broker/index.ts';
import { apiError, type ApiError } from './errors.ts';
import { headerText, type Header } from './headers.ts';
import type { StreamConfig } from './stream-config.ts';
import { messageTtlMs } from './message-ttl.ts';

/** The last token of a reply subject that belongs to a batch: `<inbox>.<id>.<flow>.<gap>.<seq>.<op>.$FI`. */
const batchReplyEnd = Buffer.from('.$FI', 'latin1');

/** The limit of nats-server, which keeps the length of a header block in 16 bits. */
const headerBytesMax = 65_535;

/**
 * The error for a message that a stream refuses whatever its headers say. A sealed stream refuses all
 * messages. Every stream refuses messages that are too large or belong to a fast batch. A counter stream also
 * refuses messages without headers. The order and the errors are nats-server's.
 */
export function refusalOf(message: LiveMessage, config: StreamConfig): ApiError | undefined {
  if (config.sealed) return apiError('streamSealed');
  const { headerStart, headerEnd, valueStart, valueEnd } = message;
  const headerBytes = headerStart < 0 ? 0 : headerEnd - headerStart;
  if (config.max_msg_size > 0 && headerBytes + valueEnd - valueStart > config.max_msg_size)
    return apiError('messageExceedsMaximum');
  if (isOfBatch(message)) return apiError('batchPublishDisabled');
  if (headerBytes > headerBytesMax) return apiError('headerExceedsMaximum');
  return config.allow_msg_counter && headerBytes === 0 ? apiError('messageIncrMissing') : undefined;
}

/**
 * Throws for headers of features that are not built, with the error of a stream that does not allow them, and
 * for headers that only a server writes. `expectedStream`
 * and `schedule` throw if the stream is the wrong one, or a schedule does not fit: nats-server checks them in
 * between.
 */
export function checkFeatureHeaders(
  headers: readonly Header[],
  config: StreamConfig,
  expectedStream: () => void,
  schedule: () => void,
): void {
  if (headerText(headers, 'Nats-Batch-Id') !== undefined) throw apiError('atomicPublishDisabled');
  const increment = headerText(headers, 'Nats-Incr');
  if (increment !== undefined)
    throw apiError(/^[+-]?\d+$/.test(increment) ? 'messageIncrDisabled' : 'messageIncrInvalid');
  expectedStream();
  checkTtl(headers, config);
  schedule();
  if (headerText(headers, 'Nats-Stream-Source') !== undefined) throw apiError('sourceHeaderNotAllowed');
  if (config.allow_msg_counter) throw apiError('messageIncrMissing');
}

/** If TTLs are not allowed, a text that is no TTL is stored as an ordinary header. */
function checkTtl(headers: readonly Header[], config: StreamConfig): void {
  const ttlMs = messageTtlMs(headers);
  if (ttlMs === undefined) return;
  if (Number.isNaN(ttlMs)) {
    if (config.allow_msg_ttl) throw apiError('messageTtlInvalid');
  } else if (ttlMs > 0 && !config.allow_msg_ttl) throw apiError('messageTtlDisabled');
}

function isOfBatch({ replyBuffer, replyStart, replyEnd }: LiveMessage): boolean {
  if (replyStart < 0 || replyEnd - replyStart <= batchReplyEnd.length) return false;
  for (let i = 0, at = replyEnd - batchReplyEnd.length; at < replyEnd; i++, at++) {
    if (replyBuffer[at] !== batchReplyEnd[i]) return false;
  }
  return true;
}
