import { apiError } from './errors.ts';

/** The API error 10052 with its reason. */
export function invalidConfig(problem: string): Error {
  return apiError('streamInvalidConfig', problem);
}

/**
 * Checks limits for which -1 means "none": in a pedantic request, other negative numbers are refused instead
 * of being read as -1. Throws 10157.
 */
export function checkPedanticLimits(
  request: { readonly [member: string]: unknown },
  members: readonly string[],
): void {
  for (const member of members) {
    if (Number(request[member] ?? 0) < -1) throw apiError('pedantic', `${member} must be set to -1`);
  }
}

/** Checks that a pedantic request does not give these members a negative number. Throws 10157. */
export function checkPedanticSigns(
  request: { readonly [member: string]: unknown },
  members: readonly string[],
): void {
  for (const member of members) {
    if (Number(request[member] ?? 0) < 0) throw apiError('pedantic', `${member} must not be negative`);
  }
}
