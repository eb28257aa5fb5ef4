import type { Clock } from '../../util/index.ts';
import type { ResponsePermission } from '../users/index.ts';

/** The number of requests that may wait for answers; the oldest is forgotten first. */
const permitsMax = 4096;

interface Permit {
  left: number;
  readonly untilMs: number;
}

/**
 * The reply subjects that a client may publish to because it has received requests with them.
 * `allow-responses` sets the number and the time of the answers.
 */
export class ResponsePermits {
  readonly #permission: ResponsePermission;
  readonly #clock: Clock;
  readonly #permits = new Map<string, Permit>();

  constructor(permission: ResponsePermission, clock: Clock) {
    this.#permission = permission;
    this.#clock = clock;
  }

  /** Adds a permit for the reply subject of a request that the client has received. */
  add(reply: string): void {
    const { max, expiresMs } = this.#permission;
    if (this.#permits.size >= permitsMax) this.#forgetOldest();
    this.#permits.delete(reply);
    const untilMs = expiresMs === 0 ? Infinity : this.#clock.monotonic() + expiresMs;
    this.#permits.set(reply, { left: max === 0 ? Infinity : max, untilMs });
  }

  /** Uses one answer of a permit; false if none is left. */
  take(reply: string): boolean {
    const permit = this.#permits.get(reply);
    if (permit === undefined) return false;
    const isDue = this.#clock.monotonic() > permit.untilMs;
    permit.left--;
    if (isDue || permit.left === 0) this.#permits.delete(reply);
    return !isDue;
  }

  #forgetOldest(): void {
    for (const oldest of this.#permits.keys()) {
      this.#permits.delete(oldest);
      return;
    }
  }
}
