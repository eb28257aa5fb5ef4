import { corrupt } from './zstd-error.ts';

/** The allowance of every batch, and the additional allowance per byte read and per byte written. */
const spareSteps = 64 * 1024;
const stepsPerByteRead = 8;
const stepsPerByteWritten = 2;

/**
 * Decoding work limits the cost of hostile input beyond its size: ten bytes can describe a table of 2^11
 * places, and eight kilobytes twenty million sequences. An encoder makes tables no larger than their use, and
 * its sequences take bits or produce many bytes. Work far beyond the bytes read and written is refused. A
 * step is one place of a table, or one symbol of its weights.
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

  /** Adds steps. Throws a WireError if they are too many for the bytes written so far. */
  charge(steps: number, bytesWritten: number): void {
    this.#steps += steps;
    if (this.#steps > spareSteps + stepsPerByteRead * this.#bytesRead + stepsPerByteWritten * bytesWritten)
      throw corrupt('far more work than the bytes that come of it');
  }
}
