import { subjectsOverlap } from '../../../../util/index.ts';
import { fullAccess } from '../../../users/index.ts';
import type { NatsSession } from '../../jetstream-door.ts';
import type { ApiAnswer, ApiRequest } from '../api.ts';
import type { Context } from '../context.ts';
import { apiError } from '../errors.ts';
import type { Stream } from '../stream.ts';
import { account, streamInfo, subjectCounts, subjectDetailsMax, type StreamState } from '../stream-info.ts';
import { offsetOfSequence, partitionOfSequence } from '../sequence.ts';
import { decodeOptional, infosPerPage, namesPerPage, pageOf, requireEmpty } from './page.ts';

const infoShape = { deleted_details: 'boolean', subjects_filter: 'string', offset: 'integer' } as const;

/** STREAM.INFO.<stream> {deleted_details, subjects_filter, offset} */
export async function streamInfoOf(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  const request = decodeOptional(body, infoShape);
  const stream = context.streams.get(args[0]!);
  const filter = request.subjects_filter;
  if (filter) await account(stream);
  const page = pageOf(filter ? subjectCounts(stream, filter) : [], request.offset, subjectDetailsMax);
  // This comes last, because it waits until the messages that were counted are on disk.
  const info = (await streamInfo(context, stream, {
    deletedDetails: request.deleted_details ?? false,
    cluster: true,
  })) as {
    state: StreamState;
  };
  if (page.total === 0) return { total: 0, offset: 0, limit: 0, ...info };
  return {
    total: page.total,
    offset: page.offset,
    limit: page.limit,
    ...info,
    state: { ...info.state, subjects: Object.fromEntries(page.items) },
  };
}

const listShape = { offset: 'integer', subject: 'string' } as const;

/** The streams that the client may use in any way, and that capture the subject if one is given. */
function visibleStreams(
  { streams: all }: Context,
  { access }: NatsSession,
  subject: string | undefined,
): Stream[] {
  const isVisible = ({ topic }: Stream): boolean => access.maySee(topic.name);
  const streams = access === fullAccess ? all.all() : all.all().filter(isVisible);
  if (!subject) return streams;
  return streams.filter(({ config }) => config.subjects.some((pattern) => subjectsOverlap(pattern, subject)));
}

/** STREAM.NAMES {offset, subject} */
export function streamNames(context: Context, { session, body }: ApiRequest): ApiAnswer {
  const { offset, subject } = decodeOptional(body, listShape);
  const page = pageOf(visibleStreams(context, session, subject), offset, namesPerPage);
  const streams = page.items.length === 0 ? null : page.items.map(({ name }) => name);
  return { total: page.total, offset: page.offset, limit: page.limit, streams };
}

/** STREAM.LIST {offset, subject} */
export async function streamList(context: Context, { session, body }: ApiRequest): Promise<ApiAnswer> {
  const { offset, subject } = decodeOptional(body, listShape);
  const page = pageOf(visibleStreams(context, session, subject), offset, infosPerPage);
  const streams: object[] = [];
  for (const stream of page.items) streams.push(await streamInfo(context, stream));
  return { total: page.total, offset: page.offset, limit: page.limit, streams };
}

/** STREAM.DELETE.<stream> */
export async function streamDelete(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  requireEmpty(body);
  await context.streams.get(args[0]!).topic.delete();
  return { success: true };
}

const purgeShape = { filter: 'string', seq: 'unsigned', keep: 'unsigned' } as const;

/**
 * STREAM.PURGE.<stream> {filter, seq, keep}: removes all messages, or those that the filter matches; only
 * those before seq; or all but the last keep.
 */
export async function streamPurge(context: Context, { args, body }: ApiRequest): Promise<ApiAnswer> {
  const { filter, seq, keep } = decodeOptional(body, purgeShape);
  if (seq && keep) throw apiError('badRequest');
  const { topic, config } = context.streams.get(args[0]!);
  if (config.sealed) throw apiError('streamSealed');
  if (config.deny_purge) throw apiError('purgeFailed', 'stream purge not permitted');
  let purged = 0;
  for (const partition of topic.partitions.opened.slice()) {
    const last = seq ? partitionOfSequence(seq) : partition.index;
    if (partition.index > last) continue;
    purged += await partition.purge({
      ...(filter && filter !== '>' ? { pattern: filter } : {}),
      ...(seq && partition.index === last ? { before: offsetOfSequence(seq) } : {}),
      ...(keep ? { keep } : {}),
    });
    if (!filter || filter === '>')
      for (const group of topic.groups.values()) group.notePurged(partition.index, partition.firstOffset);
  }
  return { success: true, purged };
}
