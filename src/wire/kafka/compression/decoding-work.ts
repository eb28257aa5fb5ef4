import { corrupt } from './zstd-error.ts';

/** What every batch may spend, and what each byte read and each byte written allows. */
const spareSteps = 64 * 1024;
const stepsPerByteRead = 8;
const stepsPerByteWritten = 2;

/**
 * Decoding work bounds what bytes cost beside what they become: ten bytes describe a table of 2^11 places,
 * and eight kilobytes tell of twenty million sequences. An encoder makes a table that is no larger than what
 * it is for, and its sequences take bits or make many bytes; work far beyond the bytes read and written is
 * refused. A step is a place of a table, or a symbol of its weights.
 */
export class DecodingWork {
  readonly #bytesRead: number;
  #steps = 0;

  constructor(bytesRead: number) {
    this.#bytesRead = bytesRead;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Throws a WireError when that is too much, with so many bytes written. */
  charge(steps: number, bytesWritten: number): void {
    this.#steps += steps;
    if (this.#steps > spareSteps + stepsPerByteRead * this.#bytesRead + stepsPerByteWritten * bytesWritten)
      throw corrupt('far more work than the bytes that come of it');
  }
}
