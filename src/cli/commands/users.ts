import type { Command } from 'commander';
import type { UserJson, UserRulesJson } from '../../admin-api/index.ts';
import { type ClientOptions, addClientOptions, contextOf, printList } from '../command.ts';
import { renderTable } from '../table.ts';

/** `pillarbox users`: who may log in to a running broker, and do what. */
export function configure(command: Command): void {
  addClientOptions(
    command.command('list', { isDefault: true }).description('all users, with what they may do'),
  ).action(async (options: ClientOptions) => {
    const context = contextOf(options);
    const { users } = await context.client.ask('GET /api/v1/users', {});
    printList(context, users, () =>
      users.length === 0
        ? 'There is no user: every client may do everything.'
        : userTable(users, context.terminal.style.bold),
    );
  });
}

function userTable(users: readonly UserJson[], title: (text: string) => string): string {
  return renderTable(
    ['USER', 'FROM', 'CREDENTIALS', 'PROTOCOLS', 'PUBLISH', 'CONSUME', 'MANAGE'].map((title) => ({ title })),
    users.map(({ name, configured, credentials, protocols, permissions }) => [
      name,
      configured ? 'configuration' : 'a client',
      credentials.join(', ') || 'none',
      protocols?.join(', ') ?? 'all',
      ...(['publish', 'consume', 'manage'] as const).map((action) =>
        permissions === null ? 'all' : rulesText(permissions[action]),
      ),
    ]),
    { title },
  );
}

function rulesText(rules: UserRulesJson | undefined): string {
  if (rules === undefined) return 'none';
  const { allow, deny } = rules;
  return [allow?.join(' ') ?? 'all', ...(deny.length > 0 ? [`not ${deny.join(' ')}`] : [])].join(', ');
}
