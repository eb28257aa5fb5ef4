import { tables, type Setting } from '../setting.ts';
import { parseUsers } from './configured-users.ts';
import type { UserSettings } from './user-settings.ts';

/** The setting `users`: tables of the configuration file, or the same as JSON. */
export const usersSetting: Setting<readonly UserSettings[] | undefined> = tables(parseUsers, {
  name: 'users',
  help: 'users with credentials and permissions; mostly in the configuration file (docs/users.md)',
  expected: 'a list of tables with a name and credentials each (docs/users.md)',
  secret: true,
});
