import type { VNode } from 'preact';
import type { ScheduleJson, SchedulesJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { absolute, count, duration } from '../format.ts';
import { Action, ConfirmAction } from '../parts/action.tsx';
import { Problem } from '../parts/problem.tsx';
import { ScheduleDialog } from '../parts/schedule-dialog.tsx';
import { Ago } from '../parts/times.tsx';
import { href } from '../route.ts';
import { stream, useNow, useWatch } from '../stream.ts';
import type { Page } from './page.ts';
import { number, Table } from '../parts/table.tsx';

const shownMax = 500;

/** What is published at times of its own. */
function Schedules(): VNode {
  const { value, error } = useWatch<SchedulesJson>('/api/v1/schedules');
  const now = useNow();
  if (!value) return <Problem error={error} />;
  const schedules = value.schedules.toSorted((a, b) => (a.nextMs ?? Infinity) - (b.nextMs ?? Infinity));
  return (
    <>
      <div class="head">
        <h1>Schedules</h1>
        <span class="muted">
          {count(schedules.length)}
          {schedules.length > shownMax && `, the next ${shownMax} are listed`}
        </span>
        <Action name="New schedule" dialog={(close) => <ScheduleDialog onClose={close} />} />
      </div>
      {schedules.length === 0 ? (
        <div class="teach stack">
          <p>A schedule publishes a message at times of its own, and makes up for those that it missed:</p>
          <pre>pillarbox schedules define nightly reports 'report of today' --cron '0 3 * * *'</pre>
        </div>
      ) : (
        <Table
          label="Schedules"
          heads={[
            'Schedule',
            'Topic',
            'Times',
            number('Next in'),
            number('Last'),
            number('Runs'),
            number('Missed'),
            'State',
            'Actions',
          ]}
        >
          {schedules.slice(0, shownMax).map((schedule) => (
            <tr key={schedule.name}>
              <td class="name">{schedule.name}</td>
              <td class="name">
                <a class="row-link" href={href(['topics', schedule.topic])}>
                  {schedule.topic}
                </a>
              </td>
              <td class="nowrap">{timesOf(schedule)}</td>
              <td class="number" title={schedule.nextMs === null ? '' : absolute(schedule.nextMs)}>
                {schedule.nextMs === null ? '–' : duration(Math.max(0, schedule.nextMs - now))}
              </td>
              <td class="number nowrap">
                <Ago ms={schedule.lastMs} />
              </td>
              <td class="number">{count(schedule.runs)}</td>
              <td class="number">{count(schedule.missedRuns)}</td>
              <td>
                {schedule.failure ? (
                  <span class="error">■ fails: {schedule.failure.message}</span>
                ) : schedule.status === 'active' ? (
                  <span class="ok">● active</span>
                ) : (
                  <span class="muted">‖ {schedule.status}</span>
                )}
              </td>
              <td>
                <Acts schedule={schedule} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

function timesOf({ cron, timeZone, everyMs, atMs }: ScheduleJson): string {
  if (cron !== null) return `${cron}${timeZone === null ? '' : `, ${timeZone}`}`;
  if (everyMs !== null) return `every ${duration(everyMs)}`;
  return atMs === null ? '' : `once at ${absolute(atMs)}`;
}

function Acts({ schedule }: { readonly schedule: ScheduleJson }): VNode {
  const { name, topic, status } = schedule;
  const route = `/api/v1/schedules/${encodeURIComponent(name)}`;
  const act = (method: 'POST' | 'DELETE', path: string) => async (): Promise<void> => {
    await ask(method, `${route}${path}`, method === 'POST' ? {} : undefined);
    stream.refresh();
  };
  const isPaused = status === 'paused';
  return (
    <span class="row">
      <Action name="Edit" dialog={(close) => <ScheduleDialog schedule={schedule} onClose={close} />} />
      <ConfirmAction name="Run now" title={`Run ${name} now`} action="Publish" act={act('POST', '/run')}>
        <p>Its message is published to {topic} at once, besides its times.</p>
      </ConfirmAction>
      {status !== 'ended' && (
        <ConfirmAction
          name={isPaused ? 'Resume' : 'Pause'}
          title={`${isPaused ? 'Resume' : 'Pause'} ${name}`}
          action={isPaused ? 'Resume' : 'Pause'}
          act={act('POST', isPaused ? '/resume' : '/pause')}
        >
          <p>
            {isPaused ? 'It runs again from the first time after now.' : 'It does not run until resumed.'}
          </p>
        </ConfirmAction>
      )}
      <ConfirmAction
        name="Delete"
        isDangerous
        title={`Delete ${name}`}
        action="Delete"
        typed={name}
        act={act('DELETE', '')}
      >
        <p>It publishes nothing any more. Messages that it has published stay.</p>
      </ConfirmAction>
    </span>
  );
}

export const schedulesPage: Page = { name: 'schedules', title: 'Schedules', view: Schedules };
