/** A page of memory: the alignment that a disk may require for writes past the page cache. */
const pageBytes = 2 ** 12;
/** A page of WebAssembly memory. */
const unitBytes = 2 ** 16;

const alignedMemory = new WeakSet<ArrayBufferLike>();

/** The part of the engine's WebAssembly API that is used here. */
interface WithWebAssembly {
  readonly WebAssembly?: {
    readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  };
}

/**
 * At least `bytes` bytes of memory that starts at a page. The content is arbitrary. Of all memory in
 * JavaScript, only WebAssembly memory has a guaranteed alignment. Without WebAssembly, or without room for
 * it, the memory may start anywhere.
 */
export function allocAligned(bytes: number): Buffer {
  const { WebAssembly } = globalThis as WithWebAssembly;
  const units = Math.ceil(bytes / unitBytes);
  try {
    const { buffer } = new WebAssembly!.Memory({ initial: units, maximum: units });
    alignedMemory.add(buffer);
    return Buffer.from(buffer);
  } catch {
    return Buffer.allocUnsafeSlow(bytes);
  }
}

/** Whether the bytes are known to start at a page. */
export function startsAtPage(bytes: Uint8Array): boolean {
  return bytes.byteOffset % pageBytes === 0 && alignedMemory.has(bytes.buffer);
}
