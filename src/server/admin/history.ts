import type { HistoryJson, TrackJson } from '../../admin-api/index.ts';
import { brokerKey, keyOfGroup, keyOfTopic, type SeriesKey, Track } from '../history/index.ts';
import { type AdminContext, checkMayAll, groupFor, topicFor } from './context.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';

/** Steps of the fine track in lists. */
const recentSteps = 30;

export function showHistory({ access }: AdminRequest, context: AdminContext): JsonReply<HistoryJson> {
  checkMayAll('consume', access);
  return json(historyJson(context, brokerKey));
}

export function showTopicHistory(request: AdminRequest, context: AdminContext): JsonReply<HistoryJson> {
  return json(historyJson(context, keyOfTopic(topicFor('see', request, context))));
}

export function showGroupHistory(request: AdminRequest, context: AdminContext): JsonReply<HistoryJson> {
  return json(historyJson(context, keyOfGroup(groupFor(request, context))));
}

function historyJson({ recorder: { history } }: AdminContext, key: SeriesKey): HistoryJson {
  const series = history.of(key);
  const nowMs = Date.now();
  return {
    fine: trackJson(series?.fine ?? new Track(history.fineShape), nowMs),
    coarse: trackJson(series?.coarse ?? new Track(history.coarseShape), nowMs),
  };
}

/** The last minutes of a topic or of all. */
export function recentJson({ recorder: { history } }: AdminContext, key: SeriesKey): TrackJson {
  return trackJson(
    history.of(key)?.fine ?? new Track({ ...history.fineShape, length: recentSteps }),
    Date.now(),
    recentSteps,
  );
}

function trackJson(track: Track, nowMs: number, count: number = track.shape.length): TrackJson {
  const { stepMs } = track.shape;
  const of = (column: 'in' | 'out' | 'level'): (number | null)[] =>
    track
      .read(column, nowMs, count)
      .map((value) => (Number.isNaN(value) ? null : Number(value.toPrecision(6))));
  return {
    startMs: (Math.floor(nowMs / stepMs) - count + 1) * stepMs,
    stepMs,
    in: of('in'),
    out: of('out'),
    level: of('level'),
  };
}
