import { resolve } from 'node:path';
import { type CommandContext, confirm } from '../command.ts';
import { CliError, exitCode } from '../exit-code.ts';
import { formatMessages } from '../format.ts';
import { shownJson } from '../../util/shown-text.ts';

/** The result of the server's `rehearseRepair` and `executeRepair`. */
interface RepairReport {
  readonly findings: readonly string[];
  readonly steps: readonly string[];
  readonly topics: number;
  readonly messages: number;
  readonly problem: string | undefined;
}

/**
 * `pillarbox doctor --repair`: rehearses the repair on an overlay that keeps all changes in memory. It
 * reports the findings and the planned actions, asks, and then applies them to the real directory.
 */
export async function repair(context: CommandContext, data: string, yes: boolean): Promise<void> {
  const dir = resolve(data);
  const { executeRepair, rehearseRepair } = await import('../../server/index.ts');
  const plan = await rehearseRepair(dir).catch((error: unknown) => refuse(error, dir));
  const isNeeded = plan.findings.length + plan.steps.length > 0;
  if (plan.problem !== undefined)
    throw new CliError(
      exitCode.inputOutput,
      `${dir} cannot be repaired: ${plan.problem} Nothing was changed.`,
    );
  if (!context.json) context.terminal.out(planText(dir, plan));
  if (!isNeeded) return report(context, dir, plan, false);
  const question = `Repair ${dir}? What is lost is lost already; nothing is deleted, damaged parts move to quarantine/.`;
  if (!(await confirm(context.terminal, question, yes))) {
    report(context, dir, plan, false);
    throw new CliError(exitCode.failure, `${dir} was not repaired.`);
  }
  const done = await executeRepair(dir).catch((error: unknown) => refuse(error, dir));
  report(context, dir, done, true);
}

function planText(dir: string, { findings, steps, topics, messages }: RepairReport): string {
  if (findings.length + steps.length === 0)
    return `Nothing to repair in ${dir}: all of ${count(topics)} with ${formatMessages(messages)} can be read.`;
  return [
    ...(findings.length > 0 ? ['Found:', ...findings.map((line) => `  - ${line}`)] : []),
    ...(steps.length > 0 ? ['To do:', ...steps.map((line) => `  - ${line}`)] : []),
    `Afterwards ${count(topics)} with ${formatMessages(messages)} can be read.`,
  ].join('\n');
}

function report(
  context: CommandContext,
  dir: string,
  { findings, steps, topics, messages }: RepairReport,
  repaired: boolean,
): void {
  if (context.json)
    context.terminal.out(shownJson({ data: dir, repaired, findings, steps, topics, messages }));
  else if (repaired)
    context.terminal.out(`Repaired: ${count(topics)} with ${formatMessages(messages)} can be read.`);
}

function count(topics: number): string {
  return `${topics} ${topics === 1 ? 'topic' : 'topics'}`;
}

const codes: { readonly [code: string]: (typeof exitCode)[keyof typeof exitCode] } = {
  'data-dir-locked': exitCode.inUse,
  'data-dir-foreign': exitCode.cannotCreate,
  'data-dir-read-only': exitCode.cannotCreate,
  'format-newer': exitCode.inputOutput,
  ENOENT: exitCode.notFound,
  ENOTDIR: exitCode.notFound,
};

function refuse(error: unknown, dir: string): never {
  const { code = '', message } = error as { code?: string; message: string };
  const reason = code === 'ENOENT' || code === 'ENOTDIR' ? `There is no data directory ${dir}.` : message;
  throw new CliError(codes[code] ?? exitCode.failure, reason, error);
}
