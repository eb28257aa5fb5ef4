import type { SeededRandom } from '../../src/util/index.ts';

const inputBytesMax = 16 * 1024;
const numbers = [
  0,
  1,
  -1,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0x8000,
  0xffff,
  0x7fffffff,
  -0x80000000,
  2 ** 31 - 2,
  512,
  1024,
];

/** Makes inputs from inputs: flips, overwrites, inserts, takes out, repeats, and crosses two. */
export class Mutator {
  readonly #random: SeededRandom;
  readonly #words: readonly Buffer[];

  constructor(random: SeededRandom, words: readonly string[] = []) {
    this.#random = random;
    this.#words = words.map((word) => Buffer.from(word, 'latin1'));
  }

  mutate(corpus: readonly Uint8Array[]): Buffer {
    const random = this.#random;
    let bytes: Buffer = Buffer.from(corpus[random.int(corpus.length)] ?? []);
    for (let changes = 1 << random.int(4); changes > 0; changes--)
      bytes = this.#change(bytes, corpus[random.int(corpus.length)] ?? bytes);
    return bytes.subarray(0, inputBytesMax);
  }

  #change(bytes: Buffer, other: Uint8Array): Buffer {
    const random = this.#random;
    const at = random.int(bytes.length + 1);
    const length = Math.min(1 + random.int(random.int(4) === 0 ? 256 : 8), bytes.length - at);
    switch (random.int(10)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << random.int(8);
        return bytes;
      case 1:
        if (at < bytes.length) bytes[at] = random.int(256);
        return bytes;
      case 2:
      case 3:
        return this.#writeNumber(bytes, at);
      case 4:
        return splice(bytes, at, 0, Buffer.from(random.bytes(1 + random.int(8))));
      case 5:
        return splice(bytes, at, length, noBytes);
      case 6:
        return splice(bytes, at, 0, bytes.subarray(at, at + length));
      case 7: {
        const from = random.int(other.length + 1);
        return splice(bytes, at, length, other.subarray(from, from + 1 + random.int(64)));
      }
      case 8:
        if (this.#words.length === 0) return bytes.subarray(0, at);
        return splice(bytes, at, random.int(2) * length, this.#words[random.int(this.#words.length)]!);
      default:
        return Buffer.concat([bytes.subarray(0, at), other.subarray(random.int(other.length + 1))]);
    }
  }

  #writeNumber(bytes: Buffer, at: number): Buffer {
    const random = this.#random;
    const number = numbers[random.int(numbers.length)]! + random.int(3) - 1;
    const size = [1, 2, 4, 8][random.int(4)]!;
    if (at + size > bytes.length) return bytes;
    if (size === 8) bytes.writeBigInt64BE(BigInt(number), at);
    else bytes.writeIntBE((Math.trunc(number) << (32 - size * 8)) >> (32 - size * 8), at, size);
    return bytes;
  }
}

const noBytes = Buffer.alloc(0);

function splice(bytes: Buffer, at: number, remove: number, insert: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}
