import { BackwardBits } from './backward-bits.ts';
import { readFseTable } from './fse.ts';
import { corrupt } from './zstd-error.ts';

const codeBitsMax = 11;
const weightsMax = 255;
const weightLogMax = 6;

/** A Huffman table says which symbol the next bits of a stream begin with, and how many of them it takes (RFC 8878, 4.2). */
export class HuffmanTable {
  readonly #bitsMax: number;
  readonly #symbols: Uint8Array;
  readonly #bits: Uint8Array;

  /** `weights` of all symbols but the last, whose weight makes up the rest. */
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
    let at = 0;
    for (let bits = bitsMax; bits > 0; bits--) {
      const places = 1 << (bitsMax - bits);
      for (const [symbol, own] of codeBits.entries()) {
        if (own !== bits) continue;
        this.#symbols.fill(symbol, at, at + places);
        this.#bits.fill(bits, at, at + places);
        at += places;
      }
    }
  }

  /** Fills `output[from, to)` with the symbols of a stream, which must have just as many. */
  decode(bytes: Uint8Array, start: number, end: number, output: Uint8Array, from: number, to: number): void {
    const bits = new BackwardBits(bytes, start, end);
    const bitsMax = this.#bitsMax;
    const mask = (1 << bitsMax) - 1;
    let state = bits.read(bitsMax);
    for (let at = from; at < to; at++) {
      output[at] = this.#symbols[state]!;
      const taken = this.#bits[state]!;
      state = ((state << taken) | bits.read(taken)) & mask;
    }
    if (bits.left !== -bitsMax) throw corrupt('literals of another length');
  }
}

/** Reads a table's description: weights in half bytes, or an FSE stream of them. */
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

/** Two decoders in turn, until the bits are used up. */
function readWeights(bytes: Uint8Array, start: number, end: number): number[] {
  const { table, end: tableEnd } = readFseTable(bytes, start, end, weightLogMax);
  const bits = new BackwardBits(bytes, tableEnd, end);
  const weights: number[] = [];
  let state = bits.read(table.log);
  let other = bits.read(table.log);
  // A table of one symbol takes no bits: such a stream would not end.
  while (bits.left >= 0 && weights.length < weightsMax) {
    weights.push(table.symbols[state]!);
    [state, other] = [other, table.next(state, bits)];
  }
  weights.push(table.symbols[state]!);
  if (bits.left >= 0 || weights.length > weightsMax) throw corrupt('too many weights');
  return weights;
}
