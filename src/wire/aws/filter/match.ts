import { isInCidr, parseCidr } from '../cidr.ts';
import { Wildcard } from '../wildcard.ts';
import { FilterError } from './filter-error.ts';

/** A value that a filter compares: of JSON, but neither a list nor an object. */
export type Scalar = string | number | boolean | null;

/** Whether a value is one of those that a filter wants. */
export type Match = (value: Scalar) => boolean;

/** What a filter wants of one key: any of its matches, or that the key is there, or is not. */
export interface Wanted {
  readonly matches: readonly Match[];
  readonly isPresent: boolean;
  readonly isAbsent: boolean;
}

/** The largest magnitude of numbers in filter policies. */
const numberMax = 1e9;

/** Reads the list of a key, such as `["a", {"prefix": "b"}]`. Throws a FilterError. */
export function parseWanted(list: readonly unknown[]): Wanted {
  const matches: Match[] = [];
  let isPresent = false;
  let isAbsent = false;
  for (const one of list) {
    if (!isTable(one)) matches.push(equal(scalarOf(one)));
    else {
      const [operator, value] = onlyEntry(one);
      if (operator !== 'exists') matches.push(parseMatch(operator, value));
      else if (value === true) isPresent = true;
      else if (value === false) isAbsent = true;
      else throw new FilterError('exists match pattern must be either true or false.');
    }
  }
  return { matches, isPresent, isAbsent };
}

function parseMatch(operator: string, value: unknown): Match {
  switch (operator) {
    case 'anything-but':
      return parseAnythingBut(value);
    case 'numeric':
      return parseNumeric(value);
    case 'cidr': {
      const range = parseCidr(textOf(operator, value));
      if (!range) throw new FilterError('Malformed CIDR, one of: address, prefix length.');
      return (text) => typeof text === 'string' && isInCidr(range, text);
    }
    default:
      return parseTextMatch(operator, value);
  }
}

function parseTextMatch(operator: string, value: unknown): Match {
  switch (operator) {
    case 'prefix': {
      const prefix = textOf(operator, value);
      return (text) => typeof text === 'string' && text.startsWith(prefix);
    }
    case 'suffix': {
      const suffix = textOf(operator, value);
      return (text) => typeof text === 'string' && text.endsWith(suffix);
    }
    case 'equals-ignore-case': {
      const lower = textOf(operator, value).toLowerCase();
      return (text) => typeof text === 'string' && text.toLowerCase() === lower;
    }
    case 'wildcard': {
      const pattern = textOf(operator, value);
      if (pattern.includes('**')) throw new FilterError('Consecutive wildcard characters are not allowed.');
      const wildcard = new Wildcard(pattern, { isPlain: true });
      return (text) => typeof text === 'string' && wildcard.matches(text);
    }
    default:
      throw new FilterError(`Unrecognized match type ${operator.slice(0, 100)}`);
  }
}

/** `"a"`, `[1, 2]`, `{"prefix": "a"}` or `{"prefix": ["a", "b"]}` */
function parseAnythingBut(value: unknown): Match {
  let unwanted: readonly Match[];
  if (isTable(value)) {
    const [operator, inner] = onlyEntry(value);
    const list: readonly unknown[] = Array.isArray(inner) ? inner : [inner];
    unwanted = list.map((one) => parseTextMatch(operator, one));
  } else {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const scalars = list.map(scalarOf);
    if (scalars.some((one) => typeof one !== 'string' && typeof one !== 'number'))
      throw new FilterError('Inside anything-but list, either all values are number or string.');
    unwanted = scalars.map(equal);
  }
  if (unwanted.length === 0) throw new FilterError('Value of anything-but must not be empty.');
  return (one) => !unwanted.some((matches) => matches(one));
}

const comparisons: { readonly [operator: string]: (value: number, limit: number) => boolean } = {
  '=': (value, limit) => value === limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

/** `["=", 1]`, or a range: `[">", 0, "<=", 150]` */
function parseNumeric(value: unknown): Match {
  if (!Array.isArray(value)) throw new FilterError('Value of numeric must be an array.');
  const list: readonly unknown[] = value;
  if (list.length !== 2 && list.length !== 4)
    throw new FilterError(
      list.length > 4 ? 'Too many elements in numeric expression' : 'Too few elements in numeric expression',
    );
  const bounds: [operator: string, limit: number][] = [];
  for (let at = 0; at < list.length; at += 2) {
    const operator = list[at];
    const limit = list[at + 1];
    if (typeof operator !== 'string' || !Object.hasOwn(comparisons, operator))
      throw new FilterError('Unrecognized numeric range operator.');
    if (typeof limit !== 'number' || Math.abs(limit) > numberMax)
      throw new FilterError(`Value of ${operator} must be numeric`);
    bounds.push([operator, limit]);
  }
  const [[low, bottom] = ['', 0], high] = bounds;
  if (high) {
    if (!low.startsWith('>') || !high[0].startsWith('<'))
      throw new FilterError('A numeric range must have > or >= first, and then < or <=.');
    if (bottom >= high[1]) throw new FilterError('Bottom must be less than top');
  }
  return (one) =>
    typeof one === 'number' && bounds.every(([operator, limit]) => comparisons[operator]!(one, limit));
}

function equal(expected: Scalar): Match {
  return (value) => value === expected;
}

function scalarOf(value: unknown): Scalar {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Math.abs(value) > numberMax) throw new FilterError('A number must be between -10^9 and 10^9.');
    return value;
  }
  throw new FilterError('Match value must be String, number, true, false, or null');
}

function textOf(operator: string, value: unknown): string {
  if (typeof value !== 'string') throw new FilterError(`${operator} match pattern must be a string`);
  return value;
}

function onlyEntry(table: object): [key: string, value: unknown] {
  const entries = Object.entries(table);
  if (entries.length !== 1) throw new FilterError('Only one key allowed in match expression');
  return entries[0] as [string, unknown];
}

export function isTable(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
