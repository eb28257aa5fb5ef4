import { writeI64 } from '../../../util/index.ts';
import { offsetArgument } from './stream-offset.ts';

const headersFlag = 0x2000;
const textFlags = [0x8000, 0x4000];
/** `name:shortstr "l"`, before the offset. */
const entryHead = Buffer.concat([
  Buffer.from([offsetArgument.length]),
  Buffer.from(offsetArgument, 'latin1'),
  Buffer.from('l', 'latin1'),
]);
const entryBytes = entryHead.length + 8;

/**
 * Properties with the header `x-stream-offset` at the end of the headers table, where it counts even if the
 * publisher has sent one. `properties` are flags and properties, as on the wire.
 */
export function withOffset(properties: Uint8Array, offset: number): Buffer {
  const given = Buffer.from(properties.buffer, properties.byteOffset, properties.length);
  const flags = given.readUInt16BE(0);
  const hasTable = (flags & headersFlag) !== 0;
  // Before the table stand at most two texts: content type and content encoding.
  let tableAt = 2;
  for (const flag of textFlags) if ((flags & flag) !== 0) tableAt += 1 + given[tableAt]!;
  const givenBytes = hasTable ? given.readUInt32BE(tableAt) : 0;
  const rest = hasTable ? tableAt + 4 : tableAt;
  const whole = Buffer.allocUnsafe(given.length + entryBytes + (hasTable ? 0 : 4));
  given.copy(whole, 0, 0, tableAt);
  whole.writeUInt16BE(flags | headersFlag, 0);
  whole.writeUInt32BE(givenBytes + entryBytes, tableAt);
  given.copy(whole, tableAt + 4, rest, rest + givenBytes);
  let at = tableAt + 4 + givenBytes;
  at += entryHead.copy(whole, at);
  writeI64(whole, at, offset);
  given.copy(whole, at + 8, rest + givenBytes);
  return whole;
}
