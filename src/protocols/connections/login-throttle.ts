import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../util/index.ts';
import { FailureTable, type Failures } from './login-failures.ts';

export interface LoginThrottleOptions {
  /** The longest time between two looks at passwords from one address; 0 switches the throttle off. */
  readonly delayMsMax: number;
}

/** So many logins may fail before there is a delay: people mistype. */
const freeFailures = 5;
const firstDelayMs = 100;
/** Where a login has succeeded before: the right password is mostly what comes from there. */
const trustedDelayMsMax = 250;
/** An address without failures waits no longer for a user whose password others guess. */
const cleanAddressWaitMsMax = 1_000;
const entriesMax = 10_000;
const forgetAfterMs = 15 * 60_000;
const trustedForMs = 24 * 60 * 60_000;
const userCharactersMax = 64;

/**
 * The login throttle slows down guesses of passwords, by address and by user.
 *
 * After some failures an address may have a password looked at only every 100 ms, then 200 ms, and so on up
 * to the longest delay; so may a user, by the addresses that have failed before. What comes earlier waits in
 * order, and what would wait for longer than two of the longest delays is refused without a look. The right
 * password is never locked out from elsewhere: an address without failures waits for a second at most, and
 * where a user has logged in before, only failures of that user from there count, with a quarter of a second
 * at most between two looks.
 *
 * One throttle serves all protocols of a server. Its tables are bounded, so their memory is (some 3 MB when
 * full).
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
   * Milliseconds until the password may be looked at: to be asked once per password, and kept to.
   * Undefined: too many wait already; the login is to be refused.
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
   * Takes the next place behind all that wait for the same address, and for the same user if that is given.
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

/** An IPv6 client has a whole network of 2^64 addresses: they count as one. */
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
