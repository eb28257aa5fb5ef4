import type { Command } from 'commander';
import { type ClientOptions, addOutputOptions, contextOf } from '../command.ts';
import { type Check, checkMachine } from '../doctor/index.ts';
import { exitCode } from '../exit-code.ts';
import { setExitCode } from '../program.ts';
import type { Style } from '../terminal.ts';

interface DoctorOptions extends ClientOptions {
  readonly data?: string;
  readonly config?: string;
}

/** `pillarbox doctor`: is this machine fit for a broker, and would `serve` start? */
export function configure(command: Command): void {
  addOutputOptions(
    command
      .option('--data <DIR>', 'data directory to check, instead of the configured one')
      .option('--config <FILE>', 'configuration file'),
  ).action(async (options: DoctorOptions) => {
    const context = contextOf({ ...options, url: 'http://127.0.0.1' });
    const checks = await checkMachine({ data: options.data, config: options.config });
    for (const check of checks)
      context.terminal.out(context.json ? JSON.stringify(check) : line(check, context.terminal.style));
    if (checks.some((check) => check.status === 'problem')) setExitCode(exitCode.notFound);
  });
}

function line({ status, name, message, advice }: Check, style: Style): string {
  const mark = {
    ok: style.good('ok     '),
    warning: style.warning('warning'),
    problem: style.bad('problem'),
  }[status];
  return `${mark}  ${name.padEnd(14)}  ${message}${advice === undefined ? '' : `\n${' '.repeat(25)}${advice}`}`;
}
