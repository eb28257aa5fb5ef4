/** Writes a whole number of 0 or more as decimal digits; returns the position after them. */
export function writeDecimal(target: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    target[at] = 48 + value;
    return at + 1;
  }
  // Division beyond 32 bits is slow in the engine, so the low nine digits are split off first.
  if (value >= 1_000_000_000) {
    const high = Math.floor(value / 1_000_000_000);
    const end = writeDecimal(target, at, high);
    return writePadded(target, end, value - high * 1_000_000_000, 9);
  }
  return writePadded(target, at, value, digitsOf(value));
}

function writePadded(target: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    target[i] = 48 + rest - next * 10;
    rest = next;
  }
  return at + digits;
}

function digitsOf(value: number): number {
  if (value < 100_000) return value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5;
  return value < 1_000_000 ? 6 : value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : 9;
}

/** Reads decimal digits from `start` to `end`; -1 if there are none, too many, or other bytes among them. */
export function readDecimal(source: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > 16) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = source[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
