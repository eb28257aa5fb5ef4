import { randomFillSync } from 'node:crypto';

/**
 * The only source of randomness for the log and the broker: {@link SystemRandom}, or {@link SeededRandom} in
 * tests.
 */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, bound). */
  int(bound: number): number;
  /** Fresh bytes. */
  bytes(length: number): Uint8Array;
}

/** Randomness from the operating system; `next` and `int` use the engine's generator. */
export class SystemRandom implements Random {
  next(): number {
    return Math.random();
  }

  int(bound: number): number {
    return Math.floor(Math.random() * bound);
  }

  bytes(length: number): Uint8Array {
    return randomFillSync(new Uint8Array(length));
  }
}

/** Randomness that repeats for a seed: the sfc32 generator (Chris Doty-Humphrey, PractRand). */
export class SeededRandom implements Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    for (let round = 0; round < 12; round++) this.#next32();
  }

  #next32(): number {
    const sum = (((this.#a + this.#b) >>> 0) + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }

  next(): number {
    return this.#next32() / 2 ** 32;
  }

  int(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.#next32();
    return bytes;
  }
}
