import type { AlarmJson, AlarmsJson, ReadyJson } from '../../admin-api/index.ts';
import { rfc3339 } from '../../util/index.ts';
import type { Alarm, AlarmWatch } from '../alarms/index.ts';
import type { AdminContext } from './context.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';
import { oneOf, readQuery, text } from './shape.ts';

/**
 * Lists the alarms that the user may see: those of its topics, and those of the server if it sees all topics.
 */
export function listAlarms(
  { access, query }: AdminRequest,
  { alarms: { watch } }: AdminContext,
): JsonReply<AlarmsJson> {
  const shape = { topic: text(), level: oneOf('warning', 'critical'), state: oneOf('pending', 'firing') };
  const { topic, level, state } = readQuery<{ topic?: string; level?: string; state?: string }>(query, shape);
  const listed = watch
    .list()
    .filter((alarm) => (alarm.topic === null ? access.may('manage', '*') : access.maySee(alarm.topic)))
    .filter((alarm) => topic === undefined || alarm.topic === topic)
    .filter((alarm) => level === undefined || alarm.level === level)
    .filter((alarm) => state === undefined || alarm.state === state);
  const { omitted, evaluatedMs } = watch;
  const evaluated = evaluatedMs === undefined ? null : rfc3339(evaluatedMs);
  return json({ alarms: listed.map(describeAlarm), omitted, evaluated });
}

function describeAlarm({ sinceMs, ...alarm }: Alarm): AlarmJson {
  return { ...alarm, since: rfc3339(sinceMs) };
}

/** The alarms in a health check, which needs no login: no names, and nothing if there is none. */
export function alarmsInBrief(alarms: AlarmWatch): Pick<ReadyJson, 'alarms'> {
  const firing = alarms.list().filter(({ state }) => state === 'firing');
  if (firing.length === 0) return {};
  const critical = firing.filter(({ level }) => level === 'critical').length;
  const rules = [...new Set(firing.map(({ rule }) => rule))];
  return { alarms: { critical, warning: firing.length - critical, rules } };
}
