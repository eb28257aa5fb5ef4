import { createHash, timingSafeEqual } from 'node:crypto';

const saltBytes = 4;
/** RabbitMQ's names of the hashes, and how many bytes they have. */
const algorithms = {
  rabbit_password_hashing_sha256: { hash: 'sha256', bytes: 32 },
  rabbit_password_hashing_sha512: { hash: 'sha512', bytes: 64 },
} as const;
export type DigestAlgorithm = keyof typeof algorithms;
export const defaultDigestAlgorithm: DigestAlgorithm = 'rabbit_password_hashing_sha256';

/**
 * A password as RabbitMQ keeps it: the hash of a salt and the password. It comes with definitions that were
 * exported from there; a password that comes as such is kept as a verifier, which takes more to guess.
 */
export interface PasswordDigest {
  readonly algorithm: DigestAlgorithm;
  /** Salt and hash, in base64. */
  readonly text: string;
}

/** A digest; undefined if the text is none of that algorithm. */
export function parseDigest(algorithm: string, text: string): PasswordDigest | undefined {
  if (!Object.hasOwn(algorithms, algorithm) || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const known = algorithm as DigestAlgorithm;
  const { length } = Buffer.from(text, 'base64');
  return length === saltBytes + algorithms[known].bytes ? { algorithm: known, text } : undefined;
}

/** Whether the password is the one of the digest; takes the same time either way. */
export function fitsDigest({ algorithm, text }: PasswordDigest, password: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  const hash = createHash(algorithms[algorithm].hash);
  return timingSafeEqual(
    hash.update(bytes.subarray(0, saltBytes)).update(password).digest(),
    bytes.subarray(saltBytes),
  );
}
