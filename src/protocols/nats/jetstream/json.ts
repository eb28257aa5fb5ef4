import { apiError } from './errors.ts';

/**
 * A shape lists the members that a request object may have, and the kind of each. As in nats-server since
 * 2.12, a member that is not in the shape, or is of another kind, is refused; null counts as absent.
 *
 * - `nanos` and `integer`: a whole number; `unsigned`: one that is not negative; `time`: an RFC 3339 text;
 *   `texts`: an object of texts; `any`: any value
 * - a list of texts: one of them; `{ object }`, `{ objects }`: an object, or a list of objects, of another
 *   shape
 */
export interface Shape {
  readonly [member: string]: Kind;
}

type Kind =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'unsigned'
  | 'nanos'
  | 'time'
  | 'strings'
  | 'integers'
  | 'texts'
  | 'any'
  | readonly string[]
  | { readonly object: Shape }
  | { readonly objects: Shape };

type ValueOf<K extends Kind> = K extends 'string' | 'time'
  ? string
  : K extends 'boolean'
    ? boolean
    : K extends 'integer' | 'unsigned' | 'nanos'
      ? number
      : K extends 'strings'
        ? readonly string[]
        : K extends 'integers'
          ? readonly number[]
          : K extends 'texts'
            ? Readonly<globalThis.Record<string, string>>
            : K extends readonly (infer Text)[]
              ? Text
              : K extends { readonly object: infer S extends Shape }
                ? Decoded<S>
                : K extends { readonly objects: infer S extends Shape }
                  ? readonly Decoded<S>[]
                  : unknown;

/** The decoded body of shape `S`: every member may be absent. */
export type Decoded<S extends Shape> = { readonly [M in keyof S]?: ValueOf<S[M]> };

const utf8 = new TextDecoder('utf-8');

/** The deepest nesting of lists and objects: the same as in nats-server (`encoding/json`). */
const depthMax = 10_000;

/** Decodes a request body; an empty body is an empty object. Throws the API error 10025 `invalid JSON: …`. */
export function decodeBody<const S extends Shape>(body: Uint8Array, shape: S): Decoded<S> {
  if (isDeeper(body, depthMax)) throw apiError('invalidJson', 'exceeded max depth');
  const text = utf8.decode(body);
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw apiError('invalidJson', (error as Error).message);
  }
  return objectOf(value, shape, '');
}

const quote = 34;
const backslash = 92;

/**
 * Whether lists and objects are nested more than `depth` times. Such values cost far more to make and to
 * collect than their bytes suggest.
 */
function isDeeper(json: Uint8Array, depth: number): boolean {
  if (json.length <= depth) return false;
  let open = 0;
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === quote) inText = !inText;
    else if (inText) at += byte === backslash ? 1 : 0;
    // `[` and `{`, `]` and `}` differ in one bit.
    else if ((byte | 32) === 123 && ++open > depth) return true;
    else if ((byte | 32) === 125) open--;
  }
  return false;
}

/** Whether a body has no members: no bytes, blanks, or an empty object. */
export function isEmptyBody(body: Uint8Array): boolean {
  if (body.length === 0) return true;
  if (body.length > 64) return false;
  return /^\s*(\{\s*\})?\s*$/.test(utf8.decode(body));
}

function objectOf(value: unknown, shape: Shape, path: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw mismatch(value, path, 'object');
  const decoded: { [member: string]: unknown } = {};
  for (const [member, given] of Object.entries(value)) {
    if (!Object.hasOwn(shape, member))
      throw apiError('invalidJson', `json: unknown field ${JSON.stringify(member)}`);
    if (given === null) continue;
    decoded[member] = valueOf(given, shape[member]!, path === '' ? member : `${path}.${member}`);
  }
  return decoded;
}

function valueOf(value: unknown, kind: Kind, path: string): unknown {
  if (typeof kind === 'object') {
    if ('object' in kind) return objectOf(value, kind.object, path);
    if ('objects' in kind) return listOf(value, path, (item) => objectOf(item, kind.objects, path));
    if (typeof value !== 'string' || !kind.includes(value)) {
      throw apiError('invalidJson', `can not unmarshal ${JSON.stringify(value)} into field ${path}`);
    }
    return value;
  }
  switch (kind) {
    case 'string':
      return typed(value, 'string', path);
    case 'boolean':
      return typed(value, 'boolean', path);
    case 'unsigned':
      if (typeof value === 'number' && value < 0) throw mismatch(value, path, 'unsigned integer');
      return integerOf(value, path);
    case 'integer':
    case 'nanos':
      return integerOf(value, path);
    case 'time':
      return timeOf(value, path);
    case 'strings':
      return listOf(value, path, (item) => typed(item, 'string', path));
    case 'integers':
      return listOf(value, path, (item) => integerOf(item, path));
    case 'texts':
      return textsOf(value, path);
    case 'any':
      break;
  }
  return value;
}

function typed(value: unknown, type: 'string' | 'boolean', path: string): unknown {
  if (typeof value !== type) throw mismatch(value, path, type);
  return value;
}

function integerOf(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw mismatch(value, path, 'integer');
  return value;
}

function timeOf(value: unknown, path: string): string {
  const ms = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw mismatch(value, path, 'time');
  return value as string;
}

function textsOf(value: unknown, path: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw mismatch(value, path, 'object');
  for (const text of Object.values(value)) typed(text, 'string', path);
  return value;
}

function listOf(value: unknown, path: string, item: (value: unknown) => unknown): unknown[] {
  if (!Array.isArray(value)) throw mismatch(value, path, 'list');
  return value.map(item);
}

function mismatch(value: unknown, path: string, wanted: string): Error {
  const found = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return apiError(
    'invalidJson',
    `json: cannot unmarshal ${found} into ${path === '' ? 'request' : `field ${path}`} of type ${wanted}`,
  );
}
