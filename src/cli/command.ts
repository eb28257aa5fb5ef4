import type { Command } from 'commander';
import { AdminClient, type AdminUser, defaultUrl } from './admin-client.ts';
import { CliError, exitCode } from './exit-code.ts';
import { type Terminal, processTerminal } from './terminal.ts';
import { shownJson, shownText } from '../util/shown-text.ts';

/**
 * A command module adds the options and actions of one top-level command. It is loaded only if that command
 * (or its help) was requested.
 */
export interface CommandModule {
  configure(command: Command): void | Promise<void>;
}

/** Options of every command that talks to a broker. */
export interface ClientOptions {
  readonly url: string;
  readonly token?: string;
  readonly user?: string;
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** The tools of a command's action. */
export interface CommandContext {
  readonly client: AdminClient;
  readonly terminal: Terminal;
  /** Print JSON for programs instead of tables for people. */
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
    .option('--token <token>', 'admin token of the broker (better set by PILLARBOX_TOKEN)')
    .option(
      '--user <name>',
      'user to log in as (or PILLARBOX_USER); password by PILLARBOX_PASSWORD or prompt',
    )
    .option('--ca <file>', "PEM file of the authority that signed the broker's certificate (or PILLARBOX_CA)")
    .option('--client-cert <file>', 'PEM file of a client certificate (or PILLARBOX_CLIENT_CERT)')
    .option('--client-key <file>', 'PEM file of its key (or PILLARBOX_CLIENT_KEY)');
}

export function contextOf(options: ClientOptions): CommandContext {
  const token = options.token ?? process.env['PILLARBOX_TOKEN'];
  const user = (options.user ?? process.env['PILLARBOX_USER']) || undefined;
  const tls = {
    ca: (options.ca ?? process.env['PILLARBOX_CA']) || undefined,
    cert: (options.clientCert ?? process.env['PILLARBOX_CLIENT_CERT']) || undefined,
    key: (options.clientKey ?? process.env['PILLARBOX_CLIENT_KEY']) || undefined,
  };
  return {
    client: new AdminClient({
      url: options.url,
      token: token || undefined,
      user: user === undefined ? undefined : userOf(user),
      tls,
    }),
    terminal: processTerminal(!options.color),
    json: options.json === true,
  };
}

/** A user whose password comes from the environment, or from the person at the terminal. */
export function userOf(name: string): AdminUser {
  const password = async (): Promise<string> => {
    const given = process.env['PILLARBOX_PASSWORD'];
    if (given) return given;
    if (!process.stdin.isTTY || !process.stderr.isTTY)
      throw new CliError(
        exitCode.usage,
        `The password of user "${name}" is missing: set PILLARBOX_PASSWORD.`,
      );
    const { readHidden } = await import('./secret-input.ts');
    return readHidden(`Password of ${shownText(name)}: `);
  };
  return { name, password };
}

/** Prints a result: JSON for programs, the rendered text for people. */
export function print(context: CommandContext, value: unknown, render: () => string): void {
  context.terminal.out(context.json ? shownJson(value) : render());
}

/**
 * Prints a result whose text is a sentence. The sentence may contain names from clients or arguments, so it
 * is escaped like a table cell.
 */
export function say(context: CommandContext, value: unknown, sentence: () => string): void {
  print(context, value, () => shownText(sentence()));
}

/** Prints a list: one JSON value per line, or a table. */
export function printList(context: CommandContext, values: readonly unknown[], render: () => string): void {
  if (!context.json) return context.terminal.out(render());
  for (const value of values) context.terminal.out(shownJson(value));
}

/** Asks before anything is lost, if a person can answer; scripts must pass `--yes`. */
export async function confirm(terminal: Terminal, question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !terminal.errIsTty) {
    terminal.err(`${shownText(question)} Nothing was done: say --yes to go on without being asked.`);
    return false;
  }
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C means no.
  const answer = await lines.question(`${shownText(question)} [y/N] `).catch(() => '\n');
  lines.close();
  if (answer === '\n') terminal.err('');
  return /^y(es)?$/i.test(answer.trim());
}
