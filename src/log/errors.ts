/**
 * Every way the log says no. The list is closed.
 *
 * `io-failed` is final: the write or sync is never tried again, nothing is acknowledged any more, and the
 * process should end.
 */
export type LogErrorCode =
  /** Another process has the data directory. */
  | 'data-dir-locked'
  /** Another broker took the data directory over while this one was running. */
  | 'data-dir-taken'
  /** Files were removed or replaced under the running broker. */
  | 'data-dir-gone'
  /** The data directory cannot be written to. */
  | 'data-dir-read-only'
  /** The directory holds something, but not our data. */
  | 'data-dir-foreign'
  /** The data was written by a newer version. */
  | 'format-newer'
  /** No room for what must be written. Nothing is lost; it works again when there is. */
  | 'disk-full'
  /** Too many files are open. Nothing is lost; the same may work later. */
  | 'files-exhausted'
  /** A write or a sync failed. */
  | 'io-failed'
  /** Bytes on disk are not what was written, and the operation cannot go around them. */
  | 'damaged'
  /** The log was closed, or had failed before. */
  | 'closed'
  | 'partition-deleted'
  | 'record-too-large'
  /** Bytes that are no RecordBatch v2, or not what their checksum says. */
  | 'batch-invalid'
  /** A RecordBatch v2 whose records are not what its header says. */
  | 'records-invalid'
  /** A batch is compressed with a codec nobody gave the log a decompressor for. */
  | 'compression-unsupported'
  /** A call that is never allowed, or not at this time: a mistake of the caller. */
  | 'misuse';

/** A refusal by the log: what happened, to what, and what to do, with a code that programs can match. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/**
 * A damage report says which stored bytes are not what was written, what that loses, and where a copy was
 * put. Everything else goes on being served.
 */
export interface DamageReport {
  readonly kind: 'journal' | 'segment' | 'checkpoint' | 'identity' | 'owner' | 'unknown-file' | 'records';
  /** One sentence for the operator. */
  readonly message: string;
  /** Where, relative to the data directory. */
  readonly path: string;
  readonly position?: number;
  readonly bytes?: number;
  /** Records lost for good: `[fromOffset, toOffset)` of a partition. */
  readonly partitionId?: number;
  readonly fromOffset?: number;
  readonly toOffset?: number;
  /** Copy of the damaged bytes, or where the unknown file went, relative to the data directory. */
  readonly quarantined?: string;
}

/** The code of a failed system call (`ENOENT`, `EIO`, …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Errors that say "not now": the disk or the quota is full, too many files are open. Nothing was lost; the
 * same may work later.
 */
export function isShortage(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EMFILE' || code === 'ENFILE';
}

/**
 * The error of a system call as one of the log's: what could not be done, and why. `otherwise` is the code
 * when it is no shortage.
 */
export function logErrorOf(error: unknown, what: string, otherwise: LogErrorCode): LogError {
  if (error instanceof LogError) return error;
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new LogError('disk-full', `${what}: there is no room on the disk (${code}).`, error);
  if (code === 'EMFILE' || code === 'ENFILE')
    return new LogError('files-exhausted', `${what}: too many files are open (${code}).`, error);
  return new LogError(otherwise, `${what}: ${(error as Error).message}.`, error);
}
