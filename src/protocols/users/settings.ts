import type { Setting } from '../setting.ts';
import { parseUsers } from './configured-users.ts';
import type { UserSettings } from './user-settings.ts';

/** The setting `users`: tables of the configuration file, or the same as JSON. */
export const usersSetting: Setting<readonly UserSettings[] | undefined> = {
  name: 'users',
  placeholder: 'JSON',
  default: undefined,
  help: 'users with credentials and permissions; mostly in the configuration file (docs/users.md)',
  expected: 'a list of tables with a name and credentials each (docs/users.md)',
  secret: true,
  parse: (value) => {
    const list = listOf(value);
    return list === undefined || problemOf(list) !== undefined
      ? undefined
      : (list as readonly UserSettings[]);
  },
  accepts: (value) => Array.isArray(value) && problemOf(value) === undefined,
  problemOf: (value) => {
    const list = listOf(value);
    return list && problemOf(list);
  },
};

function listOf(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'string') return Array.isArray(value) ? value : undefined;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

function problemOf(list: readonly unknown[]): string | undefined {
  try {
    parseUsers(list);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
