/** The body room bounds the memory of request bodies that are held for handlers, over all connections. */
export class BodyRoom {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reserves room for `bytes` more of a body that has `held` bytes already; false if there is no room. There
   * is always room for a body that is alone.
   */
  take(bytes: number, held: number): boolean {
    const isAlone = this.#bytes === held;
    if (!isAlone && this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
