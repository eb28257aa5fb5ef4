/**
 * A table is cells by row, with the heading first. All columns but the first are numbers and aligned to the
 * right.
 */
export type Table = readonly (readonly string[])[];

function widthsOf(table: Table): number[] {
  const columns = Math.max(0, ...table.map((row) => row.length));
  return Array.from({ length: columns }, (_, column) =>
    Math.max(3, ...table.map((row) => (row[column] ?? '').length)),
  );
}

function alignRow(row: readonly string[], widths: readonly number[]): string[] {
  return widths.map((width, column) => {
    const cell = row[column] ?? '';
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
}

/** A table for a terminal. */
export function textTable(table: Table): string {
  const widths = widthsOf(table);
  return table.map((row) => alignRow(row, widths).join('  ').trimEnd()).join('\n');
}

/** A table in Markdown, aligned so that it also reads well as text. */
export function markdownTable(table: Table): string {
  const widths = widthsOf(table);
  const [heading, ...rows] = table.map((row) => `| ${alignRow(row, widths).join(' | ')} |`);
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [heading, `| ${rule.join(' | ')} |`, ...rows].join('\n');
}
