import { createHmac } from 'node:crypto';
import { sameText, type Random } from '../../util/index.ts';
import { fitsDigest } from './password-digest.ts';
import {
  defaultIterations,
  deriveKeys,
  fitsKeys,
  hashBytes,
  scramHashes,
  type ScramHash,
  type ScramKeys,
} from './password-verifier.ts';
import type { Password } from './user.ts';

/** At least two of the four threads of the pool are left to the disk. */
const parallelMax = 2;
/** Logins that may wait for a thread; one more is refused. */
const waitingMax = 20_000;
const rememberedMax = 10_000;
/** In UTF-8; longer passwords are wrong. */
const passwordBytesMax = 1024;

/**
 * Password checks run on the thread pool, a few at a time. Correct passwords are remembered, so that
 * thousands of clients that connect again cost no derivation each.
 *
 * A check takes the same time for an unknown user, a wrong password and the right one.
 */
export class PasswordChecks {
  readonly #random: Random;
  /** Digests of correct passwords, under a key of this process; the oldest is dropped first. */
  readonly #remembered = new Set<string>();
  readonly #memoryKey: Uint8Array;
  readonly #ids = new WeakMap<Password, number>();
  readonly #derived = new WeakMap<Password, { [H in ScramHash]?: Promise<ScramKeys> }>();
  readonly #waiting: (() => void)[] = [];
  readonly #unknown: ScramKeys;
  #running = 0;
  #lastId = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#memoryKey = random.bytes(32);
    this.#unknown = {
      salt: Buffer.from(random.bytes(16)),
      iterations: defaultIterations,
      storedKey: Buffer.from(random.bytes(hashBytes.sha256)),
      serverKey: Buffer.from(random.bytes(hashBytes.sha256)),
    };
  }

  /** The number of passwords remembered. */
  get remembered(): number {
    return this.#remembered.size;
  }

  /**
   * Whether the password is correct; false for an unknown user, who has no password. Returns a boolean at
   * once if the same password was found correct lately.
   */
  check(expected: Password | undefined, given: string): boolean | Promise<boolean> {
    const digest = this.#digest(expected, given);
    return this.#remembered.has(digest) || this.#derive(expected, given, digest);
  }

  /** Forgets the correct passwords. */
  forget(): void {
    this.#remembered.clear();
  }

  /**
   * The keys by which SCRAM proves a password. For a password in plain text they are derived once. Undefined:
   * the verifier of the password has no keys for this hash.
   */
  keysOf(password: Password, hash: ScramHash): Promise<ScramKeys | undefined> {
    if (password.kind === 'verifier') return Promise.resolve(password.verifier[hash]);
    const derived = this.#derived.get(password) ?? {};
    this.#derived.set(password, derived);
    return (derived[hash] ??= this.#inTurn(() =>
      deriveKeys(hash, password.text, this.#random.bytes(16), defaultIterations),
    ));
  }

  /** The keys that SCRAM shows for an unknown user: always the same for the same name. */
  keysOfUnknown(name: string, hash: ScramHash): ScramKeys {
    const bytes = (label: string): Buffer =>
      createHmac(hash, this.#memoryKey).update(`${label}\0${name}`).digest();
    const salt = bytes('salt').subarray(0, 16);
    return { salt, iterations: defaultIterations, storedKey: bytes('stored'), serverKey: bytes('server') };
  }

  async #derive(expected: Password | undefined, given: string, digest: string): Promise<boolean> {
    if (this.#waiting.length >= waitingMax || Buffer.byteLength(given) > passwordBytesMax) return false;
    const verifier = expected?.kind === 'verifier' ? expected.verifier : undefined;
    const hash = scramHashes.find((hash) => verifier?.[hash] !== undefined) ?? 'sha256';
    const keys = verifier?.[hash] ?? this.#unknown;
    const fits = await this.#inTurn(() => fitsKeys(hash, keys, given));
    if (expected === undefined || !isRight(expected, given, fits)) return false;
    if (this.#remembered.size >= rememberedMax)
      for (const oldest of this.#remembered) {
        this.#remembered.delete(oldest);
        break;
      }
    this.#remembered.add(digest);
    return true;
  }

  #digest(expected: Password | undefined, given: string): string {
    const id = expected === undefined ? 0 : this.#idOf(expected);
    return createHmac('sha256', this.#memoryKey).update(`${id}\0${given}`).digest('base64');
  }

  #idOf(password: Password): number {
    let id = this.#ids.get(password);
    if (id === undefined) this.#ids.set(password, (id = ++this.#lastId));
    return id;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= parallelMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      // The next waiting check takes over this place, if there is one.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

/** `fits`: whether the password fits the verifier, if there is one. */
function isRight(expected: Password, given: string, fits: boolean): boolean {
  if (expected.kind === 'plain') return sameText(expected.text, given);
  return expected.digest ? fitsDigest(expected.digest, given) : fits;
}
