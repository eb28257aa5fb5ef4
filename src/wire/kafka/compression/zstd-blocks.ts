import { BackwardBits } from './backward-bits.ts';
import type { BoundedOutput } from './bounded-output.ts';
import { FseTable, readFseTable } from './fse.ts';
import { huffmanSteps, readHuffmanTable, type HuffmanTable } from './huffman.ts';
import type { DecodingWork } from './decoding-work.ts';
import { corrupt } from './zstd-error.ts';

/** The maximum size of a block. */
export const blockBytesMax: number = 128 * 1024;

/** The values of codes: a base number, and the bits that are added to it. */
interface Codes {
  readonly base: Int32Array;
  readonly bits: Uint8Array;
}

// Each base starts where the range before it ends (RFC 8878, 3.1.1.3.2.1.1).
const literalLengths = codesFrom(0, 16, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const matchLengths = codesFrom(3, 32, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const offsetCodeMax = 31;

/** First `plainCodes` codes for one number each, starting at `first`, then codes with further bits. */
function codesFrom(first: number, plainCodes: number, furtherBits: readonly number[]): Codes {
  const bits = [...Array.from({ length: plainCodes }, () => 0), ...furtherBits];
  let next = first;
  const base = bits.map((count) => {
    const own = next;
    next += 2 ** count;
    return own;
  });
  return { base: Int32Array.from(base), bits: Uint8Array.from(bits) };
}

/** The steps of a sequence, besides the bits it takes and the bytes it produces. */
const sequenceSteps = 16;

/** The kinds of tables that sequences are coded with. */
type Kind = 'literals' | 'offsets' | 'matches';

const logMax: { readonly [K in Kind]: number } = { literals: 9, offsets: 8, matches: 9 };

/** RFC 8878, 3.1.1.3.2.2. */
const usual: { readonly [K in Kind]: FseTable } = {
  literals: new FseTable(
    6,
    [
      4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1,
      -1, -1,
    ],
  ),
  offsets: new FseTable(
    5,
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
  ),
  matches: new FseTable(
    6,
    [
      1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
      1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
    ],
  ),
};

/**
 * Zstd blocks are the compressed blocks of one frame, in their order: each may use tables and offsets of
 * earlier ones. Their content goes to an output. A block takes no more steps than the bytes it has and may
 * produce, except for its tables and sequences: see {@link DecodingWork}.
 *
 * ```
 * block     => literals sequences
 * literals  => head [huffman table] byte*     plain bytes, one repeated byte, or one or four Huffman streams
 * sequences => count modes table* bits*       each: a number of literals, then a copy of earlier bytes
 * ```
 */
export class ZstdBlocks {
  readonly #output: BoundedOutput;
  readonly #work: DecodingWork;
  /** Start of the frame: no earlier byte can be copied. */
  readonly #outputStart: number;
  #huffman: HuffmanTable | undefined = undefined;
  readonly #tables: { [K in Kind]?: FseTable } = {};
  /** The last offsets, the latest first. */
  readonly #offsets: [number, number, number] = [1, 4, 8];
  #literals: Uint8Array = new Uint8Array(0);

  constructor(output: BoundedOutput, work: DecodingWork) {
    this.#output = output;
    this.#work = work;
    this.#outputStart = output.length;
  }

  decompress(bytes: Uint8Array, start: number, end: number): void {
    const limit = this.#output.length + blockBytesMax;
    this.#sequences(bytes, this.#readLiterals(bytes, start, end), end, limit);
  }

  // ---- literals

  /** Returns the end of the literals. */
  #readLiterals(bytes: Uint8Array, start: number, end: number): number {
    const first = byteAt(bytes, start, end);
    const kind = first & 3;
    const sizeFormat = (first >> 2) & 3;
    if (kind > 1) return this.#readCompressedLiterals(bytes, start, end, kind === 3);
    const headBytes = sizeFormat === 3 ? 3 : sizeFormat === 1 ? 2 : 1;
    const head = littleEndian(bytes, start, headBytes, end);
    const length = head >>> (headBytes === 1 ? 3 : 4);
    checkLiterals(length);
    const at = start + headBytes;
    const after = at + (kind === 0 ? length : 1);
    if (after > end) throw corrupt('literals that do not end');
    this.#literals = kind === 0 ? bytes.subarray(at, after) : new Uint8Array(length).fill(bytes[at]!);
    return after;
  }

  #readCompressedLiterals(bytes: Uint8Array, start: number, end: number, isTreeless: boolean): number {
    const sizeFormat = (bytes[start]! >> 2) & 3;
    const sizeBits = [10, 10, 14, 18][sizeFormat]!;
    const headBytes = sizeFormat < 2 ? 3 : sizeFormat + 2;
    const head = Math.floor(littleEndian(bytes, start, headBytes, end) / 16);
    const length = head % 2 ** sizeBits;
    const after = start + headBytes + Math.floor(head / 2 ** sizeBits);
    checkLiterals(length);
    if (after > end) throw corrupt('literals that do not end');
    let at = start + headBytes;
    if (!isTreeless) {
      this.#work.charge(huffmanSteps, this.#output.length + length);
      ({ table: this.#huffman, end: at } = readHuffmanTable(bytes, at, after));
    }
    const table = this.#huffman;
    if (!table) throw corrupt('literals without a table');
    this.#literals = new Uint8Array(length);
    if (sizeFormat === 0) table.decode(bytes, at, after, this.#literals, 0, length);
    else this.#decodeFour(table, bytes, at, after);
    return after;
  }

  /**
   * Decodes four streams, each but the last with a fourth of the literals, rounded up. Their sizes come
   * first.
   */
  #decodeFour(table: HuffmanTable, bytes: Uint8Array, start: number, end: number): void {
    const { length } = this.#literals;
    const share = (length + 3) >> 2;
    if (share * 3 > length) throw corrupt('too few literals for four streams');
    let at = start + 6;
    for (let stream = 0; stream < 4; stream++) {
      const after = stream === 3 ? end : at + littleEndian(bytes, start + stream * 2, 2, end);
      if (after > end) throw corrupt('literals that do not end');
      table.decode(
        bytes,
        at,
        after,
        this.#literals,
        stream * share,
        stream === 3 ? length : (stream + 1) * share,
      );
      at = after;
    }
  }

  // ---- sequences

  #sequences(bytes: Uint8Array, start: number, end: number, limit: number): void {
    const output = this.#output;
    const literals = this.#literals;
    let taken = 0;
    const { count, at } = sequenceCount(bytes, start, end);
    if (count > 0) {
      const modes = byteAt(bytes, at, end);
      if ((modes & 3) !== 0) throw corrupt('modes of a later version');
      const first = this.#readTable('literals', modes >> 6, bytes, at + 1, end);
      const second = this.#readTable('offsets', (modes >> 4) & 3, bytes, first.end, end);
      const third = this.#readTable('matches', (modes >> 2) & 3, bytes, second.end, end);
      const bits = new BackwardBits(bytes, third.end, end);
      let literalState = bits.read(first.table.log);
      let offsetState = bits.read(second.table.log);
      let matchState = bits.read(third.table.log);
      for (let left = count; left > 0; left--) {
        const offsetCode = second.table.symbols[offsetState]!;
        if (offsetCode > offsetCodeMax) throw corrupt(`an offset of 2^${offsetCode}`);
        const offsetValue = offsetCode === 0 ? 1 : 2 ** offsetCode + bits.read(offsetCode);
        const matchLength = valueOf(matchLengths, third.table.symbols[matchState]!, bits);
        const literalLength = valueOf(literalLengths, first.table.symbols[literalState]!, bits);
        if (bits.left < 0) throw corrupt('sequences that do not end');
        if (left > 1) {
          literalState = first.table.next(literalState, bits);
          matchState = third.table.next(matchState, bits);
          offsetState = second.table.next(offsetState, bits);
        }
        if (taken + literalLength > literals.length) throw corrupt('more literals than there are');
        if (output.length + literalLength + matchLength > limit)
          throw corrupt('a block that becomes too large');
        output.literal(literals, taken, taken + literalLength);
        taken += literalLength;
        const distance = this.#offset(offsetValue, literalLength);
        if (distance > output.length - this.#outputStart) throw corrupt('a match from before the frame');
        output.match(distance, matchLength);
      }
      if (bits.left !== 0) throw corrupt('sequences of another length');
      this.#work.charge(count * sequenceSteps, output.length);
    }
    if (output.length + literals.length - taken > limit) throw corrupt('a block that becomes too large');
    output.literal(literals, taken, literals.length);
  }

  #readTable(
    kind: Kind,
    mode: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): { readonly table: FseTable; readonly end: number } {
    const read = this.#tableOf(kind, mode, bytes, start, end);
    this.#tables[kind] = read.table;
    return read;
  }

  #tableOf(
    kind: Kind,
    mode: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): { readonly table: FseTable; readonly end: number } {
    if (mode === 0) return { table: usual[kind], end: start };
    if (mode === 1) return { table: FseTable.of(byteAt(bytes, start, end)), end: start + 1 };
    if (mode === 2) {
      this.#work.charge(1 << logMax[kind], this.#output.length);
      return readFseTable(bytes, start, end, logMax[kind]);
    }
    const table = this.#tables[kind];
    if (!table) throw corrupt('a table that was not there before');
    return { table, end: start };
  }

  /** Resolves an offset: the most recent ones have numbers of their own (RFC 8878, 3.1.1.5). */
  #offset(value: number, literalLength: number): number {
    const offsets = this.#offsets;
    const index = value - 1 + (literalLength === 0 ? 1 : 0);
    const isRepeated = value <= 3;
    const offset = !isRepeated ? value - 3 : index === 3 ? offsets[0] - 1 : offsets[index]!;
    if (offset <= 0) throw corrupt('an offset of nothing');
    if (isRepeated && index === 0) return offset;
    if (!isRepeated || index > 1) offsets[2] = offsets[1];
    offsets[1] = offsets[0];
    offsets[0] = offset;
    return offset;
  }
}

/** The number of sequences, and the position after it. */
function sequenceCount(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly count: number; readonly at: number } {
  const first = byteAt(bytes, start, end);
  if (first < 128) return { count: first, at: start + 1 };
  if (first < 255) return { count: ((first - 128) << 8) + byteAt(bytes, start + 1, end), at: start + 2 };
  return { count: littleEndian(bytes, start + 1, 2, end) + 0x7f00, at: start + 3 };
}

function valueOf({ base, bits: counts }: Codes, code: number, bits: BackwardBits): number {
  if (code >= base.length) throw corrupt(`a length of code ${code}`);
  const count = counts[code]!;
  return count === 0 ? base[code]! : base[code]! + bits.read(count);
}

function checkLiterals(length: number): void {
  if (length > blockBytesMax) throw corrupt(`${length} literals in a block`);
}

function byteAt(bytes: Uint8Array, at: number, end: number): number {
  return littleEndian(bytes, at, 1, end);
}

/** Reads a number of up to six bytes, which must lie before `end`. */
export function littleEndian(bytes: Uint8Array, at: number, count: number, end: number): number {
  if (at + count > end) throw corrupt('a frame that does not end');
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
