import { textTable } from '../../bench/table.ts';

export type Row = readonly [label: string, value: number | string];

/** Prints the table of a run and its broken promises, and sets the exit code. */
export function finish(
  title: string,
  rows: readonly Row[],
  violations: readonly { readonly rule: string; readonly text: string }[],
  complaints: readonly string[] = [],
): void {
  const all: Row[] = [
    ...rows,
    ['promises broken', violations.length],
    ['damage reported by the broker', complaints.length],
  ];
  process.stdout.write(
    `${textTable([[title, ''], ...all.map(([label, value]) => [label, String(value)])])}\n`,
  );
  for (const { rule, text } of violations.slice(0, 20)) process.stdout.write(`BROKEN ${rule}: ${text}\n`);
  for (const line of complaints.slice(0, 20)) process.stdout.write(`BROKER ${line}\n`);
  process.exitCode = violations.length + complaints.length > 0 ? 1 : 0;
}

/** Says that a run was left out, and why. */
export function skip(title: string, reason: string): void {
  process.stdout.write(`SKIPPED ${title}: ${reason}\n`);
}
