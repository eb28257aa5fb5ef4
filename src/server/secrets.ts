import { parseUsers, type User } from '../protocols/index.ts';
import type { Configuration } from './config.ts';
import { settingTable, type Settings } from './settings.ts';

/**
 * Names of settings that hold plain secrets in the configuration file: tokens, and passwords that are not
 * hashed.
 */
export function secretsInFile(settings: Settings, origins: Configuration['origins']): string[] {
  const keys = (Object.keys(settingTable) as (keyof Settings)[]).filter(
    (key) => settingTable[key].secret && origins[key] === 'file',
  );
  return keys.filter((key) => {
    if (key === 'users') return parseUsers(settings.users ?? []).some(hasSecret);
    if (key === 'alarmWebhooks') return settings.alarmWebhooks?.some(({ secret }) => secret !== undefined);
    return true;
  });
}

function hasSecret({ credentials: { password, token } }: User): boolean {
  return password?.kind === 'plain' || token !== undefined;
}
