import * as zlib from 'node:zlib';
import { BoundedOutput } from './bounded-output.ts';
import { inflate } from './inflate.ts';
import { DecodingWork } from './decoding-work.ts';
import { ZstdBlocks, blockBytesMax, littleEndian } from './zstd-blocks.ts';
import { corrupt } from './zstd-error.ts';

/*
 * Node has zstd from 22.15 on; this decoder serves earlier versions.
 *
 * frame => magic:uint32 descriptor:byte [window:byte] [dictionary] [contentBytes] block* [checksum:uint32]
 * block => header:uint24 byte*
 *   header: bit 0 marks the last block, bits 1 and 2 are the kind, the rest is the number of bytes
 *   kind: 0 raw, 1 one byte to be repeated, 2 compressed
 * (RFC 8878; little-endian)
 */
type NodeZstd = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const singleSegmentFlag = 0x20;
const reservedFlag = 0x08;
const checksumFlag = 0x04;
/** A smaller frame among others is decoded here, even if Node could do it. */
const nodeFrameBytesMin = 4096;
const contentBytesFieldSizes = [0, 2, 4, 8];
const dictionaryFieldSizes = [0, 1, 2, 4];

const nodeZstd = (zlib as { zstdDecompressSync?: NodeZstd }).zstdDecompressSync;

export function decompressZstd(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (!nodeZstd) return decompressZstdPlain(bytes, bytesMax);
  const first = readFrame(bytes, 0);
  if (first.end === bytes.length) return inflate(nodeZstd, bytes, bytesMax);
  // Node stops after one frame, and each call costs some microseconds.
  const output = new BoundedOutput(bytesMax, bytes.length * 2);
  const work = new DecodingWork(bytes.length);
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at);
    if (frame.kind === 'zstd' && frame.end - at < nodeFrameBytesMin) openFrame(bytes, frame, output, work);
    else if (frame.kind === 'zstd') {
      const plain = inflate(nodeZstd, bytes.subarray(at, frame.end), bytesMax);
      output.literal(plain, 0, plain.length);
    }
    at = frame.end;
  }
  return output.bytes();
}

/** {@link decompressZstd} without Node's zstd. */
export function decompressZstdPlain(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const output = new BoundedOutput(bytesMax, bytes.length * 2);
  const work = new DecodingWork(bytes.length);
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at);
    if (frame.kind === 'zstd') openFrame(bytes, frame, output, work);
    at = frame.end;
  }
  return output.bytes();
}

function openFrame(bytes: Uint8Array, frame: ZstdFrame, output: BoundedOutput, work: DecodingWork): void {
  if (frame.plainMin > output.bytesMax - output.length) output.reserve(frame.plainMin);
  decompressBlocks(bytes, frame.blocksStart, frame.blocksEnd, output, work);
}

function decompressBlocks(
  bytes: Uint8Array,
  start: number,
  end: number,
  output: BoundedOutput,
  work: DecodingWork,
): void {
  const blocks = new ZstdBlocks(output, work);
  for (let at = start; at < end;) {
    const header = littleEndian(bytes, at, 3, end);
    const kind = (header >>> 1) & 3;
    const size = header >>> 3;
    const from = at + 3;
    at = from + (kind === 1 ? 1 : size);
    if (kind === 0) output.literal(bytes, from, at);
    else if (kind === 1) output.repeat(bytes[from]!, size);
    else blocks.decompress(bytes, from, at);
  }
}

interface ZstdFrame {
  readonly kind: 'zstd';
  readonly blocksStart: number;
  readonly blocksEnd: number;
  readonly end: number;
  /** The least bytes that the content has. */
  readonly plainMin: number;
}

type Frame = { readonly kind: 'skippable'; readonly end: number } | ZstdFrame;

function readFrame(source: Uint8Array, start: number): Frame {
  const magic = littleEndian(source, start, 4, source.length);
  if (magic - (magic % 16) === skippableMagic) {
    return {
      kind: 'skippable',
      end: checked(source, start + 8, littleEndian(source, start + 4, 4, source.length)),
    };
  }
  if (magic !== frameMagic) throw corrupt(`no frame at ${start}`);
  const descriptor = littleEndian(source, start + 4, 1, source.length);
  if ((descriptor & reservedFlag) !== 0) throw corrupt('a frame of a later version');
  const isSingleSegment = (descriptor & singleSegmentFlag) !== 0;
  let at = start + 5;
  if (!isSingleSegment) at++; // skip the window: all of the output is available to copy from
  const dictionaryBytes = dictionaryFieldSizes[descriptor & 3]!;
  if (littleEndian(source, at, dictionaryBytes, source.length) !== 0)
    throw corrupt('a frame that needs a dictionary');
  at += dictionaryBytes;
  const contentField = descriptor >>> 6;
  const contentFieldBytes = contentField === 0 && isSingleSegment ? 1 : contentBytesFieldSizes[contentField]!;
  const contentBytes =
    littleEndian(source, at, contentFieldBytes, source.length) + (contentField === 1 ? 256 : 0);
  at += contentFieldBytes;
  const blocksStart = at;
  let plainMin = contentFieldBytes === 0 ? 0 : contentBytes;
  for (let isLast = false; !isLast;) {
    const header = littleEndian(source, at, 3, source.length);
    isLast = (header & 1) !== 0;
    const kind = (header >>> 1) & 3;
    const size = header >>> 3;
    if (kind === 3 || size > blockBytesMax) throw corrupt(`a block of kind ${kind} and ${size} bytes`);
    at = checked(source, at + 3, kind === 1 ? 1 : size);
    if (kind !== 2 && contentFieldBytes === 0) plainMin += size;
  }
  const end = checked(source, at, (descriptor & checksumFlag) === 0 ? 0 : 4);
  return { kind: 'zstd', blocksStart, blocksEnd: at, end, plainMin };
}

/** The end of `length` bytes at `at`. Throws if they are not all there. */
function checked(source: Uint8Array, at: number, length: number): number {
  if (at + length > source.length) throw corrupt('a frame that does not end');
  return at + length;
}
