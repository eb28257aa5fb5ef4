/**
 * Codes of the errors of an inbox.
 *
 * - `option-invalid`: an option has a value that does not fit
 * - `id-missing`, `id-invalid`: a message has no id by which it could be remembered, or one that is too long
 * - `transaction-lost`: the database rolled the transaction back while the effect went on
 * - `not-supported`: the store cannot do this
 */
export type InboxErrorCode =
  | 'option-invalid'
  | 'id-missing'
  | 'id-invalid'
  | 'transaction-lost'
  | 'not-supported';

export class InboxError extends Error {
  override readonly name = 'InboxError';
  readonly code: InboxErrorCode;

  constructor(code: InboxErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
