import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { apis, Reader, Writer, includes, type AnyApi } from '../../../src/wire/kafka/index.ts';
import type { AnyCodec } from '../../../src/wire/kafka/codec.ts';
import { nullableVersionsOf, versionsOf, type Field, type Fields } from '../../../src/wire/kafka/schema.ts';

// dist*/test/wire/kafka/ -> the sources, where the fixtures are.
const fixtures = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  '..',
  '..',
  'test',
  'wire',
  'kafka',
  'fixtures',
);

/** The lines of a fixture; fixtures/README.md says how each was made. */
export function readFixture<T>(name: string): T[] {
  const lines = readFileSync(join(fixtures, `${name}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

/** Bytes from hex digits; blanks are there for the reader. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex');
}

export const allApis: readonly AnyApi[] = Object.values(apis) as AnyApi[];

export function* versionsOfApi(api: AnyApi): Generator<number> {
  for (let version = api.versions.min; version <= api.versions.max; version++) yield version;
}

export function encode(codec: AnyCodec, version: number, message: object): Buffer {
  const writer = new Writer();
  codec.encode(writer, version, message);
  return Buffer.concat(writer.take());
}

/** Decodes all of the bytes; remaining bytes are an error. */
export function decodeAll(codec: AnyCodec, version: number, bytes: Buffer): Values {
  const reader = new Reader(bytes);
  const message = codec.decode(reader, version);
  if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes are left`);
  return message as Values;
}

export interface Values {
  readonly [name: string]: unknown;
}

/** Keeps only the fields of the version. */
export function project(fields: Fields, version: number, message: Values): Values {
  const values: { [name: string]: unknown } = {};
  for (const [name, field] of Object.entries(fields)) {
    if (includes(versionsOf(field), version)) values[name] = projectValue(field, version, message[name]);
  }
  return values;
}

function projectValue(field: Field, version: number, value: unknown): unknown {
  if (value === null || (field.type !== 'struct' && field.type !== '[]struct')) return value;
  if (field.type === 'struct') return project(field.fields, version, value as Values);
  return (value as Values[]).map((each) => project(field.fields, version, each));
}

/** Messages of a version, with the fields it has. */
export function messages(fields: Fields, version: number): fc.Arbitrary<Values> {
  const arbitraries: { [name: string]: fc.Arbitrary<unknown> } = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!includes(versionsOf(field), version)) continue;
    const values = fieldValues(field, version);
    arbitraries[name] = includes(nullableVersionsOf(field), version) ? fc.option(values) : values;
  }
  return fc.record(arbitraries, { noNullPrototype: true });
}

function fieldValues(field: Field, version: number): fc.Arbitrary<unknown> {
  if (field.type === 'struct') return messages(field.fields, version);
  if (field.type === '[]struct') return fc.array(messages(field.fields, version), { maxLength: 3 });
  const isArray = field.type.startsWith('[]');
  const values = scalars[isArray ? field.type.slice(2) : field.type]!;
  return isArray ? fc.array(values, { maxLength: 3 }) : values;
}

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));

function signed(bits: number): fc.Arbitrary<number> {
  return fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
}

const scalars: { readonly [type: string]: fc.Arbitrary<unknown> } = {
  bool: fc.boolean(),
  int8: signed(8),
  int16: signed(16),
  int32: signed(32),
  int64: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-1, 0, 2 ** 63)),
  float64: fc.double({ noNaN: true }),
  string: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('', 'a topic with a name longer than thirty-two'),
  ),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('base64url')),
  bytes,
  records: fc.oneof(bytes, fc.constantFrom(Buffer.alloc(5000, 'r'))),
};
