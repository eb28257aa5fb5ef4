import { WireError } from '../errors.ts';

/** Runs one of zlib's functions. Throws a WireError if the output is too large; other errors pass through. */
export function inflate(
  run: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array,
  bytes: Uint8Array,
  bytesMax: number,
): Uint8Array {
  try {
    return run(bytes, { maxOutputLength: Math.max(1, bytesMax) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw cause;
    throw new WireError('decompressed-size', `Compressed bytes become more than ${bytesMax} bytes.`, {
      cause,
    });
  }
}
