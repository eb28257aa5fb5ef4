import { TokenBucket } from '../../util/index.ts';
import type { GroupConfig } from './group-config.ts';

/**
 * A throttle limits the deliveries of a group over all its consumers and partitions: their rate, and how many
 * messages are in flight.
 */
export class Throttle {
  #bucket: TokenBucket | undefined = undefined;
  #concurrency = Infinity;
  /** When the rate allows the next delivery; Infinity if it keeps no message back. */
  #dueMs = Infinity;
  #keptBackMs = 0;
  #keptBackSinceMs: number | undefined = undefined;

  /** Changes the limits from now on. */
  configure({ rate, concurrency = Infinity, ack }: GroupConfig, nowMs: number): void {
    this.#concurrency = ack === 'none' ? Infinity : concurrency; // nothing is in flight
    if (rate === undefined) this.#bucket = undefined;
    else if (this.#bucket === undefined) this.#bucket = new TokenBucket(rate, nowMs);
    else this.#bucket.change(rate, nowMs);
  }

  /** How many messages may be delivered now, beside so many in flight. */
  room(inFlight: number, nowMs: number): number {
    const allowed = this.#bucket?.available(nowMs) ?? Infinity;
    if (allowed > 0) this.#goOn(nowMs);
    return Math.max(0, Math.min(allowed, this.#concurrency - inFlight));
  }

  /** Messages were delivered. */
  take(count: number, nowMs: number): void {
    this.#bucket?.take(nowMs, count);
  }

  /** There is a message that may not be delivered now. Returns whether that is because of the rate. */
  keepBack(nowMs: number): boolean {
    const waitMs = this.#bucket?.waitMs(nowMs) ?? 0;
    if (waitMs === 0) return false;
    this.#dueMs = nowMs + waitMs;
    this.#keptBackSinceMs ??= nowMs;
    return true;
  }

  #goOn(nowMs: number): void {
    this.#keptBackMs = this.keptBackMs(nowMs);
    this.#keptBackSinceMs = undefined;
    this.#dueMs = Infinity;
  }

  /** When deliveries go on that the rate keeps back; Infinity if it keeps none back. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** For how long, in all, the rate has kept messages back from consumers. */
  keptBackMs(nowMs: number): number {
    return this.#keptBackMs + (nowMs - (this.#keptBackSinceMs ?? nowMs));
  }
}
