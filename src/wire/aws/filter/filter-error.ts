/** A filter policy that cannot be used. The message says why, as SNS does. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}
