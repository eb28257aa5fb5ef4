import { BackwardBits } from './backward-bits.ts';
import { readFseTable } from './fse.ts';
import { corrupt } from './zstd-error.ts';

const codeBitsMax = 11;
const weightsMax = 255;
const weightLogMax = 6;

/**
 * A Huffman table gives, for the next bits of a stream, their symbol and the length of its code (RFC 8878,
 * 4.2).
 */
export class HuffmanTable {
  readonly #bitsMax: number;
  readonly #symbols: Uint8Array;
  readonly #bits: Uint8Array;

  /** `weights` has all symbols but the last, whose weight is the rest. */
  constructor(weights: readonly number[]) {
    let sum = 0;
    for (const weight of weights) {
      if (weight > codeBitsMax) throw corrupt(`a weight of ${weight}`);
      if (weight > 0) sum += 1 << (weight - 1);
    }
    const bitsMax = 32 - Math.clz32(sum);
    const rest = (1 << bitsMax) - sum;
    if (sum === 0 || bitsMax > codeBitsMax || (rest & (rest - 1)) !== 0)
      throw corrupt('weights that do not add up');
    const codeBits = [...weights, 32 - Math.clz32(rest)].map((weight) =>
      weight === 0 ? 0 : bitsMax + 1 - weight,
    );
    this.#bitsMax = bitsMax;
    this.#symbols = new Uint8Array(1 << bitsMax);
    this.#bits = new Uint8Array(1 << bitsMax);
    // Long codes come first, and codes of one length are ordered by symbol. First find where each length
    // starts, then put each symbol in its place.
    const starts = new Uint16Array(bitsMax + 1);
    for (const bits of codeBits) if (bits > 0) starts[bits - 1]! += 1 << (bitsMax - bits);
    for (let bits = bitsMax - 1; bits >= 0; bits--) starts[bits]! += starts[bits + 1]!;
    for (let symbol = 0; symbol < codeBits.length; symbol++) {
      const bits = codeBits[symbol]!;
      if (bits === 0) continue;
      const at = starts[bits]!;
      const end = at + (1 << (bitsMax - bits));
      this.#symbols.fill(symbol, at, end);
      this.#bits.fill(bits, at, end);
      starts[bits] = end;
    }
  }

  /** Fills `output[from, to)` with the symbols of a stream, which must contain exactly that many. */
  decode(bytes: Uint8Array, start: number, end: number, output: Uint8Array, from: number, to: number): void {
    const bitsMax = this.#bitsMax;
    const mask = (1 << bitsMax) - 1;
    const symbols = this.#symbols;
    const taken = this.#bits;
    let { left } = new BackwardBits(bytes, start, end);
    let at = from;
    // No call per literal: three bytes hold the longest code at any bit position.
    for (; at < to && left >= bitsMax; at++) {
      const bit = left - bitsMax;
      const byte = start + (bit >>> 3);
      const three = bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16);
      const place = (three >>> (bit & 7)) & mask;
      output[at] = symbols[place]!;
      left -= taken[place]!;
    }
    for (; at < to && left > 0; at++) {
      const two = bytes[start]! | (bytes[start + 1]! << 8);
      const place = ((two & ((1 << left) - 1)) << (bitsMax - left)) & mask;
      output[at] = symbols[place]!;
      left -= taken[place]!;
    }
    if (at < to || left !== 0) throw corrupt('literals of another length');
  }
}

/** The most steps that making a table costs: its places, and the symbols of its weights. */
export const huffmanSteps: number = (1 << codeBitsMax) + 256;

/** Reads the description of a table: weights in half bytes, or an FSE stream of them. */
export function readHuffmanTable(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly table: HuffmanTable; readonly end: number } {
  const head = start < end ? bytes[start]! : 0;
  const isPlain = head > 127;
  const tableEnd = start + 1 + (isPlain ? (head - 126) >> 1 : head);
  if (tableEnd > end) throw corrupt('a table that does not end');
  const weights = isPlain
    ? Array.from({ length: head - 127 }, (_, at) => {
        const two = bytes[start + 1 + (at >> 1)]!;
        return at % 2 === 0 ? two >> 4 : two & 15;
      })
    : readWeights(bytes, start + 1, tableEnd);
  return { table: new HuffmanTable(weights), end: tableEnd };
}

/** Two decoders take turns until the bits are used up. */
function readWeights(bytes: Uint8Array, start: number, end: number): number[] {
  const { table, end: tableEnd } = readFseTable(bytes, start, end, weightLogMax);
  const bits = new BackwardBits(bytes, tableEnd, end);
  const weights: number[] = [];
  let state = bits.read(table.log);
  let other = bits.read(table.log);
  // A table with one symbol takes no bits: its stream would not end.
  while (bits.left >= 0 && weights.length < weightsMax) {
    weights.push(table.symbols[state]!);
    [state, other] = [other, table.next(state, bits)];
  }
  weights.push(table.symbols[state]!);
  if (bits.left >= 0 || weights.length > weightsMax) throw corrupt('too many weights');
  return weights;
}
