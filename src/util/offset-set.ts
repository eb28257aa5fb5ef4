import type { ByteReader, ByteWriter } from './bytes.ts';

const chunkBits = 2 ** 15;
const chunkWords = chunkBits / 32;

/** 2^15 neighbouring offsets, one bit each. A full chunk has no bits. */
interface Chunk {
  /** Offset of the first bit, divided by 2^15. */
  readonly key: number;
  /** Undefined: the chunk is full. */
  words: Uint32Array | undefined;
  count: number;
}

/**
 * An offset set holds offsets of a partition: deleted records, acked messages.
 *
 * It is a sorted list of chunks of 2^15 bits. An absent chunk is empty; a full one has no bits. A dense set
 * costs an eighth of a byte per offset. Calls at its growing end, or near the previous call, need no search.
 */
export class OffsetSet {
  #chunks: Chunk[] = [];
  #size = 0;
  /** Index of the chunk used last. */
  #recent = 0;

  get size(): number {
    return this.#size;
  }

  /** Index of the first chunk whose key is `key` or more. */
  #lowerBound(key: number): number {
    const chunks = this.#chunks;
    const recent = chunks[this.#recent];
    if (recent !== undefined && recent.key === key) return this.#recent;
    const last = chunks.length - 1;
    if (last < 0 || chunks[last]!.key < key) return last + 1;
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (chunks[middle]!.key < key) low = middle + 1;
      else high = middle;
    }
    this.#recent = low;
    return low;
  }

  #find(key: number): Chunk | undefined {
    const chunk = this.#chunks[this.#lowerBound(key)];
    return chunk !== undefined && chunk.key === key ? chunk : undefined;
  }

  #findOrAdd(key: number): Chunk {
    const index = this.#lowerBound(key);
    const found = this.#chunks[index];
    if (found !== undefined && found.key === key) return found;
    const chunk: Chunk = { key, words: new Uint32Array(chunkWords), count: 0 };
    if (index === this.#chunks.length) this.#chunks.push(chunk);
    else this.#chunks.splice(index, 0, chunk);
    this.#recent = index;
    return chunk;
  }

  has(offset: number): boolean {
    const chunk = this.#find(keyOf(offset));
    if (chunk === undefined) return false;
    const bit = bitOf(offset, chunk.key);
    return chunk.words === undefined || (chunk.words[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  /** Returns false if the offset was in the set already. */
  add(offset: number): boolean {
    const chunk = this.#findOrAdd(keyOf(offset));
    if (chunk.words === undefined) return false;
    const bit = bitOf(offset, chunk.key);
    const mask = 1 << (bit & 31);
    if ((chunk.words[bit >>> 5]! & mask) !== 0) return false;
    chunk.words[bit >>> 5]! |= mask;
    this.#size++;
    if (++chunk.count === chunkBits) chunk.words = undefined;
    return true;
  }

  /** Returns false if the offset was not in the set. */
  delete(offset: number): boolean {
    const index = this.#lowerBound(keyOf(offset));
    const chunk = this.#chunks[index];
    if (chunk === undefined || chunk.key !== keyOf(offset)) return false;
    const bit = bitOf(offset, chunk.key);
    const mask = 1 << (bit & 31);
    const words = (chunk.words ??= new Uint32Array(chunkWords).fill(0xffff_ffff));
    if ((words[bit >>> 5]! & mask) === 0) return false;
    words[bit >>> 5]! &= ~mask;
    this.#size--;
    if (--chunk.count === 0) this.#chunks.splice(index, 1);
    return true;
  }

  /** Adds `[from, to)`. */
  addRange(from: number, to: number): void {
    for (let at = from; at < to;) {
      const key = keyOf(at);
      const start = bitOf(at, key);
      const end = Math.min(chunkBits, start + (to - at));
      const chunk = this.#findOrAdd(key);
      if (chunk.words !== undefined) {
        const before = chunk.count;
        if (end - start === chunkBits) chunk.count = chunkBits;
        else chunk.count += setBits(chunk.words, start, end);
        if (chunk.count === chunkBits) chunk.words = undefined;
        this.#size += chunk.count - before;
      }
      at += end - start;
    }
  }

  /** Removes everything below `offset`. */
  deleteBelow(offset: number): void {
    const key = keyOf(offset);
    const chunks = this.#chunks;
    let whole = 0;
    for (; whole < chunks.length && chunks[whole]!.key < key; whole++) this.#size -= chunks[whole]!.count;
    if (whole > 0) {
      chunks.splice(0, whole);
      this.#recent = 0;
    }
    const first = chunks[0];
    if (first === undefined || first.key !== key) return;
    const end = bitOf(offset, key);
    if (end === 0) return;
    first.words ??= new Uint32Array(chunkWords).fill(0xffff_ffff);
    const removed = clearBits(first.words, end);
    first.count -= removed;
    this.#size -= removed;
    if (first.count === 0) chunks.shift();
  }

  clear(): void {
    this.#chunks = [];
    this.#size = 0;
    this.#recent = 0;
  }

  /** The lowest offset at or above `offset` that is not in the set. */
  nextAbsent(offset: number): number {
    let at = offset;
    let index = this.#lowerBound(keyOf(at));
    for (
      let chunk = this.#chunks[index];
      chunk !== undefined && chunk.key === keyOf(at);
      chunk = this.#chunks[++index]
    ) {
      if (chunk.words !== undefined) {
        const bit = nextBit(chunk.words, bitOf(at, chunk.key), 0xffff_ffff);
        if (bit < chunkBits) return chunk.key * chunkBits + bit;
      }
      at = (chunk.key + 1) * chunkBits;
    }
    return at;
  }

  /** The lowest offset at or above `offset` that is in the set; undefined when there is none. */
  nextPresent(offset: number): number | undefined {
    const key = keyOf(offset);
    for (let index = this.#lowerBound(key); index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]!;
      const start = chunk.key === key ? bitOf(offset, key) : 0;
      const bit = chunk.words === undefined ? start : nextBit(chunk.words, start, 0);
      if (bit < chunkBits) return chunk.key * chunkBits + bit;
    }
    return undefined;
  }

  /** How many of `[from, to)` are in the set. */
  countRange(from: number, to: number): number {
    if (to <= from) return 0;
    const lastKey = keyOf(to - 1);
    let count = 0;
    for (let index = this.#lowerBound(keyOf(from)); index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index]!;
      if (chunk.key > lastKey) break;
      const base = chunk.key * chunkBits;
      const start = Math.max(0, from - base);
      const end = Math.min(chunkBits, to - base);
      if (end - start === chunkBits) count += chunk.count;
      else count += chunk.words === undefined ? end - start : countBits(chunk.words, start, end);
    }
    return count;
  }

  /** Runs `[from, to)` of neighbouring offsets, in order. */
  *runs(): Generator<readonly [from: number, to: number], void, void> {
    for (let from = this.nextPresent(0); from !== undefined;) {
      const to = this.nextAbsent(from);
      yield [from, to];
      from = this.nextPresent(to);
    }
  }

  /** The number of runs, then for each run the gap since the previous one and its length. */
  encode(writer: ByteWriter): void {
    let count = 0;
    for (const _run of this.runs()) count++;
    writer.uvarint(count);
    let at = 0;
    for (const [from, to] of this.runs()) {
      writer.uvarint(from - at).uvarint(to - from);
      at = to;
    }
  }

  static decode(reader: ByteReader): OffsetSet {
    const set = new OffsetSet();
    let at = 0;
    for (let count = reader.uvarint(); count > 0; count--) {
      const from = at + reader.uvarint();
      at = from + reader.uvarint();
      if (!Number.isSafeInteger(at)) throw new RangeError('an offset beyond 2^53 in an encoded offset set');
      set.addRange(from, at);
    }
    return set;
  }
}

function keyOf(offset: number): number {
  return Math.floor(offset / chunkBits);
}

function bitOf(offset: number, key: number): number {
  return offset - key * chunkBits;
}

/** Mask of the bits of word `word` that lie in `[start, end)`. */
function maskOf(word: number, start: number, end: number): number {
  const first = Math.max(0, start - word * 32);
  const last = Math.min(32, end - word * 32);
  const low = first === 0 ? 0xffff_ffff : -1 << first;
  return last === 32 ? low : low & ~(-1 << last);
}

/** Sets `[start, end)` and returns how many bits were not set before. */
function setBits(words: Uint32Array, start: number, end: number): number {
  let added = 0;
  for (let word = start >>> 5; word * 32 < end; word++) {
    const missing = maskOf(word, start, end) & ~words[word]!;
    words[word]! |= missing;
    added += popCount(missing);
  }
  return added;
}

/** Clears `[0, end)` and returns how many bits were set before. */
function clearBits(words: Uint32Array, end: number): number {
  let removed = 0;
  for (let word = 0; word * 32 < end; word++) {
    const present = maskOf(word, 0, end) & words[word]!;
    words[word]! &= ~present;
    removed += popCount(present);
  }
  return removed;
}

function countBits(words: Uint32Array, start: number, end: number): number {
  let count = 0;
  for (let word = start >>> 5; word * 32 < end; word++)
    count += popCount(maskOf(word, start, end) & words[word]!);
  return count;
}

/**
 * Position of the first bit at or after `start` that differs from those of `flip` (all zeros: finds a one;
 * all ones: finds a zero).
 */
function nextBit(words: Uint32Array, start: number, flip: number): number {
  let word = start >>> 5;
  let bits = (words[word]! ^ flip) & (-1 << (start & 31));
  while (bits === 0) {
    if (++word === chunkWords) return chunkBits;
    bits = words[word]! ^ flip;
  }
  return word * 32 + 31 - Math.clz32(bits & -bits);
}

function popCount(bits: number): number {
  let n = bits - ((bits >>> 1) & 0x5555_5555);
  n = (n & 0x3333_3333) + ((n >>> 2) & 0x3333_3333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
