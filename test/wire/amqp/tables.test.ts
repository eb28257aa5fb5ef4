import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  Decimal,
  encodeProperties,
  encodeTable,
  Reader,
  readProperties,
  readTable,
  tableDepthMax,
  Timestamp,
  WireError,
  type FieldTable,
  type FieldValue,
  type Properties,
} from '../../../src/wire/amqp/index.ts';

const values = fc.letrec<{ value: FieldValue; table: FieldTable }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.string({ unit: 'binary' }),
    fc.constant(null),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.uint8Array(),
    fc.maxSafeNat().map((seconds) => new Timestamp(seconds)),
    fc.tuple(fc.nat(255), fc.nat()).map(([scale, value]) => new Decimal(scale, value)),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('table'),
  ),
  table: fc
    .array(fc.tuple(fc.string({ maxLength: 20 }), tie('value')), { maxLength: 4 })
    .map((entries) => new Map(entries)),
}));

const bytesOf = (...parts: (number | string)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))),
  );

/** A table with one value, `x`, of these bytes. */
function tableOf(value: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(value.length + 2);
  head.write('\x01x', 4, 'latin1');
  return Buffer.concat([head, value]);
}

const readOne = (value: Buffer): FieldValue | undefined => readTable(new Reader(tableOf(value))).get('x');

describe('field tables', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(values.table, (table) => {
        assert.deepEqual(readTable(new Reader(encodeTable(table))), table);
      }),
      { numRuns: 500 },
    );
  });

  it('have the types of RabbitMQ', () => {
    const cases: readonly (readonly [Buffer, FieldValue])[] = [
      [bytesOf('t', 1), true],
      [bytesOf('b', 0xff), -1],
      [bytesOf('B', 0xff), 255],
      [bytesOf('s', 0xff, 0xfe), -2],
      [bytesOf('u', 0xff, 0xfe), 65_534],
      [bytesOf('I', 0xff, 0xff, 0xff, 0xff), -1],
      [bytesOf('i', 0xff, 0xff, 0xff, 0xff), 2 ** 32 - 1],
      [bytesOf('l', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), -1],
      [bytesOf('L', 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 2n ** 63n - 1n],
      [bytesOf('f', 0x3f, 0x80, 0, 0), 1],
      [bytesOf('d', 0x3f, 0xf0, 0, 0, 0, 0, 0, 0), 1],
      [bytesOf('D', 2, 0, 0, 1, 0), new Decimal(2, 256)],
      [bytesOf('T', 0, 0, 0, 0, 0, 0, 0, 5), new Timestamp(5)],
      [bytesOf('S', 0, 0, 0, 2, 'hi'), 'hi'],
      [bytesOf('S', 0, 0, 0, 1, 0xff), new Uint8Array([0xff])],
      [bytesOf('x', 0, 0, 0, 2, 'hi'), new Uint8Array([104, 105])],
      [bytesOf('A', 0, 0, 0, 3, 'V', 't', 0), [null, false]],
      [bytesOf('F', 0, 0, 0, 3, 1, 'aV'), new Map([['a', null]])],
      [bytesOf('V'), null],
    ];
    for (const [bytes, value] of cases) assert.deepEqual(readOne(bytes), value);
  });

  it('are refused if they are nested too deeply, or not whole', () => {
    const nested = (levels: number): FieldTable =>
      levels === 1 ? new Map() : new Map([['t', nested(levels - 1)]]);
    assert.ok(readTable(new Reader(encodeTable(nested(tableDepthMax)))));
    const fails = (bytes: Buffer, code: string): void =>
      assert.throws(
        () => readTable(new Reader(bytes)),
        (error) => error instanceof WireError && error.code === code,
      );
    fails(encodeTable(nested(tableDepthMax + 1)), 'too-deep');
    fails(tableOf(bytesOf('Z')), 'bad-field');
    fails(tableOf(bytesOf('S', 0, 0, 0, 9, 'hi')), 'truncated');
    fails(bytesOf(0, 0, 0, 9), 'truncated');
  });
});

describe('properties', () => {
  it('are read as they were written', () => {
    const all: Properties = {
      contentType: 'text/plain',
      contentEncoding: 'gzip',
      headers: new Map<string, FieldValue>([['tenant', 7]]),
      deliveryMode: 2,
      priority: 5,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '1000',
      messageId: 'm',
      timestamp: 1_700_000_000,
      type: 't',
      userId: 'u',
      appId: 'a',
      clusterId: '',
    };
    assert.deepEqual(readProperties(encodeProperties(all)), all);
    for (const [name, value] of Object.entries(all))
      assert.deepEqual(readProperties(encodeProperties({ [name]: value })), { [name]: value });
    assert.equal(encodeProperties({ deliveryMode: 2 }).toString('hex'), '100002');
  });
});
