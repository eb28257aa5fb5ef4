import * as protocols from '../protocols/index.ts';

/** The cost of one guess of a hashed password: rounds of PBKDF2. */
export const passwordIterations: { readonly min: number; readonly max: number } = {
  min: protocols.iterationsMin,
  max: protocols.iterationsMax,
};

/** The replacement for a password in the configuration: a verifier with fresh salts (docs/users.md). */
export function hashPassword(password: string, iterations: number = passwordIterations.min): Promise<string> {
  return protocols.hashPassword(password, iterations);
}
