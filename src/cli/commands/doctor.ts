import type { Command } from 'commander';
import { type ClientOptions, addOutputOptions, contextOf } from '../command.ts';
import { type Check, checkMachine, dataDirectoryOf, repair } from '../doctor/index.ts';
import { exitCode } from '../exit-code.ts';
import { setExitCode } from '../program.ts';
import type { Style } from '../terminal.ts';
import { shownJson } from '../../util/shown-text.ts';

interface DoctorOptions extends ClientOptions {
  readonly data?: string;
  readonly config?: string;
  readonly repair?: boolean;
  readonly yes?: boolean;
}

/** `pillarbox doctor`: is this machine fit for a broker, and would `serve` start? */
export function configure(command: Command): void {
  addOutputOptions(
    command
      .option('--data <DIR>', 'data directory to check, instead of the configured one')
      .option('--config <FILE>', 'configuration file')
      .option(
        '--repair',
        'say what is damaged in the data directory of a stopped broker, ask, and set it aside',
      )
      .option('--yes', 'repair without being asked'),
  ).action(async (options: DoctorOptions) => {
    const context = contextOf({ ...options, url: 'http://127.0.0.1' });
    if (options.repair === true) {
      const data = await dataDirectoryOf({ data: options.data, config: options.config });
      return repair(context, data, options.yes === true);
    }
    const checks = await checkMachine({ data: options.data, config: options.config });
    for (const check of checks)
      context.terminal.out(context.json ? shownJson(check) : line(check, context.terminal.style));
    if (checks.some((check) => check.status === 'problem')) setExitCode(exitCode.notFound);
  });
}

function line({ status, name, message, advice }: Check, style: Style): string {
  const mark = {
    ok: style.good('ok     '),
    warning: style.warning('warning'),
    problem: style.bad('problem'),
  }[status];
  return `${mark}  ${name.padEnd(14)}  ${message}${advice === undefined ? '' : `\n${advice.replaceAll(/^/gm, ' '.repeat(25))}`}`;
}
