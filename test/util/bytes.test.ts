import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  ByteReader,
  ByteWriter,
  readI64,
  textOf,
  textSize,
  uvarintSize,
  varintSize,
  writeI64,
  writeText,
  writeUvarint,
  writeVarint,
} from '../../src/util/index.ts';

const safe = fc.integer({ min: -(2 ** 51), max: 2 ** 51 });

test('a uvarint takes the bytes its size says and reads back', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (value) => {
      const bytes = new Uint8Array(10);
      const end = writeUvarint(bytes, 0, value);
      assert.equal(end, uvarintSize(value));
      const reader = new ByteReader(bytes, 0, end);
      assert.equal(reader.uvarint(), value);
      assert.equal(reader.remaining, 0);
    }),
  );
});

test('a varint is the zigzag form, whatever the sign and size', () => {
  fc.assert(
    fc.property(safe, (value) => {
      const bytes = new Uint8Array(10);
      const end = writeVarint(bytes, 0, value);
      assert.equal(end, varintSize(value));
      assert.equal(new ByteReader(bytes, 0, end).varint(), value);
    }),
  );
  const known: [number, number[]][] = [
    [0, [0]],
    [-1, [1]],
    [1, [2]],
    [63, [126]],
    [64, [128, 1]],
    [-65, [129, 1]],
    [2 ** 31, [128, 128, 128, 128, 16]],
  ];
  for (const [value, encoded] of known) {
    const bytes = new Uint8Array(10);
    assert.deepEqual([...bytes.subarray(0, writeVarint(bytes, 0, value))], encoded);
  }
});

test('i64 is two’s complement, as DataView has it', () => {
  fc.assert(
    fc.property(fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }), (value) => {
      const bytes = new Uint8Array(8);
      writeI64(bytes, 0, value);
      assert.equal(new DataView(bytes.buffer).getBigInt64(0), BigInt(value));
      assert.equal(readI64(bytes, 0), value);
    }),
  );
});

test('text is UTF-8, short or long, ASCII or not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const encoded = Buffer.from(text);
      assert.equal(textSize(text), encoded.length);
      const target = Buffer.alloc(encoded.length);
      assert.equal(writeText(target, 0, text), encoded.length);
      assert.deepEqual(target, encoded);
      assert.equal(textOf(target, 0, target.length), encoded.toString());
      assert.equal(textOf(new Uint8Array(target), 0, target.length), encoded.toString());
    }),
  );
});

test('a writer grows and a reader reads the same values', () => {
  const writer = new ByteWriter(16)
    .u8(200)
    .u16(65_535)
    .i16(-2)
    .u32(4_000_000_000)
    .i32(-5)
    .i64(-(2 ** 40))
    .f64(0.1)
    .uvarint(300)
    .varint(-300)
    .text('grün')
    .bytes(Uint8Array.of(1, 2, 3, 4), 1, 3)
    .zeros(2)
    .align(8)
    .u32(0);
  writer.setU32(writer.length - 4, 7);
  const reader = new ByteReader(writer.copy());
  assert.deepEqual(
    [
      reader.u8(),
      reader.u16(),
      reader.i16(),
      reader.u32(),
      reader.i32(),
      reader.i64(),
      reader.f64(),
      reader.uvarint(),
      reader.varint(),
    ],
    [200, 65_535, -2, 4_000_000_000, -5, -(2 ** 40), 0.1, 300, -300],
  );
  assert.equal(reader.text(5), 'grün');
  assert.deepEqual([...reader.bytes(4)], [2, 3, 0, 0]);
  reader.skip(reader.remaining - 4);
  assert.equal(reader.u32(), 7);
  assert.equal(writer.length % 8, 4);
});

test('reading past the end, or a varint without end, throws', () => {
  assert.throws(() => new ByteReader(Uint8Array.of(1, 2)).u32(), RangeError);
  assert.throws(() => new ByteReader(Uint8Array.of(1, 2)).bytes(-1), RangeError);
  assert.throws(() => new ByteReader(Uint8Array.of(1, 2)).text(3), RangeError);
  assert.throws(() => new ByteReader(Uint8Array.of(0x80)).uvarint(), RangeError);
  assert.throws(() => new ByteReader(new Uint8Array(20).fill(0xff)).uvarint(), RangeError);
});
