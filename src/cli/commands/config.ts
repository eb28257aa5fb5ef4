import type { Command } from 'commander';
import { addOutputOptions, contextOf, print, printList } from '../command.ts';
import { addSettingOptions, type SettingInForce, settingsInForce } from '../settings.ts';
import { renderTable } from '../table.ts';

type Options = { readonly [name: string]: string | boolean | undefined };

/** `pillarbox config …`: the settings with which `serve` would start here, without a start. */
export async function configure(command: Command): Promise<void> {
  const printing = command
    .command('print', { isDefault: true })
    .description('the settings in force, each with its origin; secrets are shown as ***')
    .option('--changed', 'only those that are not defaults');
  const printed = await addSettingOptions(printing);
  addOutputOptions(printing).action(async (options: Options) => {
    const context = contextOf(outputOptions(options));
    const { settings, file, warnings } = await settingsInForce(printed(options), { isChecked: false });
    for (const warning of warnings) context.terminal.err(warning);
    const shown = settings.filter(({ origin }) => options['changed'] !== true || origin !== 'default');
    printList(context, shown, () =>
      shown.length === 0 ? 'All settings are defaults.' : settingTable(shown, context.terminal.style.bold),
    );
    if (!context.json && file !== undefined) context.terminal.err(`The file is ${file}.`);
  });

  const validating = command
    .command('validate')
    .description('check the settings as a start does; opens no port and no data directory');
  const validated = await addSettingOptions(validating);
  addOutputOptions(validating).action(async (options: Options) => {
    const context = contextOf(outputOptions(options));
    const { file = null, warnings } = await settingsInForce(validated(options), { isChecked: true });
    for (const warning of warnings) context.terminal.err(warning);
    print(context, { valid: true, file, warnings }, () =>
      file === null
        ? 'The settings are valid; there is no configuration file.'
        : `The settings are valid, with those of ${file}.`,
    );
  });
}

function outputOptions(options: Options): Parameters<typeof contextOf>[0] {
  return { url: 'http://127.0.0.1', json: options['json'] === true, color: options['color'] !== false };
}

function settingTable(settings: readonly SettingInForce[], title: (text: string) => string): string {
  return renderTable(
    [{ title: 'SETTING' }, { title: 'ORIGIN' }, { title: 'VALUE' }],
    settings.map((setting) => [setting.name, setting.origin, shown(setting)]),
    { title },
  );
}

function shown({ value, inForce }: SettingInForce): string {
  if (value === null) return inForce === undefined ? 'not set' : `not set: ${inForce}`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
