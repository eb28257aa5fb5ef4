import type { VNode } from 'preact';
import type { ConnectionJson, ConnectionsJson } from '../../admin-api/index.ts';
import { ask } from '../api.ts';
import { bytes, counted } from '../format.ts';
import { ConfirmAction } from '../parts/action.tsx';
import { Problem } from '../parts/problem.tsx';
import { Ago } from '../parts/times.tsx';
import type { Route } from '../route.ts';
import { stream, useWatch } from '../stream.ts';
import type { Page } from './page.ts';
import { number, Table } from '../parts/table.tsx';

const limit = 200;

/** Who is connected; those that are behind with reading come first. */
function Connections({ route: { query } }: { readonly route: Route }): VNode {
  const { value, error } = useWatch<ConnectionsJson>(`/api/v1/connections?limit=${limit}`);
  if (!value) return <Problem error={error} />;
  const chosen = query.get('id');
  const inUse = value.protocols.filter(({ connections }) => connections > 0);
  return (
    <>
      <div class="head">
        <h1>Connections</h1>
        <span class="muted">
          {inUse.map(({ name, connections }) => `${connections} ${name}`).join(', ') || 'none'}
          {value.total > limit && `; the first ${limit} are listed, those that are behind first`}
        </span>
      </div>
      <Table
        label="Connections"
        heads={[
          number('Id'),
          'Protocol',
          'Name',
          'User',
          'Address',
          'Client',
          number('Since'),
          number('Received'),
          number('Sent'),
          number('Unread'),
          'Actions',
        ]}
      >
        {value.connections.map((connection) => (
          <tr key={connection.id} {...(String(connection.id) === chosen ? { 'aria-current': 'true' } : {})}>
            <td class="number">{connection.id}</td>
            <td>{connection.protocol}</td>
            <td class="name">{connection.name}</td>
            <td>{connection.user}</td>
            <td class="nowrap">{connection.address}</td>
            <td class="client" title={connection.software}>
              {connection.software} {connection.version}
            </td>
            <td class="number nowrap">
              <Ago ms={connection.connectedMs} />
            </td>
            <td class="number">{bytes(connection.inBytes)}</td>
            <td class="number">{bytes(connection.outBytes)}</td>
            <td class={`number${connection.pendingBytes > 65_536 ? ' warning' : ''}`}>
              {bytes(connection.pendingBytes)}
            </td>
            <td>
              <Close connection={connection} />
            </td>
          </tr>
        ))}
      </Table>
      {value.connections.length === 0 && (
        <p class="muted">{counted(0, 'client')} are connected; a client appears here when it connects.</p>
      )}
    </>
  );
}

function Close({ connection }: { readonly connection: ConnectionJson }): VNode {
  const { id, protocol, address, name } = connection;
  const act = async (): Promise<void> => {
    await ask('DELETE', `/api/v1/connections/${id}`);
    stream.refresh();
  };
  return (
    <ConfirmAction
      name="Close"
      isDangerous
      title={`Close connection ${id}`}
      action="Close it"
      typed={String(id)}
      act={act}
    >
      <p>
        {name === '' ? 'The client' : name} at {address} ({protocol}) is cut off. Most clients connect again
        by themselves; what it had not answered is delivered again.
      </p>
    </ConfirmAction>
  );
}

export const connectionsPage: Page = { name: 'connections', title: 'Connections', view: Connections };
