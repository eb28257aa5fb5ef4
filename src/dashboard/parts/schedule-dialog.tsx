import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { ScheduleJson, ScheduleToDefineJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { stream } from '../stream.ts';
import { Confirm } from './dialog.tsx';
import { NumberField, numberOf, textOf } from './number-field.tsx';
import { TimeField, localTime, timeOf } from './time-field.tsx';

type Kind = 'cron' | 'every' | 'at';

const kinds = [
  ['cron', 'by cron expression'],
  ['every', 'at intervals'],
  ['at', 'once'],
] as const;

const misses = [
  ['once', 'makes up for all of them by one'],
  ['all', 'makes up for each'],
  ['skip', 'leaves them out'],
] as const;

/** Defines a schedule, or changes one; its counts go on. */
export function ScheduleDialog(props: {
  /** Absent: a new one. */
  readonly schedule?: ScheduleJson;
  readonly onClose: () => void;
}): VNode {
  const { schedule, onClose } = props;
  const [name, setName] = useState(schedule?.name ?? '');
  const [topic, setTopic] = useState(schedule?.topic ?? '');
  const [kind, setKind] = useState<Kind>(kindOf(schedule));
  const [cron, setCron] = useState(schedule?.cron ?? '0 3 * * *');
  const [zone, setZone] = useState(schedule ? (schedule.timeZone ?? '') : ownZone());
  const [every, setEvery] = useState(textOf(seconds(schedule?.everyMs)));
  const [at, setAt] = useState(localTime(schedule?.atMs ?? null));
  const [end, setEnd] = useState(localTime(schedule?.endMs ?? null));
  const [jitter, setJitter] = useState(textOf(seconds(schedule?.jitterMs)));
  const [missed, setMissed] = useState(schedule?.missed ?? 'once');
  const [key, setKey] = useState(schedule?.key ?? '');
  const [value, setValue] = useState(schedule?.value ?? '');
  const act = async (): Promise<void> => {
    const jitterMs = ms(jitter);
    const everyMs = ms(every);
    const definition: ScheduleToDefineJson = {
      ...kept(schedule),
      name,
      topic,
      ...(key === '' ? {} : { key }),
      value,
      encoding: schedule?.encoding ?? 'utf8',
      ...(kind === 'cron' ? { cron, ...(zone === '' ? {} : { timeZone: zone }) } : {}),
      ...(kind === 'every' && everyMs !== undefined ? { everyMs } : {}),
      ...(kind === 'at' ? definedTime('atMs', at) : {}),
      ...definedTime('endMs', end),
      ...(jitterMs === undefined ? {} : { jitterMs }),
      missed,
    };
    await ask('POST', '/api/v1/schedules', definition);
    stream.refresh();
  };
  const text = (label: string, current: string, set: (value: string) => void, isFixed = false): VNode => (
    <>
      <dt>{label}</dt>
      <dd>
        <input
          aria-label={label}
          value={current}
          disabled={isFixed}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />
      </dd>
    </>
  );
  return (
    <Confirm
      title={schedule ? `Change ${schedule.name}` : 'New schedule'}
      action={schedule ? 'Change' : 'Define'}
      isDisabled={name === '' || topic === ''}
      isWide
      act={act}
      onClose={onClose}
    >
      <dl class="facts">
        {text('Name', name, setName, schedule !== undefined)}
        {text('Topic', topic, setTopic)}
        <dt>Runs</dt>
        <dd>
          <select
            aria-label="Runs"
            value={kind}
            onChange={({ currentTarget }) => setKind(currentTarget.value as Kind)}
          >
            {kinds.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </dd>
        {kind === 'cron' && text('Cron expression', cron, setCron)}
        {kind === 'cron' && text('Time zone', zone, setZone)}
        {kind === 'every' && (
          <NumberField label="Every so many seconds" value={every} set={setEvery} hint="" />
        )}
        {kind === 'at' && <TimeField label="At" value={at} set={setAt} isRequired />}
        {kind !== 'at' && <TimeField label="Until" value={end} set={setEnd} />}
        <NumberField label="Jitter, in seconds" value={jitter} set={setJitter} />
        <dt>Runs that it missed</dt>
        <dd>
          <select
            aria-label="Runs that it missed"
            value={missed}
            onChange={({ currentTarget }) => setMissed(currentTarget.value as ScheduleJson['missed'])}
          >
            {misses.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </dd>
        {text('Key', key, setKey)}
      </dl>
      <label class="column">
        Value{schedule?.encoding === 'base64' ? ', in base64' : ''}
        <textarea rows={6} value={value} onInput={({ currentTarget }) => setValue(currentTarget.value)} />
      </label>
    </Confirm>
  );
}

/** What the dialog does not show stays as it is. */
function kept(schedule: ScheduleJson | undefined): Partial<ScheduleToDefineJson> {
  if (!schedule) return {};
  const { headers, ttlMs, priority, startMs, count, whenEnded } = schedule;
  return {
    headers: headers.map(({ name, value }) => ({ name, value: value ?? '' })),
    whenEnded,
    ...(ttlMs === null ? {} : { ttlMs }),
    ...(priority === null ? {} : { priority }),
    ...(startMs === null ? {} : { startMs }),
    ...(count === null ? {} : { count }),
  };
}

function kindOf(schedule: ScheduleJson | undefined): Kind {
  if (!schedule || schedule.cron !== null) return 'cron';
  return schedule.everyMs === null ? 'at' : 'every';
}

function definedTime(name: 'atMs' | 'endMs', local: string): Partial<ScheduleToDefineJson> {
  const time = timeOf(local);
  return time === undefined ? {} : { [name]: time };
}

function seconds(value: number | null | undefined): number | undefined {
  return value === null || value === undefined ? undefined : value / 1000;
}

function ms(text: string): number | undefined {
  const value = numberOf(text);
  return value === null ? undefined : Math.round(value * 1000);
}

function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
