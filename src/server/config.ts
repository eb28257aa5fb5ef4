import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { shownText } from '../util/index.ts';
import { ServerError, messageOf, systemErrorCode } from './errors.ts';
import { type Setting, type Settings, environmentName, settingTable } from './settings.ts';

/**
 * The source of a value. Flags override the environment, the environment overrides the file, and the file
 * overrides the defaults. `code`: a program that started the server has passed it.
 */
export type SettingOrigin = 'flag' | 'environment' | 'file' | 'code' | 'default';

/** A configuration is the settings in force, with the source of each. */
export interface Configuration {
  readonly settings: Settings;
  readonly origins: { readonly [K in keyof Settings]: SettingOrigin };
  /** The configuration file that was read, if any. */
  readonly file: string | undefined;
  /** Problems that look like mistakes but do not prevent the start. */
  readonly warnings: readonly string[];
}

export interface ConfigurationSources {
  /** By setting name, without the dashes in front; `config` names the file. */
  readonly flags?: { readonly [name: string]: string | boolean | undefined };
  readonly environment?: { readonly [name: string]: string | undefined };
  /** The directory of the configuration file, and the base of relative paths. */
  readonly directory?: string;
}

/** Read from the working directory if no file is named; the first that exists is used. */
export const configurationFileNames: readonly string[] = ['pillarbox.config.toml', 'pillarbox.config.json'];

/** Variables that belong to the command line's client side or to the tests, not to the server. */
const otherVariables: ReadonlySet<string> = new Set([
  'PILLARBOX_CONFIG',
  'PILLARBOX_URL',
  'PILLARBOX_TOKEN',
  'PILLARBOX_USER',
  'PILLARBOX_PASSWORD',
  'PILLARBOX_CA',
  'PILLARBOX_CLIENT_CERT',
  'PILLARBOX_CLIENT_KEY',
  'PILLARBOX_ORACLE',
]);

const configurationBytesMax = 1 << 20;

type Values = { readonly [name: string]: unknown };

/**
 * Reads all sources; rejects with a ServerError of code `configuration-invalid` that names the source, the
 * key and what to do.
 */
export async function loadConfiguration(sources: ConfigurationSources = {}): Promise<Configuration> {
  const { flags = {}, environment = {}, directory = '.' } = sources;
  const named = flags['config'] ?? environment['PILLARBOX_CONFIG'];
  const file = await readConfigurationFile(directory, typeof named === 'string' ? named : undefined);
  const names = Object.values(settingTable).map((setting) => setting.name);

  if (file)
    for (const key of Object.keys(file.values))
      if (!names.includes(key))
        throw invalid(
          `The configuration file ${file.path} has an unknown key "${key}"; ${didYouMean(key, names)}`,
        );

  const settings: { -readonly [K in keyof Settings]?: unknown } = {};
  const origins: { -readonly [K in keyof Settings]?: SettingOrigin } = {};
  for (const key of Object.keys(settingTable) as (keyof Settings)[]) {
    const setting: Setting<unknown> = settingTable[key];
    const variable = environmentName(setting);
    const candidates: readonly Candidate[] = [
      ['flag', `The flag --${setting.name}`, flags[setting.name]],
      ['environment', `The environment variable ${variable}`, environment[variable] || undefined],
      ...aliasOf(setting, environment),
      [
        'file',
        `The key "${setting.name}" in the configuration file ${file?.path}`,
        file?.values[setting.name],
      ],
    ];
    const given = candidates.find(([, , value]) => value !== undefined);
    settings[key] = given ? parse(setting, given[1], given[2]) : setting.default;
    origins[key] = given ? given[0] : 'default';
  }

  const known = new Set([
    ...otherVariables,
    ...Object.values(settingTable).map((setting) => environmentName(setting)),
  ]);
  const warnings = Object.keys(environment)
    .filter((name) => name.startsWith('PILLARBOX_') && !known.has(name))
    .map((name) => `The environment variable ${name} is not known and was ignored.`);
  return {
    settings: settings as unknown as Settings,
    origins: origins as Configuration['origins'],
    file: file?.path,
    warnings,
  };
}

/** A source of a value, its name in a sentence, and the value; undefined: it has none. */
type Candidate = readonly [origin: SettingOrigin, title: string, value: unknown];

/** The value that a variable of others gives. */
function aliasOf(
  { alias }: Setting<unknown>,
  environment: NonNullable<ConfigurationSources['environment']>,
): readonly Candidate[] {
  return alias === undefined
    ? []
    : [['environment', `The environment variable ${alias}`, environment[alias] || undefined]];
}

function parse(setting: Setting<unknown>, where: string, value: unknown): unknown {
  const parsed = setting.parse(value);
  if (parsed !== undefined) return parsed;
  throw unfit(setting, where, value);
}

function unfit(setting: Setting<unknown>, where: string, value: unknown): ServerError {
  const problem = setting.problemOf?.(value);
  if (problem !== undefined) return invalid(`${where} is not right: ${problem}`);
  const shown = setting.secret && value !== '' ? 'the value given (not shown)' : shownValue(value);
  return invalid(
    `${where} must be ${setting.expected}, not ${shown}; correct it or leave it out for the default.`,
  );
}

/** Undefined and functions, which JSON cannot express, are shown as their type. */
function shownValue(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : shownText(JSON.stringify(value) ?? typeof value);
}

async function readConfigurationFile(
  directory: string,
  named: string | undefined,
): Promise<{ path: string; values: Values } | undefined> {
  for (const name of named === undefined ? configurationFileNames : [named]) {
    const path = resolve(directory, name);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (named === undefined && systemErrorCode(error) === 'ENOENT') continue;
      throw invalid(
        `The configuration file ${path} cannot be read (${systemErrorCode(error) ?? messageOf(error)}); ` +
          'check the path and its permissions.',
        error,
      );
    }
    if (text.length > configurationBytesMax)
      throw invalid(`The configuration file ${path} is larger than 1 MiB; it cannot be one.`);
    return { path, values: await parseConfigurationFile(path, text) };
  }
  return undefined;
}

async function parseConfigurationFile(path: string, text: string): Promise<Values> {
  const kind = basename(path).endsWith('.json') ? 'JSON' : 'TOML';
  let values: unknown;
  try {
    // smol-toml is loaded only if there is a TOML file to read.
    values = kind === 'JSON' ? JSON.parse(text) : (await import('smol-toml')).parse(text);
  } catch (error) {
    // The rest of a TOML error is a drawing of the place; the line number is enough here.
    const [reason = ''] = messageOf(error).split('\n');
    const { line } = error as { line?: unknown };
    const place = typeof line === 'number' ? `, line ${line}` : '';
    throw invalid(
      `The configuration file ${path} is not valid ${kind} (${reason}${place}); correct it there or remove the file.`,
      error,
    );
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw invalid(
      `The configuration file ${path} must hold an object with settings, such as {"log-level": "debug"}.`,
    );
  return values as Values;
}

function didYouMean(name: string, known: readonly string[]): string {
  const near = known.find(
    (candidate) =>
      candidate.replaceAll('-', '').toLowerCase() === name.replaceAll(/[-_.]/g, '').toLowerCase() ||
      candidate.startsWith(name) ||
      name.startsWith(candidate),
  );
  return near === undefined ? `the known ones are ${known.join(', ')}.` : `did you mean "${near}"?`;
}

/**
 * The settings of a server that is started from code: the defaults, each overridable by its name in camel
 * case. Values are checked like those of flags, with the same ServerError. Undefined counts as left out;
 * `others` are names of the caller's own options.
 */
export function settingsOf(given: Partial<Settings>, others: readonly string[] = []): Settings {
  const keys = Object.keys(settingTable) as (keyof Settings)[];
  if (typeof given !== 'object' || given === null)
    throw invalid('The settings of a server must be an object.');
  for (const name of Object.keys(given))
    if (!keys.includes(name as keyof Settings) && !others.includes(name))
      throw invalid(`A server has no setting "${name}"; ${didYouMean(name, keys)}`);
  const settings: { -readonly [K in keyof Settings]?: unknown } = {};
  for (const key of keys) {
    const setting: Setting<unknown> = settingTable[key];
    const value = given[key];
    const accepts = setting.accepts ?? ((value) => setting.parse(value) === value);
    if (value !== undefined && !accepts(value)) throw unfit(setting, `The setting "${key}"`, value);
    settings[key] = value ?? setting.default;
  }
  return settings as unknown as Settings;
}

/** The sources of settings that a program passes. */
export function originsOf(given: Partial<Settings>): Configuration['origins'] {
  const keys = Object.keys(settingTable) as (keyof Settings)[];
  const origins = keys.map((key) => [key, given[key] === undefined ? 'default' : 'code'] as const);
  return Object.fromEntries(origins) as Configuration['origins'];
}

function invalid(message: string, cause?: unknown): ServerError {
  return new ServerError('configuration-invalid', message, cause);
}
