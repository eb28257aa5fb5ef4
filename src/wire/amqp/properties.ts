import { ByteWriter, readU16, readU32 } from '../../util/index.ts';
import { WireError } from './errors.ts';
import { Reader } from './reader.ts';
import { readTable, writeShortstr, writeTable, type FieldTable } from './table.ts';

/** The properties of a message. */
export interface Properties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly headers?: FieldTable;
  /** 1: transient, 2: persistent. */
  readonly deliveryMode?: number;
  readonly priority?: number;
  readonly correlationId?: string;
  readonly replyTo?: string;
  /** Milliseconds, as a text. */
  readonly expiration?: string;
  readonly messageId?: string;
  /** Seconds since the epoch. */
  readonly timestamp?: number;
  readonly type?: string;
  readonly userId?: string;
  readonly appId?: string;
  readonly clusterId?: string;
}

export type PropertyName = keyof Properties;
type PropertyKind = 'text' | 'octet' | 'seconds' | 'table';

/** The properties in the order of the wire, from bit 15 of the flags down. */
const propertyKinds: { readonly [name in PropertyName]-?: PropertyKind } = {
  contentType: 'text',
  contentEncoding: 'text',
  headers: 'table',
  deliveryMode: 'octet',
  priority: 'octet',
  correlationId: 'text',
  replyTo: 'text',
  expiration: 'text',
  messageId: 'text',
  timestamp: 'seconds',
  type: 'text',
  userId: 'text',
  appId: 'text',
  clusterId: 'text',
};
const entries = Object.entries(propertyKinds) as [PropertyName, PropertyKind][];

/** The flag of a property. */
function flagOf(index: number): number {
  return 1 << (15 - index);
}

/** The flag by which a second word of flags would follow. No property needs one. */
const moreFlags = 1;

/**
 * A content header is what follows a method that has content:
 * ```
 * classId:u16 weight:u16 bodyBytes:u64 flags:u16 property*
 * ```
 * The properties stay bytes: a message that is passed on is not decoded.
 */
export interface ContentHeader {
  readonly classId: number;
  readonly bodyBytes: number;
  /** Flags and properties, as on the wire: a view. */
  readonly properties: Buffer;
}

/** The bytes of a content header before its flags. */
export const contentHeadBytes = 12;

/** Splits a content header. Throws a WireError. */
export function readContentHeader(buffer: Buffer, start: number, end: number): ContentHeader {
  if (end - start < contentHeadBytes + 2)
    throw new WireError('truncated', `A content header of ${end - start} bytes.`);
  return {
    classId: readU16(buffer, start),
    bodyBytes: readU32(buffer, start + 4) * 2 ** 32 + readU32(buffer, start + 8),
    properties: buffer.subarray(start + contentHeadBytes, end),
  };
}

/** Decodes flags and properties. Throws a WireError. */
export function readProperties(bytes: Uint8Array): Properties {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const flags = reader.u16();
  if ((flags & moreFlags) !== 0) throw new WireError('bad-field', 'Flags of unknown properties.');
  const properties: { -readonly [name in PropertyName]?: unknown } = {};
  for (const [index, [name, kind]] of entries.entries())
    if ((flags & flagOf(index)) !== 0) properties[name] = readProperty(reader, kind);
  return properties as Properties;
}

function readProperty(reader: Reader, kind: PropertyKind): unknown {
  switch (kind) {
    case 'text':
      return reader.shortstr();
    case 'octet':
      return reader.u8();
    case 'seconds':
      return Number(reader.u64());
    case 'table':
      return readTable(reader);
    default:
      return kind satisfies never;
  }
}

/**
 * The place of a property in the encoded properties, `[start, end)`; an empty range where it would be if it
 * is not there. Throws a WireError.
 */
export function propertyRange(bytes: Buffer, wanted: PropertyName): readonly [start: number, end: number] {
  const reader = new Reader(bytes);
  const flags = reader.u16();
  for (const [index, [name, kind]] of entries.entries()) {
    const start = reader.position;
    if ((flags & flagOf(index)) !== 0) readProperty(reader, kind);
    if (name === wanted) return [start, reader.position];
  }
  throw new Error(`There is no property ${wanted}.`);
}

/** The encoded properties with other bytes for one of them, which need not have been there. */
export function replaceProperty(bytes: Buffer, name: PropertyName, encoded: Uint8Array): Buffer {
  const [start, end] = propertyRange(bytes, name);
  const replaced = Buffer.concat([bytes.subarray(0, start), encoded, bytes.subarray(end)]);
  const flag = flagOf(entries.findIndex(([known]) => known === name));
  replaced.writeUInt16BE(replaced.readUInt16BE(0) | flag, 0);
  return replaced;
}

/** Encodes flags and properties. */
export function encodeProperties(properties: Properties): Buffer {
  const writer = new ByteWriter();
  writer.u16(0);
  let flags = 0;
  for (const [index, [name, kind]] of entries.entries()) {
    const value = properties[name];
    if (value === undefined) continue;
    flags |= flagOf(index);
    if (kind === 'text') writeShortstr(writer, value as string);
    else if (kind === 'octet') writer.u8(value as number);
    else if (kind === 'seconds') writer.i64(value as number);
    else writeTable(writer, value as FieldTable);
  }
  const bytes = writer.copy();
  bytes.writeUInt16BE(flags, 0);
  return bytes;
}
