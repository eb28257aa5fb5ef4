import { shownText } from '../util/index.ts';
import { protocols } from './protocols.ts';
import type { CommonSettings, ProtocolSettings } from './settings.ts';
import { checkUnique, mayUseProtocol, parseUsers, type User } from './users/index.ts';

/**
 * The users of the settings: those of `users`, and those that settings of protocols are shorthands for.
 * Throws an Error, in one sentence, if clients could not tell two of them apart.
 */
export function usersOfSettings(settings: ProtocolSettings & CommonSettings): User[] {
  const shorthands = protocols.flatMap((protocol) => protocol.users(settings));
  const users = [...parseUsers(settings.users ?? []), ...shorthands];
  checkUnique(users);
  const { natsNoAuthUser: name } = settings;
  if (name === undefined) return users;
  const anonymous = users.find((user) => user.name === name && mayUseProtocol(user, 'nats'));
  if (!anonymous)
    throw new Error(
      `There is no user "${shownText(name)}" for NATS, which nats-no-auth-user names; add it to "users".`,
    );
  return users.map((user) => (user === anonymous ? { ...user, anonymousAt: 'nats' } : user));
}
