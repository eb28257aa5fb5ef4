import { ValueError } from './errors.ts';

/** Output of `JSON.stringify` that may stand for a value JSON has lost. */
const marks = ['{}', 'null', '{"0":', '{"type":"Buffer"'];

/**
 * Refuses values that JSON would lose silently: the entries of a Map, the digits of NaN, the bytes of a typed
 * array. The value is walked only if its JSON text contains one of the marks, so that publishing stays as
 * fast as `JSON.stringify`.
 */
export function refuseLoss(value: unknown, encoded: string): void {
  if (!marks.some((mark) => encoded.includes(mark))) return;
  try {
    walk(value, '', []);
  } catch (error) {
    if (error instanceof ValueError) throw error;
    throw new ValueError(`The value is not JSON: ${(error as Error).message}`, [], error);
  }
}

function walk(given: unknown, key: string, path: readonly string[]): void {
  if (given === null) return;
  const { toJSON } = given as { toJSON?: unknown };
  const isOwnText = typeof given === 'object' && typeof toJSON === 'function' && !ArrayBuffer.isView(given);
  const value: unknown = isOwnText ? (toJSON as (key: string) => unknown).call(given, key) : given;
  if (isOwnText && value === null)
    throw lossOf(given instanceof Date ? 'a date that is none' : 'null by toJSON', path);
  const loss = lossIn(value);
  if (loss !== undefined) throw lossOf(loss, path);
  if (typeof value !== 'object' || value === null) return;
  for (const name of Object.keys(value)) {
    const member: unknown = (value as { readonly [name: string]: unknown })[name];
    // JSON expresses undefined by an absent member; in an array it would become null.
    if (isNothing(member) && !Array.isArray(value)) continue;
    if (isNothing(member)) throw lossOf(typeof member, [...path, name]);
    walk(member, name, [...path, name]);
  }
}

function isNothing(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol';
}

/** Objects whose content is not in their members. */
const closedTags = new Set([
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'Promise',
  'RegExp',
  'Error',
  'ArrayBuffer',
  'SharedArrayBuffer',
  'Generator',
  'AsyncGenerator',
  'Map Iterator',
  'Set Iterator',
  'Array Iterator',
]);

function lossIn(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return closedTags.has(tag) ? `a value of type ${tag}` : undefined;
}

function lossOf(what: string, path: readonly string[]): ValueError {
  const where = path.length === 0 ? '' : ` at ${path.join('.')}`;
  const message = `JSON cannot say ${what}`;
  return new ValueError(`The value is not JSON: there is ${what}${where}, which JSON cannot say.`, [
    { message, path },
  ]);
}
