import type { Command } from 'commander';
import type { ConnectionJson } from '../../admin-api/index.ts';
import { type ClientOptions, addClientOptions, contextOf, print, printList } from '../command.ts';
import { formatBytes } from '../format.ts';
import { renderTable } from '../table.ts';

/** `pillarbox connections …`. A connection is named by its id. */
export function configure(command: Command): void {
  addClientOptions(
    command
      .command('list', { isDefault: true })
      .description('the clients of all protocols, those that are behind first'),
  ).action(async (options: ClientOptions) => {
    const context = contextOf(options);
    const { connections } = await context.client.ask('GET /api/v1/connections', {});
    printList(context, connections, () =>
      connections.length === 0
        ? 'No client is connected.'
        : connectionTable(connections, context.terminal.style.bold),
    );
  });

  addClientOptions(
    command.command('close <id>').description('close a connection; most clients connect again by themselves'),
  ).action(async (id: string, options: ClientOptions) => {
    const context = contextOf(options);
    const result = await context.client.ask('DELETE /api/v1/connections/:id', { id });
    print(context, result, () => `Closed connection ${id}.`);
  });
}

function connectionTable(connections: readonly ConnectionJson[], title: (text: string) => string): string {
  return renderTable(
    [
      { title: 'ID', align: 'right' },
      { title: 'PROTOCOL' },
      { title: 'ADDRESS' },
      { title: 'NAME' },
      { title: 'USER' },
      { title: 'SOFTWARE' },
      { title: 'IN', align: 'right' },
      { title: 'OUT', align: 'right' },
      { title: 'UNREAD', align: 'right' },
    ],
    connections.map((connection) => [
      String(connection.id),
      connection.protocol,
      connection.address,
      connection.name,
      connection.user ?? '',
      `${connection.software} ${connection.version}`.trim(),
      formatBytes(connection.inBytes),
      formatBytes(connection.outBytes),
      formatBytes(connection.pendingBytes),
    ]),
    { title },
  );
}
