import type { Command } from 'commander';
import { AdminClient, defaultUrl } from './admin-client.ts';
import { type Terminal, processTerminal } from './terminal.ts';

/**
 * A command module adds one top-level command's options and actions. It is loaded only when that command (or its
 * help) was asked for.
 */
export interface CommandModule {
  configure(command: Command): void | Promise<void>;
}

/** Options every command that talks to a broker has. */
export interface ClientOptions {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** What an action gets to work with. */
export interface CommandContext {
  readonly client: AdminClient;
  readonly terminal: Terminal;
  /** JSON for programs instead of tables for people. */
  readonly json: boolean;
}

export function addOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON, one value a line')
    .option('--no-color', 'no colours (as NO_COLOR does)');
}

export function addClientOptions(command: Command): Command {
  return addOutputOptions(command)
    .option(
      '--url <url>',
      'address of the broker (or PILLARBOX_URL)',
      process.env['PILLARBOX_URL'] || defaultUrl,
    )
    .option('--token <token>', 'admin token of the broker (better set by PILLARBOX_TOKEN)');
}

export function contextOf(options: ClientOptions): CommandContext {
  const token = options.token ?? process.env['PILLARBOX_TOKEN'];
  return {
    client: new AdminClient({ url: options.url, token: token || undefined }),
    terminal: processTerminal(!options.color),
    json: options.json === true,
  };
}

/** Prints a result: JSON for programs, the rendered text for people. */
export function print(context: CommandContext, value: unknown, render: () => string): void {
  context.terminal.out(context.json ? JSON.stringify(value) : render());
}

/** Prints a list: a JSON value a line, or a table. */
export function printList(context: CommandContext, values: readonly unknown[], render: () => string): void {
  if (!context.json) return context.terminal.out(render());
  for (const value of values) context.terminal.out(JSON.stringify(value));
}

/** Asks before something is lost, where a person can answer; scripts must say `--yes`. */
export async function confirm(terminal: Terminal, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !terminal.errIsTty) {
    terminal.err(`${question} Nothing was done: say --yes to go on without being asked.`);
    return false;
  }
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C is a no.
  const answer = await lines.question(`${question} [y/N] `).catch(() => '\n');
  lines.close();
  if (answer === '\n') terminal.err('');
  return /^y(es)?$/i.test(answer.trim());
}
