import type { Clock } from '../../../util/index.ts';
import { ErrorCode } from '../../../wire/kafka/index.ts';
import { KafkaError } from '../errors.ts';
import type { QuotaKey } from './quota-entity.ts';
import type { AppliedQuota, Quotas } from './quotas.ts';
import { TokenBucket } from './token-bucket.ts';
import { WindowedRate, windowMs } from './windowed-rate.ts';

/** Number of meters kept; the least recently used one is dropped first. */
const metersMax = 10_000;

type Meter = WindowedRate | TokenBucket;

/** The quotas that apply to a client, until quotas change. */
export interface ClientQuotas {
  readonly version: number;
  readonly user: string;
  readonly clientId: string;
  readonly produce: AppliedQuota | undefined;
  readonly fetch: AppliedQuota | undefined;
  readonly request: AppliedQuota | undefined;
  readonly mutations: AppliedQuota | undefined;
}

/**
 * Measures clients by their quotas. Each `note…` returns how long the client has to be throttled, in
 * milliseconds.
 */
export class QuotaMeters {
  readonly quotas: Quotas;
  readonly #clock: Clock;
  /** In the order of their last use. */
  readonly #meters = new Map<string, Meter>();

  constructor(quotas: Quotas, clock: Clock) {
    this.quotas = quotas;
    this.#clock = clock;
  }

  /**
   * The quotas of a client: `known` as long as it is still valid; undefined if there are no quotas at all.
   */
  of(user: string, clientId: string, known: ClientQuotas | undefined): ClientQuotas | undefined {
    const { quotas } = this;
    if (quotas.size === 0) return undefined;
    if (known?.version === quotas.version && known.user === user && known.clientId === clientId) return known;
    return {
      version: quotas.version,
      user,
      clientId,
      produce: quotas.find('producer_byte_rate', user, clientId),
      fetch: quotas.find('consumer_byte_rate', user, clientId),
      request: quotas.find('request_percentage', user, clientId),
      mutations: quotas.find('controller_mutation_rate', user, clientId),
    };
  }

  noteProduced({ produce }: ClientQuotas, bytes: number): number {
    return produce ? this.#note('producer_byte_rate', produce, bytes) : 0;
  }

  /** With `mayDrop`, a throttled fetch is answered without its records, which are then not counted. */
  noteFetched({ fetch }: ClientQuotas, bytes: number, mayDrop: boolean): number {
    if (!fetch) return 0;
    const throttleMs = this.#note('consumer_byte_rate', fetch, bytes);
    if (throttleMs > 0 && mayDrop)
      this.#rate('consumer_byte_rate', fetch).record(-bytes, this.#clock.monotonic());
    return throttleMs;
  }

  /** Counts time of work for the client. "At most one window" (ClientRequestQuotaManager). */
  noteWorked({ request }: ClientQuotas, workMs: number): number {
    return request ? Math.min(windowMs, this.#note('request_percentage', request, workMs / 10)) : 0;
  }

  /**
   * Counts partitions that the client creates or deletes. If the client has to wait first, throws a
   * KafkaError THROTTLING_QUOTA_EXCEEDED. A client whose version of the API does not have that code is
   * throttled afterwards instead.
   */
  noteMutations({ mutations }: ClientQuotas, partitions: number, isStrict: boolean): number {
    if (!mutations) return 0;
    const { limit } = mutations;
    const bucket = this.#bucket(mutations);
    const nowMs = this.#clock.monotonic();
    const beforeMs = bucket.throttleMs(limit, nowMs);
    if (isStrict && beforeMs > 0) throw new ThrottledError(beforeMs);
    bucket.record(partitions, limit, nowMs);
    return isStrict ? 0 : bucket.throttleMs(limit, nowMs);
  }

  #note(key: QuotaKey, quota: AppliedQuota, value: number): number {
    const rate = this.#rate(key, quota);
    const nowMs = this.#clock.monotonic();
    rate.record(value, nowMs);
    return rate.throttleMs(quota.limit, nowMs);
  }

  #rate(key: QuotaKey, quota: AppliedQuota): WindowedRate {
    return this.#use(key, quota, () => new WindowedRate()) as WindowedRate;
  }

  #bucket(quota: AppliedQuota): TokenBucket {
    return this.#use('controller_mutation_rate', quota, () => new TokenBucket()) as TokenBucket;
  }

  #use(key: QuotaKey, { sharedBy }: AppliedQuota, create: () => Meter): Meter {
    const name = `${key} ${sharedBy}`;
    let meter = this.#meters.get(name);
    if (meter === undefined) {
      if (this.#meters.size >= metersMax)
        for (const oldest of this.#meters.keys()) {
          this.#meters.delete(oldest);
          break;
        }
      meter = create();
    } else this.#meters.delete(name);
    this.#meters.set(name, meter);
    return meter;
  }
}

/** A change that is refused for the moment. */
export class ThrottledError extends KafkaError {
  readonly throttleMs: number;

  constructor(throttleMs: number) {
    super(ErrorCode.THROTTLING_QUOTA_EXCEEDED, 'The throttling quota has been exceeded.');
    this.throttleMs = throttleMs;
  }
}
