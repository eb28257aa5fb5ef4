import type { ByteReader, ByteWriter } from '../../util/index.ts';
import type { Meter } from '../budgets.ts';

/** The times to live of delayed messages, which begin when the messages enter their topics. */
export class DelayedTtls {
  /** By offset in the log of delayed messages. */
  readonly #ttls = new Map<number, number>();
  readonly #meter: Meter;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  set(offset: number, ttlMs: number): void {
    this.#ttls.set(offset, ttlMs);
    this.#meter.set(this.#ttls.size);
  }

  /** The time to live of a message that is no longer delayed; undefined if it has none. */
  take(offset: number): number | undefined {
    if (this.#ttls.size === 0) return undefined;
    const ttlMs = this.#ttls.get(offset);
    if (this.#ttls.delete(offset)) this.#meter.set(this.#ttls.size);
    return ttlMs;
  }

  /** Appends the time to live, if there is one, to the entry of a delayed message: `uvarint ttl; 0: for ever` */
  write(writer: ByteWriter, offset: number): void {
    const ttlMs = this.#ttls.get(offset);
    if (ttlMs !== undefined) writer.uvarint(ttlMs === Infinity ? 0 : Math.max(1, Math.ceil(ttlMs)));
  }

  /** Reads the end of such an entry. */
  read(reader: ByteReader, offset: number): void {
    if (reader.remaining > 0) this.set(offset, reader.uvarint() || Infinity);
  }
}
