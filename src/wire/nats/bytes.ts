/** Shorter copies go byte by byte: a native call costs some 60 ns before it moves the first byte. */
const nativeCopyMin = 40;

/** Copies a range; returns the position after it in the target. */
export function copyBytes(
  target: Uint8Array,
  position: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  if (end - start < nativeCopyMin) {
    for (let at = start; at < end; at++) target[position++] = source[at]!;
    return position;
  }
  // A plain view costs less than the Buffer that `subarray` of a Buffer creates.
  target.set(new Uint8Array(source.buffer, source.byteOffset + start, end - start), position);
  return position + end - start;
}

/** Decimal digits of a whole number ≥ 0. */
export function decimalSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) size++;
  return size;
}

/** Writes a whole number ≥ 0 in decimal; returns the position after it. */
export function writeDecimal(target: Uint8Array, position: number, value: number): number {
  const end = position + decimalSize(value);
  let rest = value;
  for (let at = end - 1; at >= position; at--) {
    const above = Math.floor(rest / 10);
    target[at] = 48 + rest - above * 10;
    rest = above;
  }
  return end;
}

/** Writes text of single-byte characters (latin1, ASCII); returns the position after it. */
export function writeLatin1(target: Uint8Array, position: number, text: string): number {
  for (let i = 0; i < text.length; i++) target[position++] = text.charCodeAt(i);
  return position;
}
