import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { CliError, exitCode } from '../exit-code.ts';
import { readHidden, readInput } from '../secret-input.ts';

interface HashOptions {
  readonly iterations?: string;
}

const passwordCharactersMax = 1024;

/** `pillarbox user …`: makes the parts of users in the configuration. */
export function configure(command: Command): void {
  command
    .command('hash')
    .description(
      'read a password, from the terminal or stdin, and print what stands in for it in the configuration',
    )
    .option('--iterations <NUMBER>', 'work that one guess of the password costs: 4096 to 16384', '4096')
    .action(async (options: HashOptions) => {
      const { hashPassword, passwordIterations } = await import('../../server/index.ts');
      const { min, max } = passwordIterations;
      const iterations = Number(options.iterations);
      if (!(Number.isInteger(iterations) && iterations >= min && iterations <= max))
        throw new CliError(exitCode.usage, `--iterations must be a whole number from ${min} to ${max}.`);
      const password = await readPassword();
      process.stdout.write(`${await hashPassword(password, iterations)}\n`);
    });
}

async function readPassword(): Promise<string> {
  const password = isatty(0) ? await readTwice() : (await readInput()).replace(/\r?\n$/, '');
  if (password === '') throw new CliError(exitCode.usage, 'There is no password: it must not be empty.');
  if (password.length > passwordCharactersMax)
    throw new CliError(exitCode.usage, `A password has ${passwordCharactersMax} characters at most.`);
  return password;
}

async function readTwice(): Promise<string> {
  const password = await readHidden('Password: ');
  if (password !== (await readHidden('Again: ')))
    throw new CliError(exitCode.usage, 'The two passwords differ; try again.');
  return password;
}
