import { type User, usersOfSettings } from '../protocols/index.ts';
import { ServerError, messageOf } from './errors.ts';
import type { Settings } from './settings.ts';

/** The users of the settings. Throws a ServerError if they do not fit together. */
export function configuredUsers(settings: Settings): User[] {
  try {
    return usersOfSettings(settings);
  } catch (error) {
    throw new ServerError('configuration-invalid', messageOf(error), error);
  }
}
