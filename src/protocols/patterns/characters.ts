/** Characters by their code points. */
export type Ranges = readonly (readonly [from: number, to: number])[];

/** A set of characters: those in the ranges, or all others. */
export interface Characters {
  readonly ranges: Ranges;
  readonly negated: boolean;
}

const digits: Ranges = [[0x30, 0x39]];
const words: Ranges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const spaces: Ranges = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const lineEnd: Ranges = [[0x0a, 0x0a]];
const last = 0x10ffff;

/** What `.` matches: a character, but no end of a line. */
export const anyCharacter: Characters = { ranges: lineEnd, negated: true };

/** The sets that have an escape, by its letter: those of ASCII. */
export const escapedSets: { readonly [letter: string]: Ranges | undefined } = {
  d: digits,
  D: allBut(digits),
  w: words,
  W: allBut(words),
  s: spaces,
  S: allBut(spaces),
};

/** The single characters that have an escape, by its letter. */
export const escapedCharacters: { readonly [letter: string]: number | undefined } = { n: 10, r: 13, t: 9 };

export function contains({ ranges, negated }: Characters, code: number): boolean {
  for (const [from, to] of ranges) if (code >= from && code <= to) return !negated;
  return negated;
}

/** The same for a character of either case. */
export function containsFolded(characters: Characters, code: number): boolean {
  const { ranges, negated } = characters;
  const positive = { ranges, negated: false };
  const letter = String.fromCodePoint(code);
  const found =
    contains(positive, code) ||
    contains(positive, letter.toLowerCase().codePointAt(0)!) ||
    contains(positive, letter.toUpperCase().codePointAt(0)!);
  return found !== negated;
}

/** `ranges` are in order. */
function allBut(ranges: Ranges): Ranges {
  const others: (readonly [number, number])[] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) others.push([from, low - 1]);
    from = high + 1;
  }
  return [...others, [from, last]];
}
