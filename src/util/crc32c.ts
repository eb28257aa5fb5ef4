import { createRequire } from 'node:module';

/*
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), as used by Kafka's RecordBatch v2.
 *
 * With eight tables the plain loop handles eight bytes per turn. The native library uses the processor's own
 * instruction, but calling it costs more than a short loop. It is faster from `nativeBytesMin` on.
 */
const polynomial = 0x82f63b78;
const tables = makeTables();
/** Measured break-even of the loop and the native call, in bytes. */
const nativeBytesMin = 320;

type NativeCrc32c = (bytes: Uint8Array, initial?: number) => number;
const native = loadNative();

/** CRC-32C of `bytes[start, end)` as an unsigned number; `initial` is the CRC of the bytes before. */
export function crc32c(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  initial: number = 0,
): number {
  if (native !== undefined && end - start >= nativeBytesMin) {
    return native(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), initial);
  }
  return crc32cPlain(bytes, start, end, initial);
}

/** {@link crc32c} without the native library. */
export function crc32cPlain(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
  initial: number = 0,
): number {
  const table = tables;
  let crc = ~initial;
  let at = start;
  for (const stop = end - 7; at < stop; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      table[1792 + (crc & 0xff)]! ^
      table[1536 + ((crc >>> 8) & 0xff)]! ^
      table[1280 + ((crc >>> 16) & 0xff)]! ^
      table[1024 + (crc >>> 24)]! ^
      table[768 + bytes[at + 4]!]! ^
      table[512 + bytes[at + 5]!]! ^
      table[256 + bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Table `k` (at 256 * k) moves a byte past `k` further bytes. */
function makeTables(): Int32Array {
  const table = new Int32Array(256 * 8);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256]!;
    table[at] = table[before & 0xff]! ^ (before >>> 8);
  }
  return table;
}

/**
 * The library is an optional dependency. On a platform without a build of it, or where it gives wrong
 * results, the loop handles all inputs.
 */
function loadNative(): NativeCrc32c | undefined {
  try {
    const library = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: NativeCrc32c };
    const check = Buffer.from('123456789');
    return library.crc32c(check) === 0xe3069283 &&
      library.crc32c(check.subarray(4), library.crc32c(check.subarray(0, 4))) === 0xe3069283
      ? library.crc32c
      : undefined;
  } catch {
    return undefined;
  }
}
