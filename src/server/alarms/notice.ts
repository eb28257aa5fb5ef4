import { randomUUID } from 'node:crypto';
import { rfc3339 } from '../../util/index.ts';
import type { AlarmChange } from './alarm.ts';

/** A notice tells a change of an alarm to a webhook or a topic. */
export interface Notice {
  /** The same at every attempt. */
  readonly id: string;
  readonly rule: string;
  readonly change: AlarmChange['change'];
  /** The whole notice as JSON. */
  readonly body: string;
}

/** What became of notices, since the start. */
export interface NoticeCounts {
  delivered: number;
  /** Given up after refusals or attempts. */
  failed: number;
  /** Not attempted, because too many waited. */
  dropped: number;
}

/** `broker`: the identity of the data directory, because several brokers may tell one webhook. */
export function noticeOf({ change, alarm, atMs }: AlarmChange, broker: string): Notice {
  const id = randomUUID();
  const { sinceMs, ...rest } = alarm;
  const shown = { ...rest, since: rfc3339(sinceMs) };
  const body = JSON.stringify({ id, broker, change, at: rfc3339(atMs), alarm: shown });
  return { id, rule: alarm.rule, change, body };
}
