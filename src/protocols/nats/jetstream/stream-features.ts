import { invalidConfig } from './stream-problems.ts';
import type { StreamConfig, StreamConfigRequest } from './stream-config.ts';

/**
 * Features that a stream may allow, each by a flag of its configuration. The flags are kept, checked and
 * shown as in nats-server. If a feature itself is not built, its use is refused: see publish-options.ts.
 */
export interface StreamFeatures {
  readonly allow_msg_ttl: boolean;
  /** In nanoseconds. */
  readonly subject_delete_marker_ttl?: number;
  readonly allow_msg_counter?: true;
  readonly allow_atomic?: true;
  readonly allow_msg_schedules?: true;
  readonly allow_batched?: true;
}

/** The flags that a request sets. */
export function streamFeatures(request: StreamConfigRequest): StreamFeatures {
  const markerTtl = request.subject_delete_marker_ttl ?? 0;
  return {
    allow_msg_ttl: markerTtl > 0 || (request.allow_msg_ttl ?? false),
    ...(markerTtl > 0 ? { subject_delete_marker_ttl: markerTtl } : {}),
    ...(request.allow_msg_counter ? { allow_msg_counter: true } : {}),
    ...(request.allow_atomic ? { allow_atomic: true } : {}),
    ...(request.allow_msg_schedules ? { allow_msg_schedules: true } : {}),
    ...(request.allow_batched ? { allow_batched: true } : {}),
  };
}

/** Throws 10052 if a counter stream has members that do not fit it. */
export function checkCounter(request: StreamConfigRequest): void {
  if (!request.allow_msg_counter) return;
  if (request.discard === 'new') throw invalidConfig('counter stream cannot use discard new');
  if (request.allow_msg_ttl) throw invalidConfig('counter stream cannot use message TTLs');
  if (request.allow_msg_schedules) throw invalidConfig('counter stream cannot use message schedules');
  if ((request.retention ?? 'limits') !== 'limits')
    throw invalidConfig('counter stream can only use limits retention');
}

/**
 * Throws 10052 if delete markers do not fit the other members. A marker has a TTL and replaces the messages
 * of its subject, so TTLs and roll-ups are allowed implicitly.
 */
export function checkMarkers(request: StreamConfigRequest): void {
  const { subject_delete_marker_ttl: markerTtl = 0, pedantic } = request;
  if (markerTtl === 0) return;
  if (markerTtl < 0) throw invalidConfig('subject delete marker TTL must not be negative');
  if (markerTtl < 1e9) throw invalidConfig('subject delete marker TTL must be at least 1 second');
  if (pedantic && !request.allow_msg_ttl)
    throw invalidConfig('subject delete marker cannot be set if message TTLs are disabled');
  if (pedantic && !request.allow_rollup_hdrs)
    throw invalidConfig('subject delete marker cannot be set if roll-ups are disabled');
}

/**
 * Throws 10052 if schedules do not fit the other members. Schedules replace messages, so they need roll-ups,
 * which they allow implicitly.
 */
export function checkSchedules(request: StreamConfigRequest): void {
  if (!request.allow_msg_schedules) return;
  if (request.discard === 'new') throw invalidConfig('message scheduling cannot use discard new');
  if (request.pedantic && !request.allow_rollup_hdrs)
    throw invalidConfig('message scheduling cannot be set if roll-ups are disabled');
}

/** Throws 10052 if an update may not change the flags of `old` in this way. */
export function checkFeaturesUpdate(old: StreamConfig, config: StreamConfig): void {
  if (old.allow_msg_ttl && !config.allow_msg_ttl)
    throw invalidConfig('message TTL status can not be disabled');
  if (old.allow_msg_counter !== config.allow_msg_counter)
    throw invalidConfig('stream configuration update can not change message counter setting');
  if (old.allow_msg_schedules && !config.allow_msg_schedules)
    throw invalidConfig('message schedules can not be disabled');
}

/** The lowest JetStream API level of a server that understands the configuration. */
export function requiredLevel(config: StreamConfig): number {
  if (config.allow_batched) return 4;
  const { allow_msg_counter: counter, allow_atomic: atomic, allow_msg_schedules: schedules } = config;
  if (counter || atomic || schedules || config.persist_mode === 'async') return 2;
  return config.allow_msg_ttl ? 1 : 0;
}
