import type { VNode } from 'preact';
import type { ServerJson } from '../../admin-api/index.ts';
import { absolute, bytes, count } from '../format.ts';
import { Fact } from '../parts/fields.tsx';
import { SettingList } from '../parts/setting-list.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago } from '../parts/times.tsx';
import type { Route } from '../route.ts';
import { useWatch } from '../stream.ts';
import type { Page } from './page.ts';
import { number, Table } from '../parts/table.tsx';

/** The server: where it listens, what it keeps, its settings and its budgets. */
function Settings({ route }: { readonly route: Route }): VNode {
  const { value: server, error } = useWatch<ServerJson>('/api/v1/server');
  if (!server) return <Problem error={error} />;
  const budgets = Object.entries(server.stats.budgets).toSorted(
    ([, a], [, b]) => b.used / b.limit - a.used / a.limit,
  );
  return (
    <>
      <h1>Server</h1>
      <dl class="facts">
        <Fact name="Pillarbox">{server.version}</Fact>
        <Fact name="Node">{server.node}</Fact>
        <Fact name="Process">
          {server.pid}, started <Ago ms={server.startedMs} />{' '}
          <span class="muted">({absolute(server.startedMs)})</span>
        </Fact>
        <Fact name="Data directory">{server.dataDirectory}</Fact>
        <Fact name="Ports">
          {Object.entries(server.ports)
            .map(([name, port]) => `${name} ${port}`)
            .join(', ')}
        </Fact>
        <Fact name="Address of protocols">{server.host}</Fact>
        <Fact name="Largest message">{bytes(server.maxPayloadBytes)}</Fact>
        <Fact name="Journal">{bytes(server.stats.log.journalDiskBytes)} on disk</Fact>
        <Fact name="Segments">{bytes(server.stats.log.segmentBytes)}</Fact>
        <Fact name="Commits">{count(server.stats.log.commits)} since the start</Fact>
        <Fact name="Damage">
          {server.health.damage.map(({ message }) => message).join(' ') || 'none found'}
        </Fact>
      </dl>
      <SettingList route={route} />
      <section>
        <h2>Budgets</h2>
        <p class="muted">How much there is of each kind, and how much there may be; each is a setting.</p>
        <Table label="Budgets" isNarrow heads={['Kind', number('Used'), number('Limit')]}>
          {budgets.map(([name, { used, limit }]) => (
            <tr key={name}>
              <td>{name}</td>
              <td class={`number${used > limit * 0.9 ? ' warning' : ''}`}>{count(used)}</td>
              <td class="number">{count(limit)}</td>
            </tr>
          ))}
        </Table>
      </section>
    </>
  );
}

export const settingsPage: Page = { name: 'settings', title: 'Server', view: Settings };
