import type { ByteWriter } from '../../util/index.ts';
import type { Reader } from './reader.ts';
import { readTable, writeShortstr, writeTable, type FieldTable } from './table.ts';

/** The values of a method's arguments, by the names of their types. */
export interface ArgumentValues {
  readonly octet: number;
  readonly short: number;
  readonly long: number;
  /** No delivery tag goes beyond 2^53: larger ones are read as Infinity. */
  readonly longlong: number;
  readonly shortstr: string;
  /** Bytes, because a response of SASL is no text. */
  readonly longstr: Uint8Array;
  readonly table: FieldTable;
  /** Consecutive bits share an octet, the first one in the lowest bit. */
  readonly bit: boolean;
}

export type ArgumentType = keyof ArgumentValues;

/** A method of AMQP, as data; all of them are in methods.ts. */
export interface Method {
  /** The numbers of its class and of itself. */
  readonly id: readonly [classId: number, methodId: number];
  readonly name: string;
  /** The types of its arguments, in their order on the wire. */
  readonly arguments: { readonly [name: string]: ArgumentType };
  /** A content header and a body follow. */
  readonly hasContent?: true;
}

/** The arguments of a method. */
export type Arguments<M extends Method> = {
  readonly [N in keyof M['arguments']]: ArgumentValues[M['arguments'][N]];
};

interface ArgumentCodec<T> {
  read(reader: Reader): T;
  write(writer: ByteWriter, value: T): void;
}

const codecs: { readonly [T in Exclude<ArgumentType, 'bit'>]: ArgumentCodec<ArgumentValues[T]> } = {
  octet: { read: (reader) => reader.u8(), write: (writer, value) => void writer.u8(value) },
  short: { read: (reader) => reader.u16(), write: (writer, value) => void writer.u16(value) },
  long: { read: (reader) => reader.u32(), write: (writer, value) => void writer.u32(value) },
  longlong: { read: readLonglong, write: (writer, value) => void writer.i64(value) },
  shortstr: { read: (reader) => reader.shortstr(), write: writeShortstr },
  longstr: {
    read: (reader) => new Uint8Array(reader.longstr()),
    write: (writer, value) => void writer.u32(value.length).bytes(value),
  },
  table: { read: (reader) => readTable(reader), write: writeTable },
};

function readLonglong(reader: Reader): number {
  const value = reader.u64();
  return typeof value === 'bigint' ? Infinity : value;
}

/** Decodes the arguments of a method, which follow its two numbers. Throws a WireError. */
export function readArguments<M extends Method>(method: M, reader: Reader): Arguments<M> {
  const values: { [name: string]: unknown } = {};
  let bits = 0;
  let bitCount = 0;
  for (const name in method.arguments) {
    const type = method.arguments[name]!;
    if (type !== 'bit') {
      bitCount = 0;
      values[name] = codecs[type].read(reader);
      continue;
    }
    if (bitCount === 0) bits = reader.u8();
    values[name] = (bits & (1 << bitCount)) !== 0;
    bitCount = (bitCount + 1) % 8;
  }
  return values as Arguments<M>;
}

/** Encodes a method: its two numbers and its arguments. */
export function writeMethod<M extends Method>(writer: ByteWriter, method: M, values: Arguments<M>): void {
  writer.u16(method.id[0]).u16(method.id[1]);
  let bits = 0;
  let bitCount = 0;
  const endBits = (): void => {
    if (bitCount > 0) writer.u8(bits);
    bits = bitCount = 0;
  };
  for (const name in method.arguments) {
    const type = method.arguments[name]!;
    const value: unknown = values[name as keyof Arguments<M>];
    if (type === 'bit') {
      if (value === true) bits |= 1 << bitCount;
      if (++bitCount === 8) endBits();
    } else {
      endBits();
      (codecs[type] as ArgumentCodec<unknown>).write(writer, value);
    }
  }
  endBits();
}
