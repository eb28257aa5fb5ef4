import { protocols } from './protocols.ts';
import type { CommonSettings, ProtocolSettings } from './settings.ts';
import { checkUnique, parseUsers, type User } from './users/index.ts';

/**
 * The users that the settings name: those of `users`, and those that settings of protocols are shorthands for.
 * Throws an Error, in one sentence, when clients could not tell two of them apart.
 */
export function usersOfSettings(settings: ProtocolSettings & CommonSettings): User[] {
  const shorthands = protocols.flatMap((protocol) => protocol.users(settings));
  const users = [...parseUsers(settings.users ?? []), ...shorthands];
  checkUnique(users);
  return users;
}
