import { readI32 } from '../../../util/index.ts';
import { WireError } from '../errors.ts';
import { BoundedOutput } from './bounded-output.ts';

/*
 * block => plainBytes:uvarint element*
 * element => a tag byte whose two lowest bits are the kind
 *   0 literal: length-1 in the upper six bits; values from 60 on mean that it is in the next
 *     (value - 59) bytes, little-endian; then the bytes
 *   1 match: length-4 in three bits, distance of 11 bits: the upper three bits and a byte
 *   2 match: length-1 in six bits, distance:uint16 little-endian
 *   3 match: length-1 in six bits, distance:uint32 little-endian
 * (google/snappy, format_description.txt)
 *
 * xerial => 0x82 "SNAPPY" 0x00 version:int32 compatible:int32 (bytes:int32 block)*
 * Java clients write blocks in xerial's frame, some other clients a bare block.
 */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeaderBytes = 16;
/** An element of three bytes produces at most 64. */
const ratioMax = 22;

export function decompressSnappy(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const output = new BoundedOutput(bytesMax, 0);
  if (!isXerial(bytes, 0)) {
    readBlock(bytes, 0, bytes.length, output);
    return output.bytes();
  }
  let at = xerialHeaderBytes;
  while (at < bytes.length) {
    // Several streams may follow each other, each with its own header.
    if (isXerial(bytes, at)) {
      at += xerialHeaderBytes;
      continue;
    }
    if (bytes.length - at < 4) throw corrupt('its last block has no length');
    const length = readI32(bytes, at);
    at += 4;
    if (length < 0 || length > bytes.length - at) throw corrupt(`a block of ${length} bytes`);
    readBlock(bytes, at, at + length, output);
    at += length;
  }
  return output.bytes();
}

function isXerial(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < xerialHeaderBytes) return false;
  for (let i = 0; i < xerialMagic.length; i++) if (bytes[at + i] !== xerialMagic[i]) return false;
  return true;
}

function readBlock(source: Uint8Array, start: number, end: number, output: BoundedOutput): void {
  let at = start;
  let plainBytes = 0;
  for (let scale = 1; ; scale *= 0x80) {
    if (at === end || scale > 2 ** 28) throw corrupt('a block without its length');
    const byte = source[at++]!;
    plainBytes += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  if (plainBytes > (end - at) * ratioMax) throw corrupt(`${plainBytes} bytes announced from ${end - at}`);
  output.reserve(plainBytes);
  const plainEnd = output.length + plainBytes;
  while (at < end) {
    const tag = source[at++]!;
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const lengthBytes = length - 60;
        if (end - at < lengthBytes) throw corrupt('a literal without its length');
        length = littleEndian(source, at, lengthBytes) + 1;
        at += lengthBytes;
      }
      if (length > end - at) throw corrupt(`a literal of ${length} bytes, ${end - at} are left`);
      if (length > plainEnd - output.length) throw corrupt('more bytes than announced');
      output.literal(source, at, at + length);
      at += length;
      continue;
    }
    const distanceBytes = kind === 3 ? 4 : kind;
    if (end - at < distanceBytes) throw corrupt('a match without its distance');
    let distance = littleEndian(source, at, distanceBytes);
    at += distanceBytes;
    if (kind === 1) {
      distance += (tag >>> 5) * 256;
      length = ((tag >>> 2) & 7) + 4;
    }
    if (length > plainEnd - output.length) throw corrupt('more bytes than announced');
    output.match(distance, length);
  }
  if (output.length !== plainEnd) throw corrupt(`${plainEnd - output.length} bytes less than announced`);
}

function littleEndian(source: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + source[at + i]!;
  return value;
}

function corrupt(what: string): WireError {
  return new WireError('bad-compression', `Snappy: ${what}.`);
}
