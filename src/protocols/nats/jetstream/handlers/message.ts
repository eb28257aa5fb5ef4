import type { Partition, StoredMessage } from '../../../../broker/index.ts';
import type { ApiAnswer, ApiRequest } from '../api.ts';
import type { Context } from '../context.ts';
import { apiError } from '../errors.ts';
import { messageHeaderBlock, messageSubject } from '../headers.ts';
import { decodeBody, isEmptyBody } from '../json.ts';
import { locate, sequenceOf } from '../sequence.ts';
import type { Stream } from '../stream.ts';
import { timeMs, timeText } from '../time.ts';
import { whenDurable } from '../when-durable.ts';

/** The members of MSG.GET and DIRECT.GET requests. */
export const messageGetShape = {
  seq: 'unsigned',
  last_by_subj: 'string',
  next_by_subj: 'string',
  start_time: 'time',
  no_hdr: 'boolean',
  batch: 'integer',
  max_bytes: 'integer',
  multi_last: 'strings',
  up_to_seq: 'unsigned',
  up_to_time: 'time',
} as const;

/** STREAM.MSG.GET.<stream> {seq | last_by_subj | next_by_subj, seq | start_time} */
export async function messageGet(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  if (isEmptyBody(body)) throw apiError('badRequest');
  const request = decodeBody(body, messageGetShape);
  const { seq, last_by_subj: last, next_by_subj: next, start_time: start } = request;
  const asksNothing = !seq && !last && !next && !start;
  const asksTwice = (seq && last) || (seq && start) || (start && last) || (last && next);
  if (request.batch || request.max_bytes || asksNothing || asksTwice) throw apiError('badRequest');
  const stream = context.streams.get(args[0]!);
  // Messages that the client published before this request must be visible, even if they are not yet
  // acknowledged.
  await whenDurable(context, stream.topic);
  const message = await findMessage(stream, request);
  if (!message) throw apiError('noMessageFound');
  const headers = request.no_hdr ? undefined : messageHeaderBlock(stream, message);
  return {
    message: {
      subject: messageSubject(stream, message),
      seq: sequenceOf(message.partition, message.offset),
      ...(headers ? { hdrs: headers.toString('base64') } : {}),
      ...(message.value && message.value.length > 0
        ? { data: Buffer.from(message.value).toString('base64') }
        : {}),
      time: timeText(message.timestampMs),
    },
  };
}

/** The one message that a request of {@link messageGetShape} without batch asks for. */
export async function findMessage(
  stream: Stream,
  request: {
    readonly seq?: number;
    readonly last_by_subj?: string;
    readonly next_by_subj?: string;
    readonly start_time?: string;
  },
): Promise<StoredMessage | undefined> {
  const { topic } = stream;
  if (request.last_by_subj) return lastBySubject([...topic.partitions.opened], request.last_by_subj);
  const startMs = timeMs(request.start_time);
  if (startMs !== undefined) {
    for (const partition of topic.partitions.opened.slice()) {
      const found = await partition.next(
        request.next_by_subj || undefined,
        await partition.offsetAtTime(startMs),
      );
      if (found) return found;
    }
    return undefined;
  }
  const place = locate(topic, Math.max(1, request.seq ?? 1));
  if (!place) return undefined;
  if (!request.next_by_subj) return place.partition.get(place.offset);
  for (const partition of topic.partitions.opened.slice()) {
    if (partition.index < place.partition.index) continue;
    const from = partition === place.partition ? place.offset : 0;
    const found = await partition.next(request.next_by_subj, from);
    if (found) return found;
  }
  return undefined;
}

async function lastBySubject(
  partitions: readonly Partition[],
  subject: string,
): Promise<StoredMessage | undefined> {
  let last: StoredMessage | undefined;
  for (const partition of partitions) {
    const found = await partition.last(subject);
    if (found && (!last || found.timestampMs >= last.timestampMs)) last = found;
  }
  return last;
}

const deleteShape = { seq: 'unsigned', no_erase: 'boolean' } as const;

/**
 * STREAM.MSG.DELETE.<stream> {seq, no_erase}. Nothing is overwritten here: a removed message disappears with
 * its segment.
 */
export async function messageDelete(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  if (isEmptyBody(body)) throw apiError('badRequest');
  const { seq } = decodeBody(body, deleteShape);
  const { topic, config } = context.streams.get(args[0]!);
  if (config.sealed) throw apiError('streamSealed');
  if (config.deny_delete) throw apiError('messageDeleteFailed', 'message delete not permitted');
  const place = locate(topic, seq ?? 0);
  if (!place || place.offset < place.partition.firstOffset)
    throw apiError('messageDeleteFailed', 'no message found');
  if (place.offset >= place.partition.nextOffset) throw apiError('messageDeleteFailed', 'stream store EOF');
  if (!(await place.partition.delete(place.offset))) {
    throw apiError('sequenceNotFound', seq ?? 0);
  }
  return { success: true };
}
