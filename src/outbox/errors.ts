/**
 * Codes of the errors of an outbox.
 *
 * - `option-invalid`: an option has a value that does not fit
 * - `value-invalid`: a value cannot be encoded
 */
export type OutboxErrorCode = 'option-invalid' | 'value-invalid';

export class OutboxError extends Error {
  override readonly name = 'OutboxError';
  readonly code: OutboxErrorCode;

  constructor(code: OutboxErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
