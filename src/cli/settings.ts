import { type Command, Option } from 'commander';

type Flags = { readonly [name: string]: string | boolean | undefined };

/**
 * Adds the settings of a server to a command, from the server's table, and `--config`. The result reads them
 * from the options of its action, by the names of the settings.
 */
export async function addSettingOptions(command: Command): Promise<(options: Flags) => Flags> {
  const { environmentName, settingTable } = await import('../server/index.ts');
  const attributeNames = new Map<string, string>();
  for (const setting of Object.values(settingTable)) {
    const flag = setting.placeholder ? `--${setting.name} <${setting.placeholder}>` : `--${setting.name}`;
    const isShown = typeof setting.default !== 'object' && setting.default !== undefined;
    const shownDefault = isShown && setting.placeholder ? ` (default: ${setting.default})` : '';
    const option = new Option(flag, `${setting.help}${shownDefault}`);
    attributeNames.set(setting.name, option.attributeName());
    command.addOption(option);
  }
  command.option(
    '--config <FILE>',
    'configuration file (default: pillarbox.config.toml or .json, if there is one)',
  );
  command.addHelpText(
    'after',
    `\nEvery flag can also be an environment variable (${environmentName(settingTable.adminPort)}) or a key of the\n` +
      `configuration file (${settingTable.adminPort.name}). Flags win over the environment, that over the file.`,
  );
  return (options) => {
    const flags: { [name: string]: string | boolean | undefined } = { config: options['config'] };
    for (const [name, attribute] of attributeNames) flags[name] = options[attribute];
    return flags;
  };
}

/** The settings that `serve` would run with, read from the same sources; for doctor. */
export async function readServeSettings(flags: { readonly [name: string]: string | undefined }): Promise<{
  settings: {
    data: string;
    doors: readonly { title: string; host: string; port: number }[];
    adminHost: string;
    adminPort: number;
    adminTlsCert: string | undefined;
  };
  file: string | undefined;
  warnings: readonly string[];
  limits: { readonly [budget: string]: number };
  /** The configuration file holds passwords or tokens as they are. */
  hasSecrets: boolean;
}> {
  const { checkExposure, doorsOf, limitsInForce, loadConfiguration, secretsInFile } =
    await import('../server/index.ts');
  const { settings, origins, file, warnings } = await loadConfiguration(sourcesOf(flags));
  await checkExposure(settings);
  const doors = doorsOf(settings);
  const hasSecrets = secretsInFile(settings, origins).length > 0;
  return { settings: { ...settings, doors }, file, warnings, limits: limitsInForce(settings), hasSecrets };
}

/** A setting in force; `inForce` is what holds for one that is not set. */
export interface SettingInForce {
  readonly name: string;
  readonly value: string | number | boolean | object | null;
  readonly origin: string;
  readonly inForce?: string;
}

/**
 * All settings that `serve` would run with, with their origins; checked as a start checks them, if asked to.
 */
export async function settingsInForce(
  flags: Flags,
  { isChecked }: { readonly isChecked: boolean },
): Promise<{
  readonly settings: readonly SettingInForce[];
  readonly file: string | undefined;
  readonly warnings: readonly string[];
}> {
  const { checkConfiguration, loadConfiguration, shownSettings } = await import('../server/index.ts');
  const configuration = await loadConfiguration(sourcesOf(flags));
  if (isChecked) await checkConfiguration(configuration.settings);
  const { file, warnings } = configuration;
  return { settings: shownSettings(configuration), file, warnings };
}

function sourcesOf(flags: Flags): {
  readonly flags: Flags;
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
} {
  return { flags, environment: process.env, directory: process.cwd() };
}
