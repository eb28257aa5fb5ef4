import * as protocols from '../protocols/index.ts';

/** The work that one guess of a hashed password costs: rounds of PBKDF2. */
export const passwordIterations: { readonly min: number; readonly max: number } = {
  min: protocols.iterationsMin,
  max: protocols.iterationsMax,
};

/** What stands in for a password in the configuration: a verifier with fresh salts (docs/users.md). */
export function hashPassword(password: string, iterations: number = passwordIterations.min): Promise<string> {
  return protocols.hashPassword(password, iterations);
}
