import { stripVTControlCharacters } from 'node:util';
import { shownText } from '../util/shown-text.ts';

/** A column of a table; numbers are aligned to the right. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * Lays rows out under their titles, two spaces apart, with no line longer than `columnsMax` characters. Cells
 * are escaped like text from clients, since a name may contain control sequences.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { columnsMax?: number; title?: (text: string) => string } = {},
): string {
  const { columnsMax = Infinity, title = (text) => text } = options;
  const shown = rows.map((row) => row.map(shownText));
  const widths = columns.map((column, at) =>
    shown.reduce((widest, row) => Math.max(widest, width(row[at] ?? '')), column.title.length),
  );
  const line = (cells: readonly string[]): string =>
    cut(
      cells
        .map((cell, at) => {
          const fill = ' '.repeat((widths[at] ?? 0) - width(cell));
          return columns[at]?.align === 'right' ? fill + cell : cell + fill;
        })
        .join('  ')
        .trimEnd(),
      columnsMax,
    );
  return [title(line(columns.map((column) => column.title))), ...shown.map(line)].join('\n');
}

/** Names and values, one pair per line, for a single thing. They are escaped like table cells. */
export function renderPairs(pairs: readonly (readonly [string, string])[]): string {
  const longest = Math.max(0, ...pairs.map(([name]) => shownText(name).length));
  return pairs.map(([name, value]) => `${shownText(name).padEnd(longest)}  ${shownText(value)}`).join('\n');
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

function cut(line: string, columnsMax: number): string {
  if (width(line) <= columnsMax) return line;
  return `${stripVTControlCharacters(line).slice(0, Math.max(1, columnsMax - 1))}…`;
}
