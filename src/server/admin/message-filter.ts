import type { Record } from '../../broker/index.ts';
import { nestsDeeper } from '../../util/index.ts';
import { invalidRequest } from './errors.ts';

/** Deeper or longer values are not searched by path: parsing them takes long. */
const depthMax = 200;
const parsedBytesMax = 2 ** 20;

/** What messages of a browse must have. */
export interface MessageFilter {
  /** A header of this name, with this text in its value if one is given. */
  readonly header?: { readonly name: string; readonly value: string | undefined } | undefined;
  /** Text that the value must contain. Letters are compared as they are. */
  readonly text?: string | undefined;
  /** A place in a value that is JSON, such as `customer.name` or `items[0].sku`, and what it must be. */
  readonly path?: { readonly steps: readonly string[]; readonly value: string | undefined } | undefined;
}

/** Reads `header`, `text` and `path` of a query; undefined: there is no filter. */
export function readMessageFilter(query: URLSearchParams): MessageFilter | undefined {
  const [header, text, path] = ['header', 'text', 'path'].map((name) => query.get(name) ?? '');
  if (!header && !text && !path) return undefined;
  return {
    ...(header ? { header: readHeader(header) } : {}),
    ...(text ? { text } : {}),
    ...(path ? { path: readPath(path) } : {}),
  };
}

function readHeader(given: string): MessageFilter['header'] {
  const [name, value] = cut(given);
  return { name: name.toLowerCase(), value };
}

/** `$.customer.name=ada`: a leading `$` is optional, and without `=` the place must be there. */
function readPath(given: string): MessageFilter['path'] {
  const [place, value] = cut(given);
  const steps = place
    .replace(/^\$\.?/, '')
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter(Boolean);
  if (steps.length === 0 || steps.length > 32)
    throw invalidRequest(
      '"path" must be a place in a JSON value, such as customer.name or items[0].sku=B-1.',
    );
  return { steps, value };
}

function cut(given: string): [name: string, value: string | undefined] {
  const at = given.indexOf('=');
  return at < 0 ? [given.trim(), undefined] : [given.slice(0, at).trim(), given.slice(at + 1).trim()];
}

export function matchesFilter(record: Record, { header, text, path }: MessageFilter): boolean {
  const { value } = record;
  if (header && !record.headers.some((each) => matchesHeader(each, header))) return false;
  if (text !== undefined && (value === null || !bytesOf(value).includes(text))) return false;
  return path === undefined || (value !== null && matchesPath(value, path));
}

function matchesHeader(
  { name, value }: { readonly name: string; readonly value: Uint8Array | null },
  wanted: NonNullable<MessageFilter['header']>,
): boolean {
  if (name.toLowerCase() !== wanted.name) return false;
  return wanted.value === undefined || (value !== null && bytesOf(value).includes(wanted.value));
}

function matchesPath(
  value: Uint8Array,
  { steps, value: wanted }: NonNullable<MessageFilter['path']>,
): boolean {
  if (value.length > parsedBytesMax) return false;
  const bytes = bytesOf(value);
  // A value without the last name of the path need not be parsed.
  const last = steps.at(-1) ?? '';
  if (!/^\d+$/.test(last) && !/["\\]/.test(last) && !bytes.includes(`"${last}"`)) return false;
  if (nestsDeeper(bytes, depthMax)) return false;
  let at: unknown;
  try {
    at = JSON.parse(bytes.toString('utf8'));
  } catch {
    return false;
  }
  for (const step of steps) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return false;
    at = (at as { readonly [name: string]: unknown })[step];
  }
  return wanted === undefined || (typeof at === 'string' ? at : JSON.stringify(at)) === wanted;
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
