import type { Command } from 'commander';

/**
 * For a command with subcommands that runs `list` without one: an unknown subcommand must not become an
 * argument of `list`. The error says that it is unknown.
 */
export function refuseUnknownSubcommand(command: Command): void {
  command.hook('preSubcommand', (_, subcommand) => {
    const [name] = command.args;
    const isNamed = command.commands.some(
      (known) => known.name() === name || known.aliases().includes(name ?? ''),
    );
    if (name === undefined || isNamed || name.startsWith('-') || name === 'help') return;
    const words = command.args.filter((word) => !word.startsWith('-'));
    if (words.length <= subcommand.registeredArguments.length) return;
    const known = command.commands.map((known) => known.name()).join(', ');
    command.error(`error: ${command.name()} has no command "${name}"; there are ${known}`, {
      exitCode: 2,
      code: 'commander.unknownCommand',
    });
  });
}
