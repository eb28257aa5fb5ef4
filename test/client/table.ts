import { features, targets, type Feature } from '../../src/client/index.ts';

/** The table of docs/client.md: a row for each feature, a column for each target. */
export function capabilityTable(): string {
  const names = Object.keys(targets);
  const rows = Object.entries(features).map(([feature, text]) => {
    const cells = names.map((name) => {
      const support = targets[name]![feature as Feature];
      return support === 'none' ? '–' : support;
    });
    return `| \`${feature}\`: ${text} | ${cells.join(' | ')} |`;
  });
  const head = `| | ${names.map((name) => `\`${name}\``).join(' | ')} |`;
  return [head, `|---|${names.map(() => '---').join('|')}|`, ...rows].join('\n');
}

const begin = "<!-- made from the drivers' records: test/client/table.test.ts -->\n";
const end = '\n<!-- end -->';

/** The document with the table as the drivers have it. */
export function withTable(document: string): string {
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error('docs/client.md has no place for the table');
  return document.slice(0, from + begin.length) + capabilityTable() + document.slice(to);
}
