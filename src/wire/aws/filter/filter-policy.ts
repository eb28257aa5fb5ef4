import { nestsDeeper } from '../../../util/index.ts';
import { FilterError } from './filter-error.ts';
import { isTable, parseWanted, type Scalar, type Wanted } from './match.ts';

/** What a filter policy may be made of: the quotas of SNS, and a depth of our own. */
const filterLimits = {
  bytesMax: 262_144,
  /** Keys at the top; alternatives of `$or` count for themselves. */
  keysMax: 5,
  /** The values of all keys multiplied, each key of a nested policy by its level too. */
  combinationsMax: 150,
  depthMax: 32,
} as const;

export type FilterScope = 'MessageAttributes' | 'MessageBody';

/** An attribute of a message, as filters see it. */
export interface FilteredAttribute {
  readonly DataType: string;
  readonly StringValue?: string | undefined;
}

/** The message that filters are asked about: it is read once for all of them. */
export class FilterInput {
  readonly #attributes: ReadonlyMap<string, FilteredAttribute>;
  readonly #text: string;
  #values: object | undefined = undefined;
  /** Null: it is no object. */
  #body: object | null | undefined = undefined;

  constructor(attributes: ReadonlyMap<string, FilteredAttribute>, text: string) {
    this.#attributes = attributes;
    this.#text = text;
  }

  /** The attributes as an object of values. */
  get values(): object {
    return (this.#values ??= valuesOf(this.#attributes));
  }

  /** The body, if it is the JSON of an object. */
  get body(): object | null {
    if (this.#body === undefined) this.#body = parseBody(this.#text);
    return this.#body;
  }
}

/** All of its keys must fit, and one of each list of alternatives. */
interface Node {
  readonly keys: readonly (readonly [name: string, wanted: Wanted | Node])[];
  readonly alternatives: readonly (readonly Node[])[];
}

/**
 * A filter policy decides which messages of a topic a subscription gets. It is read once. A look at a message
 * costs the size of the policy times that of the message at most.
 */
export class FilterPolicy {
  readonly scope: FilterScope;
  readonly #root: Node;

  /** Reads a policy from its JSON. Throws a FilterError. */
  constructor(text: string, scope: FilterScope) {
    this.scope = scope;
    this.#root = parse(text, scope);
  }

  matches(input: FilterInput): boolean {
    if (this.scope === 'MessageAttributes') return fits(this.#root, input.values);
    return input.body !== null && fits(this.#root, input.body);
  }
}

function parse(text: string, scope: FilterScope): Node {
  const bytes = Buffer.from(text);
  const { bytesMax, keysMax, combinationsMax, depthMax } = filterLimits;
  if (bytes.length > bytesMax) throw new FilterError('Filter policy is too large');
  let value: unknown;
  try {
    if (!nestsDeeper(bytes, depthMax)) value = JSON.parse(text);
  } catch (cause) {
    throw new FilterError('failed to parse JSON.', { cause });
  }
  if (!isTable(value)) throw new FilterError('failed to parse JSON.');
  const root = parseNode(value, scope, 1);
  if (root.size.keys > keysMax) throw new FilterError(`Filter policy can not have more than ${keysMax} keys`);
  if (root.size.combinations > combinationsMax) throw new FilterError('Filter policy is too complex');
  return root;
}

interface Sized extends Node {
  readonly size: { readonly keys: number; readonly combinations: number };
}

function parseNode(table: object, scope: FilterScope, level: number): Sized {
  const keys: [string, Wanted | Node][] = [];
  const alternatives: (readonly Node[])[] = [];
  let keyCount = 0;
  let combinations = 1;
  for (const [name, value] of Object.entries(table) as [string, unknown][]) {
    if (name === '$or' && isListOfTables(value)) {
      // Each alternative is a combination at least.
      if (value.length > filterLimits.combinationsMax) throw new FilterError('Filter policy is too complex');
      if (value.some((one) => Object.keys(one).length === 0))
        throw new FilterError('Empty objects are not allowed');
      const nodes = value.map((one) => parseNode(one, scope, level));
      alternatives.push(nodes);
      keyCount += Math.max(...nodes.map(({ size }) => size.keys));
      combinations *= nodes.reduce((sum, { size }) => sum + size.combinations, 0);
      continue;
    }
    keyCount++;
    if (Array.isArray(value)) {
      if (value.length === 0) throw new FilterError('Empty arrays are not allowed');
      keys.push([name, parseWanted(value)]);
      combinations *= value.length * level;
    } else if (isTable(value)) {
      if (scope === 'MessageAttributes')
        throw new FilterError('Filter policy scope MessageAttributes does not support nested filter policy');
      if (Object.keys(value).length === 0) throw new FilterError('Empty objects are not allowed');
      const node = parseNode(value, scope, level + 1);
      keys.push([name, node]);
      combinations *= node.size.combinations;
    } else throw new FilterError(`"${name.slice(0, 100)}" must be an object or an array`);
    // The product may be beyond all numbers before the whole is read.
    if (combinations > filterLimits.combinationsMax) throw new FilterError('Filter policy is too complex');
  }
  return { keys, alternatives, size: { keys: keyCount, combinations } };
}

/** `$or` is an operator if it has two alternatives or more; otherwise it is a key. */
function isListOfTables(value: unknown): value is readonly object[] {
  return Array.isArray(value) && value.length > 1 && value.every(isTable);
}

/** Whether a value fits, or one of the values in a list. */
function fits(node: Node, value: unknown): boolean {
  if (Array.isArray(value)) return value.some((one) => fits(node, one));
  const table = isTable(value) ? (value as { readonly [key: string]: unknown }) : {};
  return (
    node.keys.every(([name, wanted]) => {
      const at = Object.hasOwn(table, name) ? table[name] : undefined;
      return 'matches' in wanted ? isWanted(wanted, at) : fits(wanted, at);
    }) && node.alternatives.every((nodes) => nodes.some((one) => fits(one, value)))
  );
}

function isWanted({ matches, isPresent, isAbsent }: Wanted, value: unknown): boolean {
  if (value === undefined) return isAbsent;
  if (isPresent) return true;
  if (Array.isArray(value)) return value.some((one) => isWanted({ matches, isPresent, isAbsent }, one));
  return !isTable(value) && matches.some((match) => match(value as Scalar));
}

/** Attributes as an object of values. A list is one; bytes are there, and have no value. */
function valuesOf(attributes: ReadonlyMap<string, FilteredAttribute>): object {
  const entries = Array.from(attributes, ([name, { DataType, StringValue = '' }]): [string, unknown] => {
    if (DataType.startsWith('Number')) return [name, Number(StringValue)];
    if (DataType.startsWith('Binary')) return [name, {}];
    return [name, DataType === 'String.Array' ? listOf(StringValue) : StringValue];
  });
  return Object.fromEntries(entries);
}

function listOf(text: string): unknown {
  try {
    const value: unknown = nestsDeeper(Buffer.from(text), 1) ? text : JSON.parse(text);
    return Array.isArray(value) ? value : text;
  } catch {
    return text;
  }
}

function parseBody(text: string): object | null {
  try {
    const value: unknown = nestsDeeper(Buffer.from(text), bodyDepthMax) ? null : JSON.parse(text);
    return isTable(value) ? value : null;
  } catch {
    return null;
  }
}

/** Levels of a body that a filter looks into; deeper ones fit no filter. */
const bodyDepthMax = 64;
