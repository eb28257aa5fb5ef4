import { subjectCovers } from '../../../util/index.ts';
import type { TopicSettings } from '../../topic-settings.ts';
import { topicSubjects } from './subjects.ts';
import { nanosPerMs, type StreamConfig } from './wire.ts';

/** The metadata with the levels of priority, for a Pillarbox server. */
const prioritiesMetadata = 'pillarbox.priorities';

/** The stream for a topic: as it was, but for the settings that are given. */
export function streamConfig(topic: string, settings: TopicSettings, before?: StreamConfig): StreamConfig {
  const {
    retention,
    messagesMax,
    bytesMax,
    ageMsMax,
    messageBytesMax,
    overflow,
    dedupeWindowMs,
    priorities,
  } = settings;
  const captured = before?.subjects ?? [];
  const missing = topicSubjects(topic).filter((own) => !captured.some((known) => subjectCovers(known, own)));
  return {
    ...(before ?? { storage: 'file', allow_msg_ttl: true, num_replicas: 1 }),
    name: topic,
    subjects: [...captured, ...missing],
    ...(retention === undefined ? {} : { retention: retention === 'queue' ? 'workqueue' : 'limits' }),
    ...(messagesMax === undefined ? {} : { max_msgs: limit(messagesMax) }),
    ...(bytesMax === undefined ? {} : { max_bytes: limit(bytesMax) }),
    ...(ageMsMax === undefined ? {} : { max_age: ageMsMax === Infinity ? 0 : ageMsMax * nanosPerMs }),
    ...(messageBytesMax === undefined ? {} : { max_msg_size: messageBytesMax }),
    ...(overflow === undefined ? {} : { discard: overflow === 'reject' ? 'new' : 'old' }),
    ...(dedupeWindowMs === undefined ? {} : { duplicate_window: dedupeWindowMs * nanosPerMs }),
    ...(priorities === undefined
      ? {}
      : { metadata: { ...before?.metadata, [prioritiesMetadata]: String(priorities) } }),
  };
}

function limit(max: number): number {
  return max === Infinity ? -1 : max;
}

/** Whether the given settings and subjects are those of the stream already. */
export function isSame(before: StreamConfig, after: StreamConfig): boolean {
  return Object.keys(after).every((name) => JSON.stringify(before[name]) === JSON.stringify(after[name]));
}
