/** The body room bounds the memory of the bodies that are held for handlers, of all connections together. */
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

  /** Takes room for a body that has `held` bytes already; false when there is none. A body alone has room. */
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
