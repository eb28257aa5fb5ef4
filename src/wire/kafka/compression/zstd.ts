import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';
import { WireError } from '../errors.ts';
import { BoundedOutput } from './bounded-output.ts';
import { inflate } from './inflate.ts';

/*
 * Node has zstd from 22.15 on. Before, the library fzstd does it, and is given frames with a header of ours: it makes room for whatever window
 * a frame asks for, up to 2 GiB.
 *
 * frame => magic:uint32 descriptor:byte [window:byte] [dictionary] [contentBytes] block* [checksum:uint32]
 * block => header:uint24 byte*          bit 0 of the header: the last one; bits 1 and 2 the kind; the rest: bytes
 *   kind 0 raw, 1 one byte that is repeated so many times, 2 compressed
 * (RFC 8878; little-endian)
 */
type NodeZstd = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

interface Fzstd {
  readonly Decompress: new (ondata: (bytes: Uint8Array) => void) => {
    push(bytes: Uint8Array, final: boolean): void;
  };
}

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const singleSegmentFlag = 0x20;
const reservedFlag = 0x08;
const checksumFlag = 0x04;
const contentBytesFieldSizes = [0, 2, 4, 8];
const dictionaryFieldSizes = [0, 1, 2, 4];
/** No block becomes larger. */
const blockBytesMax = 128 * 1024;
const windowLogMin = 10;

const nodeZstd = (zlib as { zstdDecompressSync?: NodeZstd }).zstdDecompressSync;
let fzstd: Fzstd | undefined;

export function decompressZstd(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (!nodeZstd) return decompressZstdPlain(bytes, bytesMax);
  const first = readFrame(bytes, 0);
  if (first.end === bytes.length) return inflate(nodeZstd, bytes, bytesMax);
  // Node stops after one frame.
  const output = new BoundedOutput(bytesMax, bytes.length * 2);
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at);
    if (frame.kind === 'zstd') {
      const plain = inflate(nodeZstd, bytes.subarray(at, frame.end), bytesMax);
      output.literal(plain, 0, plain.length);
    }
    at = frame.end;
  }
  return output.bytes();
}

/** The same by the library, whatever Node can do. */
export function decompressZstdPlain(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const { Decompress } = (fzstd ??= loadFzstd());
  const output = new BoundedOutput(bytesMax, bytes.length * 2);
  for (let at = 0; at < bytes.length;) {
    const frame = readFrame(bytes, at);
    if (frame.kind === 'zstd') {
      if (frame.plainMin > bytesMax - output.length) output.reserve(frame.plainMin);
      const decompressor = new Decompress((part) => output.literal(part, 0, part.length));
      decompressor.push(rewritten(bytes, frame), true);
    }
    at = frame.end;
  }
  return output.bytes();
}

function loadFzstd(): Fzstd {
  try {
    return createRequire(import.meta.url)('fzstd') as Fzstd;
  } catch (cause) {
    throw new WireError('unsupported-compression', 'zstd needs Node 22.15 or later, or the package fzstd.', {
      cause,
    });
  }
}

type Frame =
  | { readonly kind: 'skippable'; readonly end: number }
  | {
      readonly kind: 'zstd';
      readonly blocksStart: number;
      readonly blocksEnd: number;
      readonly end: number;
      readonly windowBytes: number;
      /** Its content has at least and at most so many bytes. */
      readonly plainMin: number;
      readonly plainMax: number;
    };

function readFrame(source: Uint8Array, start: number): Frame {
  const magic = littleEndian(source, start, 4);
  if (magic - (magic % 16) === skippableMagic) {
    return { kind: 'skippable', end: checked(source, start + 8, littleEndian(source, start + 4, 4)) };
  }
  if (magic !== frameMagic) throw corrupt(`no frame at ${start}`);
  const descriptor = littleEndian(source, start + 4, 1);
  if ((descriptor & reservedFlag) !== 0) throw corrupt('a frame of a later version');
  const isSingleSegment = (descriptor & singleSegmentFlag) !== 0;
  let at = start + 5;
  let windowBytes = 0;
  if (!isSingleSegment) {
    const window = littleEndian(source, at++, 1);
    windowBytes = 2 ** (windowLogMin + (window >>> 3)) * (1 + (window & 7) / 8);
  }
  const dictionaryBytes = dictionaryFieldSizes[descriptor & 3]!;
  if (littleEndian(source, at, dictionaryBytes) !== 0) throw corrupt('a frame that needs a dictionary');
  at += dictionaryBytes;
  const contentField = descriptor >>> 6;
  const contentFieldBytes = contentField === 0 && isSingleSegment ? 1 : contentBytesFieldSizes[contentField]!;
  const contentBytes = littleEndian(source, at, contentFieldBytes) + (contentField === 1 ? 256 : 0);
  at += contentFieldBytes;
  const blocksStart = at;
  let plainMin = contentFieldBytes === 0 ? 0 : contentBytes;
  let plainMax = 0;
  for (let isLast = false; !isLast;) {
    const header = littleEndian(source, at, 3);
    isLast = (header & 1) !== 0;
    const kind = (header >>> 1) & 3;
    const size = header >>> 3;
    if (kind === 3 || size > blockBytesMax) throw corrupt(`a block of kind ${kind} and ${size} bytes`);
    at = checked(source, at + 3, kind === 1 ? 1 : size);
    plainMax += kind === 2 ? blockBytesMax : size;
    if (kind !== 2 && contentFieldBytes === 0) plainMin += size;
  }
  const end = checked(source, at, (descriptor & checksumFlag) === 0 ? 0 : 4);
  if (isSingleSegment) windowBytes = contentBytes;
  return { kind: 'zstd', blocksStart, blocksEnd: at, end, windowBytes, plainMin, plainMax };
}

/** The frame with a header that says no more than is needed: a window no larger than the content can become, and no checksum. */
function rewritten(source: Uint8Array, frame: Frame & { readonly kind: 'zstd' }): Uint8Array {
  const needed = Math.min(frame.windowBytes, frame.plainMax);
  const windowLog = Math.max(windowLogMin, Math.ceil(Math.log2(Math.max(1, needed))));
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - windowLogMin) << 3];
  const bytes = new Uint8Array(header.length + frame.blocksEnd - frame.blocksStart);
  bytes.set(header);
  bytes.set(source.subarray(frame.blocksStart, frame.blocksEnd), header.length);
  return bytes;
}

function littleEndian(source: Uint8Array, at: number, bytes: number): number {
  checked(source, at, bytes);
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + source[at + i]!;
  return value;
}

/** The end of `length` bytes that must be there. */
function checked(source: Uint8Array, at: number, length: number): number {
  if (at + length > source.length) throw corrupt('a frame that does not end');
  return at + length;
}

function corrupt(what: string): WireError {
  return new WireError('bad-compression', `zstd: ${what}.`);
}
