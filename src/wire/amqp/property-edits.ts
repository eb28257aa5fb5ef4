import { ByteWriter } from '../../util/index.ts';
import { replaceProperty, propertyRange } from './properties.ts';
import { Reader } from './reader.ts';
import { encodeTable, readValue, writeShortstr, type FieldTable } from './table.ts';

// Changes of single properties in their encoded form. All other bytes stay as the publisher sent them, so
// that the widths of its numbers, for example, are those that consumers see.

/** The properties with this `reply-to`. */
export function withReplyTo(properties: Buffer, replyTo: string): Buffer {
  const writer = new ByteWriter();
  writeShortstr(writer, replyTo);
  return replaceProperty(properties, 'replyTo', writer.copy());
}

/**
 * The properties without these entries of their headers table, and with those of `added` at its end. An entry
 * of `added` replaces one of the same name. Throws a WireError if the bytes are no properties.
 */
export function withHeaders(properties: Buffer, removed: readonly string[], added: FieldTable): Buffer {
  const [start, end] = propertyRange(properties, 'headers');
  const kept = start === end ? [] : entriesWithout(properties, start, new Set([...removed, ...added.keys()]));
  const table = [...kept, encodeTable(added).subarray(tableHeadBytes)];
  const head = Buffer.alloc(tableHeadBytes);
  head.writeUInt32BE(table.reduce((bytes, piece) => bytes + piece.length, 0));
  return replaceProperty(properties, 'headers', Buffer.concat([head, ...table]));
}

/** The length in front of a table. */
const tableHeadBytes = 4;

/** The encoded entries of the table at `start`, besides those of these names. */
function entriesWithout(bytes: Buffer, start: number, names: ReadonlySet<string>): Buffer[] {
  const reader = new Reader(bytes, start);
  const part = reader.part(reader.u32());
  const kept: Buffer[] = [];
  while (part.remaining > 0) {
    const from = part.position;
    const name = part.shortstr();
    readValue(part, 0);
    if (!names.has(name)) kept.push(bytes.subarray(from, part.position));
  }
  return kept;
}
