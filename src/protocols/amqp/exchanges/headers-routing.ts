import { Decimal, Timestamp, type FieldTable, type FieldValue } from '../../../wire/amqp/index.ts';
import { AmqpError } from '../errors.ts';
import type { Binding } from './binding.ts';
import type { Effort } from './effort.ts';
import type { Routed, Routing } from './routing.ts';

const matchModes = ['all', 'any', 'all-with-x', 'any-with-x'] as const;
type MatchMode = (typeof matchModes)[number];

interface Condition {
  readonly isAny: boolean;
  /** A value is as `comparable` makes it; undefined asks only for the name. */
  readonly pairs: readonly (readonly [name: string, value: Comparable | undefined])[];
}

/** Equal for values that are equal. */
type Comparable = string;

/** The headers of a message, each made comparable once, when a binding first asks for it. */
class Given {
  readonly #headers: FieldTable;
  readonly #comparable = new Map<string, Comparable>();

  constructor(headers: FieldTable) {
    this.#headers = headers;
  }

  has(name: string, value: Comparable | undefined): boolean {
    const given = this.#headers.get(name);
    if (given === undefined || value === undefined) return given !== undefined;
    let known = this.#comparable.get(name);
    if (known === undefined) this.#comparable.set(name, (known = comparable(given)));
    return known === value;
  }
}

/**
 * A message matches a binding if its headers have the arguments of the binding: all of them, or any, as the
 * argument `x-match` says. A void argument asks only for the name. Arguments that begin with `x-` do not
 * count unless the mode ends with `-with-x`.
 */
export class HeadersRouting implements Routing {
  readonly isOfKey = false;
  readonly #conditions = new Map<Binding, Condition>();

  /** The argument `x-match` has to be a mode. */
  check(_: string, table: FieldTable): void {
    const mode = table.get('x-match');
    if (mode !== undefined && !matchModes.includes(mode as MatchMode))
      throw new AmqpError(
        'PRECONDITION_FAILED',
        `Invalid x-match field value <<${JSON.stringify(mode)}>>; expected all, any, all-with-x, or any-with-x`,
      );
  }

  add(binding: Binding): void {
    this.#conditions.set(binding, conditionOf(binding.arguments));
  }

  remove(binding: Binding): void {
    this.#conditions.delete(binding);
  }

  match(message: Routed, effort: Effort, found: (binding: Binding) => void): void {
    if (this.#conditions.size === 0) return;
    const given = new Given(message.headers());
    for (const [binding, condition] of this.#conditions) {
      effort.spend(1 + condition.pairs.length);
      if (fits(condition, given)) found(binding);
    }
  }
}

function conditionOf(table: FieldTable): Condition {
  const mode = (table.get('x-match') ?? 'all') as MatchMode;
  const withX = mode.endsWith('-with-x');
  const pairs = [...table]
    .filter(([name]) => name !== 'x-match' && (withX || !name.startsWith('x-')))
    .map(([name, value]) => [name, value === null ? undefined : comparable(value)] as const);
  return { isAny: mode.startsWith('any'), pairs };
}

function fits({ isAny, pairs }: Condition, given: Given): boolean {
  const has = ([name, value]: Condition['pairs'][number]): boolean => given.has(name, value);
  return isAny ? pairs.some(has) : pairs.every(has);
}

/** Whether two values of tables are equal, whatever the sizes of their numbers. */
export function sameValue(one: FieldValue, other: FieldValue): boolean {
  return one === other || comparable(one) === comparable(other);
}

/** A value as text: equal values have the same text, whatever the sizes of their numbers. */
export function comparable(value: FieldValue): Comparable {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`;
  if (value instanceof Timestamp) return `time ${value.seconds}`;
  if (value instanceof Decimal) return `decimal ${value.scale} ${value.value}`;
  if (value instanceof Map)
    return `table ${[...value].map(([name, one]) => `${name}=${comparable(one)}`).join()}`;
  if (Array.isArray(value)) return `array ${value.map(comparable).join()}`;
  return typeof value === 'string' ? `text ${value}` : `${value as number | bigint | boolean | null}`;
}
