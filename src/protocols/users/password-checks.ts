import { createHmac } from 'node:crypto';
import { sameText, type Random } from '../../util/index.ts';
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

/** Of the four threads of the pool two at least are left to the disk. */
const parallelMax = 2;
/** Logins that wait for a thread; one more is refused. */
const waitingMax = 20_000;
const rememberedMax = 10_000;
/** In UTF-8; longer ones are wrong. */
const passwordBytesMax = 1024;

/**
 * The checks of passwords: derived on the thread pool, a few at a time, and remembered when they were right, so
 * that clients that connect again by the thousand cost no derivation each.
 *
 * A check takes as long for an unknown user, and for a wrong password, as for the right one.
 */
export class PasswordChecks {
  readonly #random: Random;
  /** Digests under a key of this process of passwords that were right; the oldest goes first. */
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

  /** Passwords that are remembered. */
  get remembered(): number {
    return this.#remembered.size;
  }

  /**
   * Whether the password is right; false for an unknown user, whose password is undefined. At once when the same
   * was right lately.
   */
  check(expected: Password | undefined, given: string): boolean | Promise<boolean> {
    const digest = this.#digest(expected, given);
    return this.#remembered.has(digest) || this.#derive(expected, given, digest);
  }

  /** Forgets what was right. */
  forget(): void {
    this.#remembered.clear();
  }

  /**
   * The keys that SCRAM proves a password by; derived once for a password that is not hashed in the
   * configuration. Undefined: its verifier has none for this hash.
   */
  keysOf(password: Password, hash: ScramHash): Promise<ScramKeys | undefined> {
    if (password.kind === 'verifier') return Promise.resolve(password.verifier[hash]);
    const derived = this.#derived.get(password) ?? {};
    this.#derived.set(password, derived);
    return (derived[hash] ??= this.#inTurn(() =>
      deriveKeys(hash, password.text, this.#random.bytes(16), defaultIterations),
    ));
  }

  /** What SCRAM shows of a user that is not there: the same whenever it is asked. */
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
    const isRight = expected?.kind === 'plain' ? sameText(expected.text, given) : fits;
    if (!isRight || expected === undefined) return false;
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
      // The place goes to the next in line, or is free.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
