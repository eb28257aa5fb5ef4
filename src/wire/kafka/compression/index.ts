import { gunzipSync } from 'node:zlib';
import { WireError } from '../errors.ts';
import { inflate } from './inflate.ts';
import { decompressLz4 } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';
import { decompressZstd } from './zstd.ts';

/** Codecs by number: the three lowest bits of a record batch's attributes. */
export const Compression = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

type Decompress = (bytes: Uint8Array, bytesMax: number) => Uint8Array;

const decompressors: { readonly [codec: number]: Decompress } = {
  [Compression.gzip]: (bytes, bytesMax) => inflate(gunzipSync, bytes, bytesMax),
  [Compression.snappy]: decompressSnappy,
  [Compression.lz4]: decompressLz4,
  [Compression.zstd]: decompressZstd,
};

/**
 * Decompresses the records section of a batch. Memory grows with the output, up to `bytesMax`; beyond that it
 * throws a WireError `decompressed-size`. Malformed input is a WireError `bad-compression`.
 */
export function decompress(codec: number, bytes: Uint8Array, bytesMax: number): Uint8Array {
  const decompressor = decompressors[codec];
  if (!decompressor)
    throw new WireError('unsupported-compression', `Compression codec ${codec} is not known.`);
  try {
    return decompressor(bytes, bytesMax);
  } catch (cause) {
    if (cause instanceof WireError) throw cause;
    throw new WireError('bad-compression', `Compressed bytes cannot be opened: ${String(cause)}`, { cause });
  }
}
