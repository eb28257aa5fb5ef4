import { isatty } from 'node:tty';

/** A terminal is where a command writes: data to `out`, and text for people only to `err`. */
export interface Terminal {
  /** Data: one line, or a whole table. */
  readonly out: (text: string) => void;
  /** Messages, warnings, progress. */
  readonly err: (text: string) => void;
  /** Whether `out` and `err` are terminals. */
  readonly outIsTty: boolean;
  readonly errIsTty: boolean;
  readonly columns: number;
  /** Styles text for `out`; leaves it plain if colour is off. */
  readonly style: Style;
}

/** The few styles in use, by meaning. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly selected: (text: string) => string;
}

const plain = (text: string): string => text;
const ansi =
  (open: number, close: number) =>
  (text: string): string =>
    `\u001B[${open}m${text}\u001B[${close}m`;

const plainStyle: Style = {
  bold: plain,
  dim: plain,
  good: plain,
  warning: plain,
  bad: plain,
  selected: (text) => `${text} <`,
};
const colourStyle: Style = {
  bold: ansi(1, 22),
  dim: ansi(2, 22),
  good: ansi(32, 39),
  warning: ansi(33, 39),
  bad: ansi(31, 39),
  selected: ansi(7, 27),
};

/**
 * Whether to use colour: decided by `--no-color`, then NO_COLOR (no-color.org), then FORCE_COLOR, then
 * whether the output is a terminal.
 */
export function wantsColour(
  isTty: boolean,
  environment: { readonly [name: string]: string | undefined },
  noColourFlag: boolean,
): boolean {
  if (noColourFlag || environment['NO_COLOR']) return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return isTty && environment['TERM'] !== 'dumb';
}

/** The terminal of this process. */
export function processTerminal(noColourFlag: boolean): Terminal {
  const { stdout, stderr, env } = process;
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    outIsTty: isatty(1),
    errIsTty: isatty(2),
    // A terminal of unknown size reports 0.
    columns: stdout.columns || 100,
    style: wantsColour(isatty(1), env, noColourFlag) ? colourStyle : plainStyle,
  };
}
