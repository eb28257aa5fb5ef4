import type { UserJson, UserRulesJson, UsersJson } from '../../admin-api/index.ts';
import type { User } from '../../protocols/index.ts';
import { type AdminContext, checkMayAll } from './context.ts';
import type { AdminRequest } from './http.ts';
import { type JsonReply, json } from './reply.ts';

/** Lists users with what they may do. It takes the permission to manage all topics. */
export function listUsers({ access }: AdminRequest, { users }: AdminContext): JsonReply<UsersJson> {
  checkMayAll('manage', access);
  const all = users.all().map((user) => describeUser(user, users.isConfigured(user.name)));
  return json({ users: all.sort((a, b) => (a.name < b.name ? -1 : 1)) });
}

function describeUser({ name, credentials, protocols, permissions }: User, configured: boolean): UserJson {
  const { password, token, nkeys = [], certificates = [], accessKeys = [] } = credentials;
  return {
    name,
    configured,
    credentials: [
      ...(password === undefined ? [] : (['password'] as const)),
      ...(token === undefined ? [] : (['token'] as const)),
      ...(nkeys.length === 0 ? [] : (['nkey'] as const)),
      ...(certificates.length === 0 ? [] : (['certificate'] as const)),
      ...(accessKeys.length === 0 ? [] : (['access-key'] as const)),
    ],
    protocols: protocols === undefined ? null : [...protocols].sort(),
    permissions: permissions === undefined ? null : describePermissions(permissions),
  };
}

function describePermissions(
  permissions: NonNullable<User['permissions']>,
): NonNullable<UserJson['permissions']> {
  const rules: { publish?: UserRulesJson; consume?: UserRulesJson; manage?: UserRulesJson } = {};
  for (const action of ['publish', 'consume', 'manage'] as const) {
    const given = permissions[action];
    if (given !== undefined) rules[action] = { allow: given.allow ?? null, deny: given.deny ?? [] };
  }
  return rules;
}
