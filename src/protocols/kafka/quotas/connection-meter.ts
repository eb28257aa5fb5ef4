import type { Clock, Timer } from '../../../util/index.ts';
import { meter, type Answered } from './answered.ts';
import type { ClientQuotas, QuotaMeters } from './quota-meters.ts';

/** The client of a connection. */
interface Client {
  readonly user: string | undefined;
  readonly clientId: string;
}

/** The user of clients that do not log in. */
export const anonymous = 'ANONYMOUS';

/**
 * A connection meter counts the answers of one connection against the quotas of its client, and decides when
 * the connection is not read: "the broker mutes the channel" (KIP-219).
 */
export class ConnectionMeter {
  readonly #meters: QuotaMeters;
  readonly #clock: Clock;
  readonly #mute: (isMuted: boolean) => void;
  #quotas: ClientQuotas | undefined = undefined;
  #muting: Timer | undefined = undefined;
  #mutedUntilMs = -Infinity;

  /** `mute` is called when the connection must not be read any more, and when it may be read again. */
  constructor(meters: QuotaMeters, clock: Clock, mute: (isMuted: boolean) => void) {
    this.#meters = meters;
    this.#clock = clock;
    this.#mute = mute;
  }

  /** Whether there are no quotas at all. */
  get isOff(): boolean {
    return this.#meters.quotas.size === 0;
  }

  /** The answer to send. `throttledMs`: how long the client is throttled in any case. */
  count({ user = anonymous, clientId }: Client, answered: Answered, throttledMs: number): unknown {
    let throttleMs = throttledMs;
    let { response } = answered;
    this.#quotas = this.#meters.of(user, clientId, this.#quotas);
    if (this.#quotas !== undefined) {
      const metered = meter(this.#meters, this.#quotas, answered);
      throttleMs = Math.max(throttleMs, metered.throttleMs);
      ({ response } = metered);
    }
    if (throttleMs === 0) return response;
    this.#throttle(throttleMs);
    if (response === undefined) return undefined;
    const { throttleTimeMs = 0 } = response as { readonly throttleTimeMs?: number };
    return { ...response, throttleTimeMs: Math.max(throttleTimeMs, throttleMs) };
  }

  #throttle(throttleMs: number): void {
    const untilMs = this.#clock.monotonic() + throttleMs;
    if (untilMs <= this.#mutedUntilMs) return;
    this.#mutedUntilMs = untilMs;
    this.#muting?.cancel();
    this.#mute(true);
    this.#muting = this.#clock.setTimer(throttleMs, () => this.#mute(false));
  }

  close(): void {
    this.#muting?.cancel();
  }
}
