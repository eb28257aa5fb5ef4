import { checkExposure } from './address.ts';
import type { Configuration, SettingOrigin } from './config.ts';
import { scheduleOptions } from './schedule-settings.ts';
import { budgetNames, budgetTable } from '../broker/index.ts';
import { type Setting, type Settings, limitsInForce, settingTable } from './settings.ts';
import { TlsGuards } from './tls-guards.ts';
import { configuredUsers } from './users.ts';

/** A setting in force, as a person or a program reads it. */
export interface ShownSetting {
  readonly name: string;
  /** As a flag would have it: `10s`, `1MiB`. Null: not set; `***`: set, and secret. */
  readonly value: string | number | boolean | object | null;
  readonly origin: SettingOrigin;
  /** What holds for a setting that is not set, if the table of settings tells. */
  readonly inForce?: string;
  readonly help: string;
}

/** All settings in force with their origins, in the order of the table. Secrets are masked. */
export function shownSettings({ settings, origins }: Configuration): readonly ShownSetting[] {
  const limits = limitsInForce(settings);
  const budgetOf = new Map(budgetNames.map((name) => [budgetTable[name].setting, limits[name]]));
  return (Object.keys(settingTable) as (keyof Settings)[]).map((key) => {
    const setting: Setting<unknown> = settingTable[key];
    const value = settings[key];
    const inForce = budgetOf.get(setting.name)?.toString() ?? /\(default: ([^)]*)\)/.exec(setting.help)?.[1];
    return {
      name: setting.name,
      value: shownValue(key, setting, value),
      origin: origins[key],
      help: setting.help,
      ...(value === undefined && inForce !== undefined ? { inForce } : {}),
    };
  });
}

function shownValue(key: string, setting: Setting<unknown>, value: unknown): ShownSetting['value'] {
  if (value === undefined) return null;
  if (setting.secret) return '***';
  if (typeof value === 'number' && /Ms(Max|Min)?$/.test(key)) return exactly(value, durations);
  if (typeof value === 'number' && /Bytes(Max|Min)?$/.test(key)) return exactly(value, sizes);
  return value;
}

const durations = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
  [1, 'ms'],
] as const;
const sizes = [
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
  [1, ''],
] as const;

/** The number in the largest unit in which it is whole. */
function exactly(number: number, units: readonly (readonly [size: number, name: string])[]): string {
  if (number === 0) return `0${units.at(-2)?.[1]}`;
  const [size, name] = units.find(([size]) => number % size === 0) ?? [1, ''];
  return `${number / size}${name}`;
}

/**
 * Checks what a start checks beyond single settings: public addresses, users, schedules, and the files of
 * TLS. Opens no port and no data directory. Rejects with a ServerError of code `configuration-invalid`.
 */
export async function checkConfiguration(settings: Settings): Promise<void> {
  await checkExposure(settings);
  configuredUsers(settings);
  scheduleOptions(settings.schedules ?? []);
  await TlsGuards.read(settings);
}
