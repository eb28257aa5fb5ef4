import { isInCidr, parseCidr } from '../cidr.ts';
import { Wildcard } from '../wildcard.ts';

/** What is known of a request besides who asks for what: `aws:sourcearn`, in lower case, and its values. */
export type Context = ReadonlyMap<string, readonly string[]>;

/** Whether the values of a key, of which there is at least one, fulfil a condition. */
type Test = (values: readonly string[]) => boolean;

/** A condition of a statement, ready to be asked. */
export interface Condition {
  readonly key: string;
  readonly holds: (context: Context) => boolean;
}

/** Makes the test of an operator for the values in a policy; undefined if a value does not fit. */
type Operator = (expected: readonly string[]) => ((value: string) => boolean) | undefined;

const equals: Operator = (expected) => (value) => expected.includes(value);
const equalsIgnoringCase: Operator = (expected) => {
  const lower = expected.map((text) => text.toLowerCase());
  return (value) => lower.includes(value.toLowerCase());
};
const like: Operator = (expected) => {
  const patterns = expected.map((text) => new Wildcard(text));
  return (value) => patterns.some((pattern) => pattern.matches(value));
};
const bool: Operator = (expected) => {
  if (expected.some((text) => !/^(true|false)$/i.test(text))) return undefined;
  return equalsIgnoringCase(expected);
};
const address: Operator = (expected) => {
  const ranges = expected.map(parseCidr);
  if (ranges.includes(undefined)) return undefined;
  return (value) => ranges.some((range) => isInCidr(range!, value));
};

function compared(
  read: (text: string) => number,
  holds: (value: number, expected: number) => boolean,
): Operator {
  return (expected) => {
    const numbers = expected.map(read);
    if (numbers.some(Number.isNaN)) return undefined;
    return (value) => numbers.some((number) => holds(read(value), number));
  };
}

function comparisons(prefix: string, read: (text: string) => number): [string, Operator][] {
  return [
    [`${prefix}equals`, compared(read, (a, b) => a === b)],
    [`${prefix}lessthan`, compared(read, (a, b) => a < b)],
    [`${prefix}lessthanequals`, compared(read, (a, b) => a <= b)],
    [`${prefix}greaterthan`, compared(read, (a, b) => a > b)],
    [`${prefix}greaterthanequals`, compared(read, (a, b) => a >= b)],
  ];
}

/**
 * The operators, in lower case. Each has a negation with `Not`. Arns may have wildcards even in `ArnEquals`.
 */
const operators: ReadonlyMap<string, Operator> = new Map([
  ['stringequals', equals],
  ['stringequalsignorecase', equalsIgnoringCase],
  ['stringlike', like],
  ['arnequals', like],
  ['arnlike', like],
  ['bool', bool],
  ['ipaddress', address],
  ...comparisons('numeric', (text) => (text.trim() === '' ? NaN : Number(text))),
  ...comparisons('date', (text) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text))),
]);

/**
 * Reads a condition, such as `ArnLike`, `StringNotEqualsIfExists` or `Null`. Undefined if there is no such
 * operator, or a value does not fit.
 */
export function parseCondition(
  operator: string,
  key: string,
  expected: readonly string[],
): Condition | undefined {
  const name = operator.toLowerCase();
  const known = key.toLowerCase();
  if (name === 'null') {
    if (expected.length !== 1 || !/^(true|false)$/i.test(expected[0]!)) return undefined;
    const isNull = expected[0]!.toLowerCase() === 'true';
    return { key: known, holds: (context) => context.has(known) !== isNull };
  }
  const isOptional = name.endsWith('ifexists');
  const base = isOptional ? name.slice(0, -'ifexists'.length) : name;
  const positive = base.replace(/^(string|arn|numeric|date)not(?=equals|like)|^not(?=ipaddress)/, '$1');
  const test = operators.get(positive)?.(expected);
  if (!test) return undefined;
  const isNegated = positive !== base;
  const holds: Test = isNegated ? (values) => !values.some(test) : (values) => values.some(test);
  return {
    key: known,
    holds: (context) => {
      const values = context.get(known);
      // A key that a request does not have differs from every value.
      return values === undefined ? isOptional || isNegated : holds(values);
    },
  };
}
