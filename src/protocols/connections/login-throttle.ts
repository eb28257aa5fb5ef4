import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../util/index.ts';
import { FailureTable, type Failures } from './login-failures.ts';

export interface LoginThrottleOptions {
  /** The longest time between two password checks for one address; 0 switches the throttle off. */
  readonly delayMsMax: number;
}

/** The number of logins that may fail before there is a delay: people mistype. */
const freeFailures = 5;
const firstDelayMs = 100;
/**
 * The longest delay for an address from which the user has logged in before: its passwords are mostly
 * correct.
 */
const trustedDelayMsMax = 250;
/** The longest wait of an address without failures, for a user whose password others guess. */
const cleanAddressWaitMsMax = 1_000;
const entriesMax = 10_000;
const forgetAfterMs = 15 * 60_000;
const trustedForMs = 24 * 60 * 60_000;
const userCharactersMax = 64;

/**
 * The login throttle slows down password guessing, by address and by user.
 *
 * After some failures, the passwords from an address are checked only every 100 ms, then every 200 ms, and so
 * on up to the longest delay. The same holds for a user, with passwords from addresses that have failed
 * before. Logins that come earlier wait in order. A login that would wait for longer than two of the longest
 * delays is refused without a check.
 *
 * Guesses from elsewhere never lock out the right password. An address without failures waits for at most a
 * second. At an address from which the user has logged in before, only the failures of that user from that
 * address count, and the delay between two checks is at most a quarter of a second.
 *
 * One throttle serves all protocols of a server. Its tables are bounded (some 3 MB when full).
 */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #delayMsMax: number;
  readonly #addresses = new FailureTable(entriesMax, forgetAfterMs);
  readonly #users = new FailureTable(entriesMax, forgetAfterMs);
  /** Pairs of address and user that have logged in. */
  readonly #trusted = new FailureTable(entriesMax, trustedForMs);

  constructor(clock: Clock, { delayMsMax }: LoginThrottleOptions) {
    this.#clock = clock;
    this.#delayMsMax = delayMsMax;
  }

  /**
   * Returns the milliseconds until the password may be checked. Call it once per password, and wait that
   * long. Undefined: too many logins wait already, and this one is to be refused.
   */
  admit(address: string, user: string): number | undefined {
    if (this.#delayMsMax === 0) return 0;
    const nowMs = this.#clock.monotonic();
    const trusted = this.#trusted.get(pairKey(address, user), nowMs);
    if (trusted) return this.#queue(nowMs, trustedDelayMsMax, trusted, undefined);
    const ofAddress = this.#addresses.get(addressKey(address), nowMs);
    const ofUser = this.#users.get(userKey(user), nowMs);
    if (ofAddress) return this.#queue(nowMs, this.#delayMsMax, ofAddress, ofUser);
    return ofUser ? Math.min(cleanAddressWaitMsMax, this.#delayMs(ofUser)) : 0;
  }

  failed(address: string, user: string): void {
    if (this.#delayMsMax === 0) return;
    const nowMs = this.#clock.monotonic();
    const pair = pairKey(address, user);
    const trusted = this.#trusted.get(pair, nowMs);
    if (trusted) this.#count(trusted, nowMs, Math.min(trustedDelayMsMax, this.#delayMsMax));
    this.#count(this.#addresses.touch(addressKey(address), nowMs), nowMs);
    this.#count(this.#users.touch(userKey(user), nowMs), nowMs);
  }

  succeeded(address: string, user: string): void {
    if (this.#delayMsMax === 0) return;
    this.#trusted.touch(pairKey(address, user), this.#clock.monotonic()).count = 0;
  }

  #count(failures: Failures, nowMs: number, delayMsMax: number = this.#delayMsMax): void {
    failures.count++;
    failures.nextMs = Math.max(failures.nextMs, nowMs + this.#delayMs(failures, delayMsMax));
  }

  /**
   * Takes the next place after all logins that wait for the same address, and for the same user if one is
   * given.
   */
  #queue(
    nowMs: number,
    delayMsMax: number,
    failures: Failures,
    ofUser: Failures | undefined,
  ): number | undefined {
    const beginMs = Math.max(nowMs, failures.nextMs, ofUser?.nextMs ?? 0);
    if (beginMs - nowMs > 2 * this.#delayMsMax) return undefined;
    failures.nextMs = beginMs + this.#delayMs(failures, delayMsMax);
    if (ofUser) ofUser.nextMs = beginMs + this.#delayMs(ofUser, delayMsMax);
    return beginMs - nowMs;
  }

  #delayMs({ count }: Failures, delayMsMax: number = this.#delayMsMax): number {
    if (count <= freeFailures) return 0;
    return Math.min(delayMsMax, firstDelayMs * 2 ** Math.min(30, count - freeFailures - 1));
  }
}

function userKey(user: string): string {
  if (user.length <= userCharactersMax) return user;
  return createHash('sha256').update(user).digest('base64');
}

function pairKey(address: string, user: string): string {
  return `${addressKey(address)} ${userKey(user)}`;
}

/** The key of an address. An IPv6 client has a whole network of 2^64 addresses, which count as one. */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const all = [...first, ...Array.from({ length: zeros }, () => '0'), ...last];
  return `${all
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`;
}
