import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { SystemRandom } from '../../util/index.ts';

/** The hash functions of SCRAM. */
export const scramHashes = ['sha256', 'sha512'] as const;
export type ScramHash = (typeof scramHashes)[number];

/** The keys that a server keeps of a password for SCRAM with one hash (RFC 5802, section 3). */
export interface ScramKeys {
  readonly salt: Buffer;
  readonly iterations: number;
  /** `H(HMAC(SaltedPassword, "Client Key"))`; 32 or 64 bytes. */
  readonly storedKey: Buffer;
  /** `HMAC(SaltedPassword, "Server Key")`; 32 or 64 bytes. */
  readonly serverKey: Buffer;
}

/**
 * A password verifier can check a password, and serve SCRAM, without the password itself. It has the keys of
 * at least one hash.
 */
export type PasswordVerifier = { readonly [H in ScramHash]?: ScramKeys | undefined };

/** RFC 7677 asks for at least 4096, and clients refuse fewer; Kafka allows at most 16384. */
export const iterationsMin = 4096;
export const iterationsMax = 16_384;
export const defaultIterations: number = iterationsMin;
export const hashBytes: { readonly [H in ScramHash]: number } = { sha256: 32, sha512: 64 };
const saltBytesMax = 64;

/** The names of RFC 7677 and of Kafka. */
const mechanisms: { readonly [H in ScramHash]: string } = {
  sha256: 'SCRAM-SHA-256',
  sha512: 'SCRAM-SHA-512',
};

/** Derives the keys of a password, on the thread pool. */
export async function deriveKeys(
  hash: ScramHash,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  return keysOfSalted(hash, await saltedPassword(hash, password, salt, iterations), salt, iterations);
}

/**
 * Makes the keys from a salted password that a client has derived itself, as in Kafka's
 * AlterUserScramCredentials.
 */
export function keysOfSalted(
  hash: ScramHash,
  salted: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): ScramKeys {
  const hmac = (text: string): Buffer => createHmac(hash, salted).update(text).digest();
  const storedKey = createHash(hash).update(hmac('Client Key')).digest();
  return { salt: Buffer.from(salt), iterations, storedKey, serverKey: hmac('Server Key') };
}

/** Derives the keys of all hashes, each with a salt of its own from `randomBytes`. */
export async function makeVerifier(
  password: string,
  randomBytes: (count: number) => Uint8Array,
  iterations: number = defaultIterations,
): Promise<PasswordVerifier> {
  const keys = scramHashes.map(
    async (hash) => [hash, await deriveKeys(hash, password, randomBytes(16), iterations)] as const,
  );
  return Object.fromEntries(await Promise.all(keys));
}

/** The verifier of a password as text, with new salts. */
export async function hashPassword(password: string, iterations: number): Promise<string> {
  const random = new SystemRandom();
  return verifierText(await makeVerifier(password, (count) => random.bytes(count), iterations));
}

/** Whether the password fits the keys; takes the same time either way. */
export async function fitsKeys(hash: ScramHash, keys: ScramKeys, password: string): Promise<boolean> {
  const { storedKey } = await deriveKeys(hash, password, keys.salt, keys.iterations);
  return timingSafeEqual(storedKey, keys.storedKey);
}

/**
 * A verifier as text: one entry per hash, separated by commas, each in the form of RFC 5803 and PostgreSQL:
 *
 * ```
 * SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>        binary parts in base64
 * ```
 */
export function verifierText(verifier: PasswordVerifier): string {
  return scramHashes
    .flatMap((hash) => {
      const keys = verifier[hash];
      if (keys === undefined) return [];
      const [salt, stored, server] = [keys.salt, keys.storedKey, keys.serverKey].map((bytes) =>
        bytes.toString('base64'),
      );
      return [`${mechanisms[hash]}$${keys.iterations}:${salt}$${stored}:${server}`];
    })
    .join(',');
}

/** Whether a text is meant as a verifier: passwords do not begin like one. */
export function looksLikeVerifier(text: string): boolean {
  return /^SCRAM-SHA-\d+\$/.test(text);
}

/** Parses the form of {@link verifierText}; undefined if the text does not have it. */
export function parseVerifier(text: string): PasswordVerifier | undefined {
  const verifier: { [H in ScramHash]?: ScramKeys } = {};
  for (const entry of text.split(',')) {
    const match = /^(SCRAM-SHA-(?:256|512))\$(\d{1,5}):([\w+/=]+)\$([\w+/=]+):([\w+/=]+)$/.exec(entry.trim());
    if (!match) return undefined;
    const [, mechanism, digits, ...parts] = match;
    const hash = scramHashes.find((hash) => mechanisms[hash] === mechanism)!;
    const [salt, storedKey, serverKey] = parts.map((part) => Buffer.from(part, 'base64'));
    const iterations = Number(digits);
    const fits =
      verifier[hash] === undefined &&
      iterations >= iterationsMin &&
      iterations <= iterationsMax &&
      salt!.length > 0 &&
      salt!.length <= saltBytesMax &&
      storedKey!.length === hashBytes[hash] &&
      serverKey!.length === hashBytes[hash];
    if (!fits) return undefined;
    verifier[hash] = { salt: salt!, iterations, storedKey: storedKey!, serverKey: serverKey! };
  }
  return verifier;
}

function saltedPassword(
  hash: ScramHash,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Of SASLprep (RFC 4013), only the normalization matters for today's passwords.
    pbkdf2(password.normalize('NFKC'), salt, iterations, hashBytes[hash], hash, (error, key) => {
      if (error) reject(error);
      else resolve(key);
    });
  });
}
