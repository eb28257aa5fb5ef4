import { ByteWriter, textSize } from '../../util/index.ts';
import { WireError } from './errors.ts';
import type { Reader } from './reader.ts';

/** A field table: values by name, in order. A name that occurs twice has its last value. */
export type FieldTable = ReadonlyMap<string, FieldValue>;

/** A point in time, in seconds since the epoch. */
export class Timestamp {
  readonly seconds: number | bigint;

  constructor(seconds: number | bigint) {
    this.seconds = seconds;
  }
}

/** A decimal number: `value` divided by 10 to the power of `scale`. */
export class Decimal {
  readonly scale: number;
  readonly value: number;

  constructor(scale: number, value: number) {
    this.scale = scale;
    this.value = value;
  }
}

/**
 * A value of a table. Integers of all sizes and floats are numbers (bigint beyond 2^53), long strings are
 * texts (bytes if they are not UTF-8), void is null.
 */
export type FieldValue =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | null
  | Timestamp
  | Decimal
  | readonly FieldValue[]
  | FieldTable;

/** Levels of tables and arrays inside each other. */
export const tableDepthMax = 64;

/**
 * Decodes a table, in RabbitMQ's dialect, which all clients speak:
 * ```
 * table => length:u32 (name:shortstr value)*         value => tag:u8 …
 *   t bool    b i8   B u8   s i16   u u16   I i32   i u32   l, L i64   f f32   d f64   T seconds:u64
 *   D scale:u8 value:u32   S length:u32 byte*   x length:u32 byte*   A length:u32 value*   F table   V void
 * ```
 * Throws a WireError.
 */
export function readTable(reader: Reader, depth: number = 0): FieldTable {
  checkDepth(depth);
  const part = reader.part(reader.u32());
  const table = new Map<string, FieldValue>();
  while (part.remaining > 0) table.set(part.shortstr(), readValue(part, depth));
  return table;
}

/** Decodes a value of a table, with its tag. Throws a WireError. */
export function readValue(reader: Reader, depth: number): FieldValue {
  const tag = String.fromCharCode(reader.u8());
  switch (tag) {
    case 't':
      return reader.u8() !== 0;
    case 'b':
      return reader.i8();
    case 'B':
      return reader.u8();
    case 's':
      return reader.i16();
    case 'u':
      return reader.u16();
    case 'I':
      return reader.i32();
    case 'i':
      return reader.u32();
    case 'l':
    case 'L':
      return reader.i64();
    case 'f':
      return reader.f32();
    case 'd':
      return reader.f64();
    case 'D':
      return new Decimal(reader.u8(), reader.u32());
    case 'T':
      return new Timestamp(reader.u64());
    case 'S':
      return textOrBytes(reader.longstr());
    case 'x':
      return new Uint8Array(reader.longstr());
    case 'A':
      return readArray(reader, depth + 1);
    case 'F':
      return readTable(reader, depth + 1);
    case 'V':
      return null;
    default:
      throw new WireError('bad-field', `A value of the unknown type ${JSON.stringify(tag)}.`);
  }
}

function textOrBytes(bytes: Buffer): string | Uint8Array {
  const text = bytes.toString('utf8');
  // Decoding shows what is not UTF-8 as this character, which may also be in the text.
  return text.includes('\uFFFD') && !Buffer.from(text, 'utf8').equals(bytes) ? new Uint8Array(bytes) : text;
}

function readArray(reader: Reader, depth: number): readonly FieldValue[] {
  checkDepth(depth);
  const part = reader.part(reader.u32());
  const values: FieldValue[] = [];
  while (part.remaining > 0) values.push(readValue(part, depth));
  return values;
}

function checkDepth(depth: number): void {
  if (depth >= tableDepthMax)
    throw new WireError('too-deep', `A table of more than ${tableDepthMax} levels.`);
}

/** Encodes a table, with its length in front. Throws a WireError for a name that is too long. */
export function writeTable(
  writer: ByteWriter,
  table: Iterable<readonly [name: string, value: FieldValue]>,
): void {
  const start = writer.length;
  writer.u32(0);
  for (const [name, value] of table) {
    writeShortstr(writer, name);
    writeValue(writer, value);
  }
  writer.setU32(start, writer.length - start - 4);
}

/** The bytes of a table. */
export function encodeTable(table: Iterable<readonly [name: string, value: FieldValue]>): Buffer {
  const writer = new ByteWriter();
  writeTable(writer, table);
  return writer.copy();
}

function writeValue(writer: ByteWriter, value: FieldValue): void {
  if (typeof value === 'string') {
    tag(writer, 'S').u32(textSize(value)).text(value);
  } else if (typeof value === 'number') {
    writeNumber(writer, value);
  } else if (typeof value === 'boolean') {
    tag(writer, 't').u8(value ? 1 : 0);
  } else if (typeof value === 'bigint') {
    tag(writer, 'l');
    writeBigInt(writer, value);
  } else if (value === null) {
    tag(writer, 'V');
  } else if (value instanceof Uint8Array) {
    tag(writer, 'x').u32(value.length).bytes(value);
  } else if (value instanceof Timestamp) {
    tag(writer, 'T');
    writeBigInt(writer, BigInt(value.seconds));
  } else if (value instanceof Decimal) {
    tag(writer, 'D').u8(value.scale).u32(value.value);
  } else if (isTable(value)) {
    tag(writer, 'F');
    writeTable(writer, value);
  } else {
    const start = tag(writer, 'A').length;
    writer.u32(0);
    for (const element of value) writeValue(writer, element);
    writer.setU32(start, writer.length - start - 4);
  }
}

/** Whether a value is a table. */
export function isTable(value: FieldValue): value is FieldTable {
  return value instanceof Map;
}

/** Integers take 32 bits where they fit, else 64; all others are doubles. */
function writeNumber(writer: ByteWriter, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) tag(writer, 'd').f64(value);
  else if (value >= -(2 ** 31) && value < 2 ** 31) tag(writer, 'I').i32(value);
  else tag(writer, 'l').i64(value);
}

function writeBigInt(writer: ByteWriter, value: bigint): void {
  const at = writer.reserve(8);
  writer.buffer.writeBigUInt64BE(BigInt.asUintN(64, value), at);
}

/** Writes `length:u8 byte*`. */
export function writeShortstr(writer: ByteWriter, text: string): void {
  const size = textSize(text);
  if (size > 255) throw new WireError('bad-field', `A short text of ${size} bytes; 255 are possible.`);
  writer.u8(size).text(text);
}

function tag(writer: ByteWriter, letter: string): ByteWriter {
  return writer.u8(letter.charCodeAt(0));
}
