import { cases } from './cases/index.ts';
import { machineLines, type Machine } from './machine.ts';
import { resultTable } from './result-table.ts';
import type { CaseResult } from './run.ts';
import { markdownTable } from './table.ts';

/** The circumstances of the figures, reported with them. */
export interface Circumstances {
  readonly date: string;
  readonly command: string;
  readonly versions: readonly string[];
  readonly machine: Machine;
}

const preamble = `# Results

Written by \`npm run bench -- --write\`: every figure comes from a run. A run replaces the sections it measured and keeps
the others; sections with other headings are kept behind them. [README.md](README.md) says what the cases show and what they do not.

Each cell is the median of the turns; ratios are taken turn by turn and shown with minimum and maximum. "Server cores" and
"load cores" are how many processor cores the server and the busiest generator process kept busy, in the order of the servers.
`;

export function updateResults(
  previous: string,
  results: readonly CaseResult[],
  circumstances: Circumstances,
): string {
  const sections = new Map<string, string>();
  for (const section of previous.split(/^(?=## )/m).slice(1)) {
    sections.set(headingOf(section), section.trimEnd());
  }
  for (const result of results) sections.set(result.title, caseSection(result, circumstances));
  const measured = cases.flatMap(({ title }) => sections.get(title) ?? []);
  for (const { title } of cases) sections.delete(title);
  return `${[preamble.trimEnd(), ...measured, ...sections.values()].join('\n\n')}\n`;
}

function headingOf(section: string): string {
  return section.slice('## '.length).split('\n', 1)[0] ?? '';
}

function caseSection(result: CaseResult, { date, command, versions, machine }: Circumstances): string {
  const failures = result.rows.flatMap((row) =>
    Object.entries(row.failures).map(([name, reason]) => `${row.label}, ${name} failed: ${oneLine(reason)}`),
  );
  const machineText = machineLines(machine)
    .map(([, value]) => value)
    .join('; ');
  return [
    `## ${result.title}\n`,
    `${result.about}\n`,
    `${markdownTable(resultTable(result))}\n`,
    ...[...result.remarks, ...failures].map((line) => `- ${line}`),
    ...(result.remarks.length + failures.length > 0 ? [''] : []),
    `${date}, \`${command}\`, ${versions.join('; ')}. ${machineText}.`,
  ].join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
