/** A page of memory: what a disk that is written to past the page cache may ask for. */
const pageBytes = 2 ** 12;
/** A page of WebAssembly memory. */
const unitBytes = 2 ** 16;

const alignedMemory = new WeakSet<ArrayBufferLike>();

/** What the JavaScript engine offers of WebAssembly, as far as it is used here. */
interface WithWebAssembly {
  readonly WebAssembly?: {
    readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  };
}

/**
 * Memory of at least so many bytes that starts at a page, with anything in it. JavaScript promises that of
 * the memory of WebAssembly only; where there is none (or no room for it) the memory may start anywhere.
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

/** Whether the bytes start at a page, for sure. */
export function startsAtPage(bytes: Uint8Array): boolean {
  return bytes.byteOffset % pageBytes === 0 && alignedMemory.has(bytes.buffer);
}
