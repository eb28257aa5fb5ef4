/**
 * The codes of all errors of the log. The list is closed.
 *
 * `io-failed` is final: the write or sync is never tried again, nothing is acknowledged any more, and the
 * process should end.
 */
export type LogErrorCode =
  /** Another process holds the data directory. */
  | 'data-dir-locked'
  /** Another broker took the data directory over while this one was running. */
  | 'data-dir-taken'
  /** Files were removed or replaced under the running broker. */
  | 'data-dir-gone'
  /** The data directory cannot be written to. */
  | 'data-dir-read-only'
  /** The directory contains files, but not our data. */
  | 'data-dir-foreign'
  /** The data was written by a newer version. */
  | 'format-newer'
  /** There is no room for a write. Nothing is lost; the operation works again when there is room. */
  | 'disk-full'
  /** Too many files are open. Nothing is lost; the operation may work later. */
  | 'files-exhausted'
  /** A write or a sync failed. */
  | 'io-failed'
  /** Bytes on disk do not match their checksum, and the operation cannot work without them. */
  | 'damaged'
  /** The log was closed, or had failed before. */
  | 'closed'
  | 'partition-deleted'
  | 'record-too-large'
  /** Bytes that are not a RecordBatch v2, or that do not match their checksum. */
  | 'batch-invalid'
  /** A RecordBatch v2 whose records contradict its header. */
  | 'records-invalid'
  /** A batch is compressed with a codec for which the log has no decompressor. */
  | 'compression-unsupported'
  /** A call that is never allowed, or not at this time: a bug in the caller. */
  | 'misuse';

/** An error of the log: what happened, to what, and what to do, with a code for programs. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;

  constructor(code: LogErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/**
 * A damage report describes damaged bytes on disk: what is lost by them, and where a copy was put. Everything
 * else is still served.
 */
export interface DamageReport {
  readonly kind: 'journal' | 'segment' | 'checkpoint' | 'identity' | 'owner' | 'unknown-file' | 'records';
  /** One sentence for the operator. */
  readonly message: string;
  /** The file, relative to the data directory. */
  readonly path: string;
  readonly position?: number;
  readonly bytes?: number;
  /** Records lost for good: `[fromOffset, toOffset)` of a partition. */
  readonly partitionId?: number;
  readonly fromOffset?: number;
  readonly toOffset?: number;
  /** Where the copy of the damaged bytes, or the unknown file, was put, relative to the data directory. */
  readonly quarantined?: string;
}

/** The code of a failed system call (`ENOENT`, `EIO`, …), if the error is one. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Whether an error is temporary: the disk or the quota is full, or too many files are open. Nothing is lost;
 * the same call may work later.
 */
export function isShortage(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EMFILE' || code === 'ENFILE';
}

/**
 * Converts the error of a system call to a LogError that says what could not be done, and why. `otherwise` is
 * its code unless the error is a shortage.
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
