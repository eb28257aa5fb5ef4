import { stripVTControlCharacters } from 'node:util';

/** A column of a table: numbers stand at the right. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Lays rows out under their titles, two spaces apart, no line longer than `columnsMax` characters. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { columnsMax?: number; title?: (text: string) => string } = {},
): string {
  const { columnsMax = Infinity, title = (text) => text } = options;
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => width(row[at] ?? ''))),
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
  return [title(line(columns.map((column) => column.title))), ...rows.map(line)].join('\n');
}

/** Name and value, one pair a line, for a single thing. */
export function renderPairs(pairs: readonly (readonly [string, string])[]): string {
  const longest = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(longest)}  ${value}`).join('\n');
}

/** Text from a message may hold anything: control characters would drive the reader's terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, (character) =>
    character === '\n' ? '\\n' : character === '\t' ? '\\t' : `\\x${hex(character)}`,
  );
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).padStart(2, '0');
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

function cut(line: string, columnsMax: number): string {
  if (width(line) <= columnsMax) return line;
  return `${stripVTControlCharacters(line).slice(0, Math.max(1, columnsMax - 1))}…`;
}
