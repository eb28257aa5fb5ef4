import { readFileSync } from 'node:fs';
import { Command, CommanderError, type Option } from 'commander';
import type { CommandModule } from './command.ts';
import { shownText } from '../util/shown-text.ts';
import { CliError, type ExitCode, exitCode, exitCodeOfServerError } from './exit-code.ts';
import { endWithReader } from './reader.ts';
import { refuseUnknownSubcommand } from './subcommands.ts';

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** The table of commands, in the order of `--help`. */
export const commands: readonly CommandEntry[] = [
  { name: 'serve', summary: 'run a broker', load: () => import('./commands/serve.ts') },
  {
    name: 'dev',
    summary: 'run a broker in memory, for this machine only',
    load: () => import('./commands/dev.ts'),
  },
  {
    name: 'config',
    summary: 'print or validate the settings of "serve"',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'demo',
    summary: 'play the tutorial on an embedded broker',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'pub',
    summary: 'publish a message to a topic or subject',
    load: () => import('./commands/pub.ts'),
  },
  { name: 'tail', summary: 'show messages as they come', load: () => import('./commands/tail.ts') },
  {
    name: 'topics',
    summary: 'list, show, create, update, delete, purge topics',
    load: () => import('./commands/topics.ts'),
  },
  {
    name: 'groups',
    summary: 'list, show, create, update, pause, resume, release, reset, delete groups',
    load: () => import('./commands/groups.ts'),
  },
  {
    name: 'delayed',
    summary: 'list, show, move, cancel, publish delayed messages',
    load: () => import('./commands/delayed.ts'),
  },
  {
    name: 'schedules',
    summary: 'list, show, define, pause, resume, run, delete schedules',
    load: () => import('./commands/schedules.ts'),
  },
  {
    name: 'connections',
    summary: 'list and close the connections of clients',
    load: () => import('./commands/connections.ts'),
  },
  {
    name: 'users',
    summary: 'list the users of a broker, with what they may do',
    load: () => import('./commands/users.ts'),
  },
  {
    name: 'user',
    summary: 'hash the password of a user for the configuration',
    load: () => import('./commands/user.ts'),
  },
  {
    name: 'dead-letters',
    summary: 'list, show, redrive, purge dead letters',
    load: () => import('./commands/dead-letters.ts'),
  },
  {
    name: 'alarms',
    summary: 'what is wrong, since when, and what to do',
    load: () => import('./commands/alarms.ts'),
  },
  { name: 'top', summary: 'watch topics and groups live', load: () => import('./commands/top.ts') },
  {
    name: 'export',
    summary: 'write the messages of a topic as JSON lines',
    load: () => import('./commands/export.ts'),
  },
  {
    name: 'import',
    summary: 'publish the JSON lines of an export',
    load: () => import('./commands/import.ts'),
  },
  {
    name: 'bench',
    summary: 'measure a running broker for a few seconds',
    load: () => import('./commands/bench.ts'),
  },
  {
    name: 'doctor',
    summary: 'check machine, configuration and data directory',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'completion',
    summary: 'print a script that makes a shell complete commands and options',
    load: () => import('./commands/completion.ts'),
  },
];

/** Runs the command line and returns the exit code. Data goes to stdout, everything else to stderr. */
export async function runProgram(args: readonly string[]): Promise<ExitCode> {
  endWithReader();
  const program = new Command('pillarbox')
    .description(
      'A durable message broker that clients of other brokers can speak to; "serve --help" lists the protocols.',
    )
    .version(packageVersion(), '-V, --version')
    .showHelpAfterError('See pillarbox --help.')
    .exitOverride()
    .configureHelp({ optionDescription })
    .configureOutput({
      // One sentence; commander writes "error: unknown option '--x'".
      outputError: (text, write) =>
        write(`${shownLines(text.trimEnd().replace(/^error: /, 'pillarbox: '))}\n`),
    });
  const words = args.filter((arg) => !arg.startsWith('-'));
  const asked = words[0] === 'help' ? words[1] : words[0];
  for (const { name, summary, load } of commands) {
    const command = program.command(name).description(summary);
    command.copyInheritedSettings(program).showHelpAfterError(`See pillarbox ${name} --help.`);
    if (name !== asked) continue;
    await (await load()).configure(command);
    refuseUnknownSubcommand(command);
    for (const subcommand of command.commands)
      subcommand.showHelpAfterError(`See pillarbox ${name} ${subcommand.name()} --help.`);
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return resultCode;
  } catch (error) {
    return report(error);
  }
}

/** The description of an option with its default as the documents write it: without quotes. */
function optionDescription({ description, defaultValue, negate }: Option): string {
  return defaultValue === undefined || negate ? description : `${description} (default: ${defaultValue})`;
}

/** Escapes names from clients and arguments in an error, but keeps our own newlines. */
function shownLines(text: string): string {
  return text.split('\n').map(shownText).join('\n');
}

let resultCode: ExitCode = exitCode.ok;

/** Sets the exit code of a command that ends normally but reports a result by it. */
export function setExitCode(code: ExitCode): void {
  resultCode = code;
}

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    // Help and version end this way too, and are not mistakes; `pillarbox` alone shows the help, which is
    // one.
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  }
  const { code } = error as { code?: unknown };
  const serverCode = typeof code === 'string' ? exitCodeOfServerError[code] : undefined;
  if (error instanceof CliError || serverCode !== undefined) {
    process.stderr.write(`pillarbox: ${shownLines((error as Error).message)}\n`);
    return error instanceof CliError ? error.exitCode : (serverCode ?? exitCode.failure);
  }
  // An unexpected error: a bug report needs the stack.
  process.stderr.write(
    `pillarbox: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return exitCode.failure;
}

/** Read from the package.json above `dist/src/cli` or `dist/bundle/chunks`, which have the same depth. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
