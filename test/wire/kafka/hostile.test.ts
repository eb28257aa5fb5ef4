import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compileStruct } from '../../../src/wire/kafka/compile.ts';
import {
  Reader,
  WireError,
  apis,
  includes,
  readRequest,
  type AnyApi,
} from '../../../src/wire/kafka/index.ts';
import { versionsOf, type Fields } from '../../../src/wire/kafka/schema.ts';
import { fullRequest } from './full-request.ts';
import { allApis, encode, hex, messages, versionsOfApi } from './kit.ts';

const codecs = allApis.flatMap((api) => [
  { api, codec: api.request },
  { api, codec: api.response },
]);
const someVersion = fc
  .constantFrom(...codecs)
  .chain(({ api, codec }) =>
    fc.constantFrom(...versionsOfApi(api)).map((version) => ({ api, codec, version })),
  );

/** Decodes any bytes: the result is a message or a WireError, nothing else. */
function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof WireError, `a WireError, not ${String(error)}`);
    return undefined;
  }
}

test('random bytes are a message or a WireError', () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  fc.assert(
    fc.property(someVersion, bytes, ({ codec, version }, random) => {
      const decoded = attempt(() => codec.decode(new Reader(Buffer.from(random)), version));
      if (decoded !== undefined) assert.ok(valuesIn(decoded) <= valuesMax(codec.fields, random.length));
    }),
    { numRuns: 5000 },
  );
});

test('a message with some bytes changed is a message or a WireError', () => {
  const mutated = someVersion.chain(({ codec, version }) =>
    fc.record({
      codec: fc.constant(codec),
      version: fc.constant(version),
      message: messages(codec.fields, version),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
    }),
  );
  fc.assert(
    fc.property(mutated, ({ codec, version, message, changes }) => {
      const bytes = encode(codec, version, message);
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      const decoded = attempt(() => codec.decode(new Reader(bytes), version));
      if (decoded !== undefined) assert.ok(valuesIn(decoded) <= valuesMax(codec.fields, bytes.length));
    }),
    { numRuns: 3000 },
  );
});

test('a message that is cut off is a WireError', () => {
  fc.assert(
    fc.property(
      someVersion.chain(({ codec, version }) =>
        fc.record({
          codec: fc.constant(codec),
          version: fc.constant(version),
          message: messages(codec.fields, version),
        }),
      ),
      fc.nat(),
      ({ codec, version, message }, cut) => {
        const bytes = encode(codec, version, message);
        if (bytes.length === 0) return;
        assert.throws(
          () => codec.decode(new Reader(bytes.subarray(0, cut % bytes.length)), version),
          WireError,
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test('random frames have a head or are a WireError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (random) => {
      attempt(() => readRequest(Buffer.from(random)));
    }),
    { numRuns: 2000 },
  );
});

/** Fields and elements in a value, including those that share a constant: the possible cost of decoding. */
function valuesIn(value: unknown): number {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return 1;
  let count = 1;
  for (const each of Array.isArray(value) ? value : Object.values(value)) count += valuesIn(each);
  return count;
}

const valuesPerByteMax = 16;

function valuesMax(fields: Fields, bytes: number): number {
  return valuesIn(compileStruct(fields, 0, false, '').blank) + valuesPerByteMax * bytes;
}

test('no element of an array makes many values of few bytes', () => {
  const check = (api: AnyApi, fields: Fields, version: number, path: string): void => {
    const isFlexible = includes(api.flexible, version);
    for (const [name, field] of Object.entries(fields)) {
      if (!includes(versionsOf(field), version)) continue;
      if (field.type !== 'struct' && field.type !== '[]struct') continue;
      const struct = compileStruct(field.fields, version, isFlexible, name);
      const values = valuesIn(struct.blank);
      assert.ok(
        field.type === 'struct' || values <= valuesPerByteMax * struct.bytesMin,
        `${path}.${name} version ${version}: ${values} values of ${struct.bytesMin} bytes`,
      );
      check(api, field.fields, version, `${path}.${name}`);
    }
  };
  for (const { api, codec } of codecs) {
    for (const version of versionsOfApi(api)) check(api, codec.fields, version, api.name);
  }
});

const cases: readonly (readonly [
  what: string,
  api: AnyApi,
  version: number,
  digits: string,
  code: string,
])[] = [
  ['an array of 2^31 - 1 topics', apis.Metadata, 0, '7fffffff', 'truncated'],
  ['an array of -2 topics', apis.Metadata, 1, 'fffffffe', 'bad-length'],
  ['a compact array of 2^32 - 2 topics', apis.Metadata, 9, 'ffffffff0f', 'truncated'],
  ['a uvarint of more than 32 bits', apis.Metadata, 9, 'ffffffff1f', 'bad-length'],
  ['a uvarint of six bytes', apis.Metadata, 9, 'ffffffffff01', 'bad-length'],
  ['null where the version has none', apis.Metadata, 0, 'ffffffff', 'unexpected-null'],
  ['a string of -2 bytes', apis.Metadata, 0, '00000001fffe', 'bad-length'],
  ['a string longer than the frame', apis.Metadata, 0, '0000000100056162', 'truncated'],
  [
    'a compact string of more than 32767 bytes',
    apis.Metadata,
    9,
    `02818002${'00'.repeat(32768)}`,
    'bad-length',
  ],
  ['a null string in an array', apis.FindCoordinator, 4, '000200 00', 'unexpected-null'],
  ['more tagged fields than the frame has room for', apis.Metadata, 9, '00000000ffffffff0f', 'truncated'],
  ['a tagged field longer than the frame', apis.Metadata, 9, '0000000001077f', 'truncated'],
  [
    'a known tagged field longer than its size',
    apis.Fetch,
    12,
    `${'00'.repeat(25)} 01 01 01 01 00 03 05 61626364`,
    'truncated',
  ],
  [
    'records longer than the frame',
    apis.Produce,
    3,
    'ffff0001000003e8000000010001740000000100000000 7fffffff',
    'truncated',
  ],
  [
    'records of -2 bytes',
    apis.Produce,
    3,
    'ffff0001000003e8000000010001740000000100000000 fffffffe',
    'bad-length',
  ],
];

for (const [what, api, version, digits, code] of cases) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => api.request.decode(new Reader(hex(digits)), version),
      (error) => error instanceof WireError && error.code === code,
    );
  });
}

test('a count is refused before its first element is read', () => {
  const bytes = Buffer.concat([hex('00000006'), Buffer.alloc(20)]);
  assert.equal(new Reader(bytes).count(3), 6);
  assert.throws(
    () => new Reader(bytes).count(4),
    /6 elements of at least 4 bytes announced at 4, 20 bytes are left/,
  );
  assert.throws(() => new Reader(hex('07 000000000000')).tagCount(), /7 elements of at least 2 bytes/);
});

test('unknown tagged fields are passed over', () => {
  const { request } = apis.Heartbeat;
  const message = { groupId: 'g', generationId: 3, memberId: 'm', groupInstanceId: null };
  const bytes = encode(request, 4, message);
  const tagged = Buffer.concat([bytes.subarray(0, -1), Buffer.from([2, 5, 2, 1, 1, 0x81, 0x01, 0])]);
  const reader = new Reader(tagged);
  assert.deepEqual(request.decode(reader, 4), message);
  assert.equal(reader.remaining, 0);
});

test('elements beyond the limit of a request are refused before they are decoded, in every array', () => {
  const elements = 1000;
  const sizeBytes = 4;
  let tried = 0;
  for (const api of allApis) {
    for (const version of versionsOfApi(api)) {
      const frame = fullRequest(api, version, 2 ** 20, elements);
      if (frame === undefined) continue;
      tried++;
      const decode = (elementsMax: number): unknown => {
        const { body } = readRequest(frame.subarray(sizeBytes), elementsMax);
        return api.request.decode(body, version);
      };
      // The arrays around it have an element each, and an element may have a tag.
      assert.ok(decode(2 * elements + 10), `${api.name} ${version}`);
      assert.throws(() => decode(elements - 1), { code: 'too-many-elements' }, `${api.name} ${version}`);
    }
  }
  assert.ok(tried > 100, `${tried} requests with arrays`);
});

test('tags are elements, too', () => {
  const { body } = readRequest(hex('0012 0003 00000001 ffff 00'), 10);
  assert.equal(body.elementsLeft, 10);
  const tags = Buffer.concat([hex('0012 0003 00000001 ffff 0b'), Buffer.alloc(22)]);
  assert.throws(() => readRequest(tags, 10), { code: 'too-many-elements' });
});
