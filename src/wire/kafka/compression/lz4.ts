import { WireError } from '../errors.ts';
import { BoundedOutput } from './bounded-output.ts';

/*
 * frame => magic:uint32 flags:byte blockSize:byte [contentBytes:uint64] [dictionary:uint32]
 *          headerChecksum:byte block* 0:uint32 [checksum:uint32]
 * block => bytes:uint32 (highest bit: not compressed) byte* [checksum:uint32]
 * byte* of a compressed block => (token literalLength* literal distance:uint16 matchLength*)*
 *                                the last one ends after its literal
 * (lz4/lz4, lz4_Frame_format.md and lz4_Block_format.md; little-endian)
 *
 * Checksums are skipped: the CRC of the record batch covers all of the frame.
 */
const frameMagic = 0x184d2204;
const skippableMagic = 0x184d2a50;
const versionMask = 0xc0;
const version1 = 0x40;
const blockChecksumFlag = 0x10;
const contentBytesFlag = 0x08;
const contentChecksumFlag = 0x04;
const dictionaryFlag = 0x01;
const storedFlag = 0x8000_0000;
const matchMin = 4;
/** A length byte of a match produces 255 bytes. */
const ratioMax = 255;

export function decompressLz4(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const output = new BoundedOutput(bytesMax, bytes.length * 2);
  for (let at = 0; at < bytes.length;) at = readFrame(bytes, at, output);
  return output.bytes();
}

/** Returns the end of the frame at `start`. */
function readFrame(source: Uint8Array, start: number, output: BoundedOutput): number {
  const magic = uint32(source, start);
  if ((magic & 0xffff_fff0) >>> 0 === skippableMagic)
    return checked(source, start + 8, uint32(source, start + 4));
  if (magic !== frameMagic) throw corrupt(`no frame at ${start}`);
  const flags = byteAt(source, start + 4);
  if ((flags & versionMask) !== version1) throw corrupt(`a frame of version ${flags >>> 6}`);
  if ((flags & dictionaryFlag) !== 0) throw corrupt('a frame that needs a dictionary');
  const sizeClass = (byteAt(source, start + 5) >>> 4) & 7;
  if (sizeClass < 4) throw corrupt(`blocks of size class ${sizeClass}`);
  /** 64 KiB, 256 KiB, 1 MiB or 4 MiB. */
  const blockBytesMax = 2 ** (8 + 2 * sizeClass);
  let at = start + 7 + ((flags & contentBytesFlag) === 0 ? 0 : 8);
  for (;;) {
    const word = uint32(source, at);
    at += 4;
    if (word === 0) break;
    const isStored = word >= storedFlag;
    const length = isStored ? word - storedFlag : word;
    const end = checked(source, at, length);
    if (length > blockBytesMax) throw corrupt(`a block of ${length} bytes, ${blockBytesMax} at most`);
    const plainMax = output.length + blockBytesMax;
    if (isStored) output.literal(source, at, end);
    else readBlock(source, at, end, output);
    if (output.length > plainMax) throw corrupt(`a block that becomes more than ${blockBytesMax} bytes`);
    at = end + ((flags & blockChecksumFlag) === 0 ? 0 : 4);
  }
  return checked(source, at, (flags & contentChecksumFlag) === 0 ? 0 : 4);
}

function readBlock(source: Uint8Array, start: number, end: number, output: BoundedOutput): void {
  let at = start;
  for (;;) {
    if (at >= end) throw corrupt('a block that does not end with a literal');
    const token = source[at++]!;
    let length = token >>> 4;
    if (length === 15) {
      let byte;
      do {
        if (at >= end) throw corrupt('a length that does not end');
        byte = source[at++]!;
        length += byte;
      } while (byte === ratioMax);
    }
    if (length > end - at) throw corrupt(`a literal of ${length} bytes, ${end - at} are left`);
    output.literal(source, at, at + length);
    at += length;
    if (at === end) return;
    if (end - at < 2) throw corrupt('a match without its distance');
    const distance = source[at]! | (source[at + 1]! << 8);
    at += 2;
    length = token & 15;
    if (length === 15) {
      let byte;
      do {
        if (at >= end) throw corrupt('a length that does not end');
        byte = source[at++]!;
        length += byte;
      } while (byte === ratioMax);
    }
    output.match(distance, length + matchMin);
  }
}

function byteAt(source: Uint8Array, at: number): number {
  const byte = source[at];
  if (byte === undefined) throw corrupt('a frame that does not end');
  return byte;
}

function uint32(source: Uint8Array, at: number): number {
  checked(source, at, 4);
  return (source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)) >>> 0;
}

/** The end of `length` bytes at `at`. Throws if they are not all there. */
function checked(source: Uint8Array, at: number, length: number): number {
  if (at + length > source.length) throw corrupt('a frame that does not end');
  return at + length;
}

function corrupt(what: string): WireError {
  return new WireError('bad-compression', `LZ4: ${what}.`);
}
