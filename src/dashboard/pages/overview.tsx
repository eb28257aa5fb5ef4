import type { VNode } from 'preact';
import type { AlarmsJson, OverviewJson, OverviewServerJson, TopicRowsJson } from '../../admin-api/index.ts';
import { bytes, count, duration, rate } from '../format.ts';
import { Figure } from '../parts/fields.tsx';
import { FirstSteps } from '../parts/first-steps.tsx';
import { Problem } from '../parts/problem.tsx';
import { Spark } from '../parts/spark.tsx';
import { For } from '../parts/times.tsx';
import { TopicTable } from '../parts/topic-table.tsx';
import { Troubles } from '../parts/troubles.tsx';
import { href } from '../route.ts';
import { useWatch } from '../stream.ts';
import { troublesOf } from '../troubles.ts';
import type { Page } from './page.ts';

const rowsMax = 30;

/** What is wrong first, then the figures, then the topics with the largest backlog. */
function Overview(): VNode {
  const { value: overview, error } = useWatch<OverviewJson>('/api/v1/overview');
  const { value: rows } = useWatch<TopicRowsJson>(`/api/v1/topic-rows?sort=backlog&limit=${rowsMax}`);
  const { value: alarms } = useWatch<AlarmsJson>('/api/v1/alarms');
  if (!overview) return <Problem error={error} />;
  return (
    <>
      <h1 class="skip">Overview</h1>
      <Troubles troubles={troublesOf(alarms?.alarms ?? [], overview.findings)} />
      <Figures overview={overview} />
      {rows?.total === 0 ? (
        <FirstSteps />
      ) : (
        <section>
          <TopicTable topics={rows?.topics ?? []} />
          {rows && rows.total > rowsMax && (
            <p class="pager">
              <a href={href(['topics'])}>All {count(rows.total)} topics</a>
            </p>
          )}
        </section>
      )}
    </>
  );
}

function Figures({ overview }: { readonly overview: OverviewJson }): VNode {
  const { server } = overview;
  return (
    <dl class="figures">
      <Figure name="In">{rate(overview.inPerSecond)}</Figure>
      <Figure name="Out">{rate(overview.outPerSecond)}</Figure>
      <div>
        <dt>Last minutes</dt>
        <dd>
          <Spark track={overview.recent} />
        </dd>
      </div>
      <Figure name="Backlog">{count(overview.backlog)}</Figure>
      <Figure name="Oldest">
        <For ms={overview.oldestAgeMs} />
      </Figure>
      <Figure name="Dead letters">
        <a href={href(['dead-letters'])}>{count(overview.deadLetters)}</a>
      </Figure>
      {server && <ServerFigures server={server} />}
    </dl>
  );
}

function ServerFigures({ server }: { readonly server: OverviewServerJson }): VNode {
  const clients = server.connections.filter(({ connections }) => connections > 0);
  return (
    <>
      <Figure name="Memory">
        {bytes(server.memoryBytes)}{' '}
        <small>{Math.round((server.memoryBytes / server.memoryBytesMax) * 100)} % of its mark</small>
      </Figure>
      <Figure name="Disk free">
        {server.diskFreeBytes === null ? '–' : bytes(server.diskFreeBytes)}
        {server.diskTimeToFullMs !== null && <small> full in {duration(server.diskTimeToFullMs)}</small>}
      </Figure>
      <Figure name="Sync p99">{server.syncP99Ms === null ? '–' : `≤ ${duration(server.syncP99Ms)}`}</Figure>
      <Figure name="Connections">
        {clients.length === 0
          ? '0'
          : clients.map(({ name, connections }, at) => (
              <span key={name}>
                {at > 0 && ' '}
                {connections} <small>{name}</small>
              </span>
            ))}
      </Figure>
    </>
  );
}

export const overviewPage: Page = { name: '', title: 'Overview', view: Overview };
