/**
 * The closed list of reasons why a server does not start or stops. The command line maps each to an exit
 * code.
 */
export type ServerErrorCode =
  | 'configuration-invalid'
  | 'address-not-allowed'
  | 'address-in-use'
  | 'address-unavailable'
  | 'data-dir-in-use'
  | 'data-dir-unusable'
  | 'storage-unreadable'
  | 'storage-failed'
  | 'ports-file-unwritable';

/** A server error is one sentence that says what happened, to what, and what to do about it. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The code of a system error (`EADDRINUSE`, `ENOSPC`), searched along the chain of causes. */
export function systemErrorCode(error: unknown): string | undefined {
  for (let depth = 0; depth < 8 && error instanceof Error; depth++) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) return code;
    error = error.cause;
  }
  return undefined;
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
