import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nullableVersionsOf, versionsOf, type Field, type Fields } from '../../../src/wire/kafka/schema.ts';
import { apis, includes, type AnyApi, type ApiName } from '../../../src/wire/kafka/index.ts';
import {
  allApis,
  decodeAll,
  encode,
  messages,
  project,
  readFixture,
  versionsOfApi,
  type Values,
} from './kit.ts';

// The output of Kafka's own generated classes, for every message and version.

interface OracleLine {
  readonly name: ApiName;
  readonly kind: 'request' | 'response';
  /** A value for every field of any version; in the JSON of Kafka's own converters. */
  readonly values: Values;
  /** Bytes in hex. A number: the same as in that version. */
  readonly versions: { readonly [version: string]: OracleBytes | number };
}

interface OracleBytes {
  /** All fields have their value. */
  readonly full: string;
  /** Null wherever the version allows it; absent: the same as full. */
  readonly nulls?: string;
  /** All fields at their defaults; absent: Kafka cannot write them. */
  readonly defaults?: string;
}

const oracle = readFixture<OracleLine>('messages');

test('Kafka has written every API in every version', () => {
  assert.deepEqual(
    oracle.map(({ name, kind, versions }) => `${name} ${kind} ${Object.keys(versions).join(' ')}`).toSorted(),
    allApis
      .flatMap((api) =>
        [`${api.name} request`, `${api.name} response`].map(
          (each) => `${each} ${[...versionsOfApi(api)].join(' ')}`,
        ),
      )
      .toSorted(),
  );
});

for (const { name, kind, values, versions } of oracle) {
  test(`${name} ${kind} has the bytes that Kafka writes`, () => {
    const codec = (apis[name] as AnyApi)[kind];
    const blank = decodedDefaults(codec.fields);
    for (const [key, entry] of Object.entries(versions)) {
      const version = Number(key);
      const bytes = typeof entry === 'number' ? (versions[entry] as OracleBytes) : entry;
      const full = decodeAll(codec, version, Buffer.from(bytes.full, 'hex'));
      assert.deepEqual(full, expected(codec.fields, version, values, false), `version ${version}`);
      assert.equal(encode(codec, version, full).toString('hex'), bytes.full, `version ${version}`);

      const nulls = bytes.nulls ?? bytes.full;
      const withNulls = decodeAll(codec, version, Buffer.from(nulls, 'hex'));
      assert.deepEqual(
        withNulls,
        expected(codec.fields, version, values, true),
        `version ${version} with nulls`,
      );
      assert.equal(encode(codec, version, withNulls).toString('hex'), nulls, `version ${version} with nulls`);

      if (bytes.defaults === undefined) continue;
      assert.equal(
        encode(codec, version, {}).toString('hex'),
        bytes.defaults,
        `defaults of version ${version}`,
      );
      const defaults = decodeAll(codec, version, Buffer.from(bytes.defaults, 'hex'));
      assert.deepEqual(defaults, blank, `defaults of version ${version}`);
    }
  });
}

/** The values as they are decoded: those that the version lacks at their defaults. */
function expected(fields: Fields, version: number, values: Values, nulls: boolean): Values {
  const message: { [name: string]: unknown } = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!includes(versionsOf(field), version)) message[name] = decodedDefault(field);
    else if (nulls && includes(nullableVersionsOf(field), version)) message[name] = null;
    else message[name] = expectedValue(field, version, values[name], nulls);
  }
  return message;
}

function expectedValue(field: Field, version: number, value: unknown, nulls: boolean): unknown {
  if (field.type === 'struct') return expected(field.fields, version, value as Values, nulls);
  if (field.type === '[]struct')
    return (value as Values[]).map((each) => expected(field.fields, version, each, nulls));
  return field.type === 'bytes' || field.type === 'records' ? Buffer.from(value as string, 'base64') : value;
}

function decodedDefaults(fields: Fields): Values {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, decodedDefault(field)]));
}

function decodedDefault(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  if (field.type === 'struct') return decodedDefaults(field.fields);
  if (field.type.startsWith('[]')) return [];
  const zeros: Values = {
    bool: false,
    string: '',
    uuid: 'A'.repeat(22),
    bytes: Buffer.alloc(0),
    records: null,
  };
  return zeros[field.type] ?? (field.type in zeros ? null : 0);
}

test('encoded messages decode to the same, in every version', () => {
  for (const api of allApis) {
    for (const codec of [api.request, api.response]) {
      for (const version of versionsOfApi(api)) {
        fc.assert(
          fc.property(messages(codec.fields, version), (message) => {
            const bytes = encode(codec, version, message);
            const decoded = decodeAll(codec, version, bytes);
            assert.deepEqual(project(codec.fields, version, decoded), message);
            assert.deepEqual(encode(codec, version, decoded), bytes);
          }),
          { numRuns: 15 },
        );
      }
    }
  }
});

test('a field that the version lacks is not written', () => {
  const { request } = apis.JoinGroup;
  const draft = {
    groupId: 'g',
    sessionTimeoutMs: 1,
    memberId: '',
    protocolType: 'consumer',
    protocols: [],
  };
  assert.deepEqual(encode(request, 4, { ...draft, groupInstanceId: 'static' }), encode(request, 4, draft));
  assert.notDeepEqual(encode(request, 5, { ...draft, groupInstanceId: 'static' }), encode(request, 5, draft));
});

test('null where the version has none is refused before anything is written', () => {
  assert.throws(() => encode(apis.Metadata.request, 0, { topics: null }), TypeError);
  assert.deepEqual([...encode(apis.Metadata.request, 1, { topics: null })], [255, 255, 255, 255]);
});
