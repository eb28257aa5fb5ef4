import type { BackwardBits } from './backward-bits.ts';
import { corrupt } from './zstd-error.ts';

const symbolsMax = 256;

/**
 * An FSE table gives, for each state of a decoder, its symbol and the next state: `base` plus the value of
 * the next bits (RFC 8878, 4.1).
 */
export class FseTable {
  /** Bits of the initial state. */
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly base: Uint16Array;

  /** `shares` of the symbols add up to 2^log; -1 stands for a share of less than one. */
  constructor(log: number, shares: readonly number[]) {
    const states = 1 << log;
    this.log = log;
    this.symbols = new Uint8Array(states);
    this.bits = new Uint8Array(states);
    this.base = new Uint16Array(states);
    const next = shares.map((share) => Math.abs(share));
    let high = states;
    for (const [symbol, share] of shares.entries()) if (share === -1) this.symbols[--high] = symbol;
    const step = (states >> 1) + (states >> 3) + 3;
    let at = 0;
    for (const [symbol, share] of shares.entries()) {
      for (let i = 0; i < share; i++) {
        this.symbols[at] = symbol;
        do at = (at + step) & (states - 1);
        while (at >= high);
      }
    }
    for (let state = 0; state < states; state++) {
      const number = next[this.symbols[state]!]!++;
      const bits = log - (31 - Math.clz32(number));
      this.bits[state] = bits;
      this.base[state] = (number << bits) - states;
    }
  }

  /** A table with one symbol, which takes no bits. */
  static of(symbol: number): FseTable {
    const table = new FseTable(0, [1]);
    table.symbols[0] = symbol;
    return table;
  }

  next(state: number, bits: BackwardBits): number {
    const count = this.bits[state]!;
    return count === 0 ? this.base[state]! : this.base[state]! + bits.read(count);
  }
}

/** Reads the description of a table, which starts and ends at byte boundaries. */
export function readFseTable(
  bytes: Uint8Array,
  start: number,
  end: number,
  logMax: number,
): { readonly table: FseTable; readonly end: number } {
  let position = start * 8;
  const read = (count: number): number => {
    const at = position >>> 3;
    if (position + count > end * 8) throw corrupt('a table that does not end');
    const three = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const value = (three >>> (position & 7)) & ((1 << count) - 1);
    position += count;
    return value;
  };
  const log = read(4) + 5;
  if (log > logMax) throw corrupt(`a table of 2^${log} states`);
  const shares: number[] = [];
  let rest = 1 << log;
  while (rest > 0 && shares.length < symbolsMax) {
    // A share lies between -1 and `rest`; small shares take one bit less.
    const bits = 32 - Math.clz32(rest + 1);
    const small = (1 << (bits - 1)) - 1;
    const smallMax = 2 * small + 1 - (rest + 1);
    let value = read(bits - 1);
    if (value >= smallMax && read(1) === 1) value += small + 1 - smallMax;
    const share = value - 1;
    rest -= Math.abs(share);
    shares.push(share);
    if (share !== 0) continue;
    for (let more = 3; more === 3;) {
      more = read(2);
      for (let i = 0; i < more; i++) shares.push(0);
    }
  }
  if (rest !== 0 || shares.length > symbolsMax) throw corrupt('shares that do not add up');
  return { table: new FseTable(log, shares), end: (position + 7) >>> 3 };
}
