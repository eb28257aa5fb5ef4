import type { Cost } from './attempt.ts';

/** Costs of less than this say nothing of an input: the clock and the collector of garbage do. */
const processorMsMin = 20;
/** A reader needs at least this much for any input. */
const bytesMin = 64;

/** The inputs with the highest cost per byte. The fuzzer mutates them to find worse ones. */
export class Worst {
  #nsPerByte = 0;
  #arrayBytesPerByte = 0;
  #fresh: Buffer[] = [];

  note(input: Buffer, { processorMs, arrayBytes }: Cost): void {
    const bytes = Math.max(bytesMin, input.length);
    const nsPerByte = (processorMs * 1e6) / bytes;
    const isSlower = processorMs >= processorMsMin && nsPerByte > this.#nsPerByte;
    const isLarger = arrayBytes / bytes > this.#arrayBytesPerByte;
    if (isSlower) this.#nsPerByte = nsPerByte;
    if (isLarger) this.#arrayBytesPerByte = arrayBytes / bytes;
    if (isSlower || isLarger) this.#fresh.push(Buffer.from(input));
  }

  /** Those that were worse than all before, since the last call. */
  fresh(): Buffer[] {
    return this.#fresh.splice(0);
  }

  get figures(): string {
    return `at worst ${Math.round(this.#nsPerByte)} ns and ${Math.round(this.#arrayBytesPerByte)} bytes of memory a byte`;
  }
}
