/**
 * Exit codes of the process. Those from 64 on are the numbers of BSD's sysexits.h, so that scripts and
 * supervisors can tell "try again later" from "a person must look". docs/cli.md lists them.
 */
export const exitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** The requested thing does not exist, or is not healthy. */
  notFound: 3,
  /** No broker answers, or an address cannot be listened on. */
  unavailable: 69,
  /**
   * A write or sync of the log failed, or an error was not handled. The broker stopped rather than
   * acknowledge messages that may not be on disk.
   */
  storageFailed: 70,
  /** The data directory cannot be created or written. */
  cannotCreate: 73,
  /** Stored data cannot be read. */
  inputOutput: 74,
  /** Another broker uses the data directory. */
  inUse: 75,
  configuration: 78,
  /** Ended by SIGINT or SIGTERM: 128 + the number of the signal. */
  interrupted: 130,
  /** The reader of the output went away: 128 + the number of SIGPIPE. */
  readerGone: 141,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** An error that ends a command: one sentence for people, one code for programs. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(code: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = code;
  }
}

/** The exit code for each error code of the server (`ServerErrorCode`). */
export const exitCodeOfServerError: { readonly [code: string]: ExitCode } = {
  'configuration-invalid': exitCode.configuration,
  'address-not-allowed': exitCode.configuration,
  'address-in-use': exitCode.unavailable,
  'address-unavailable': exitCode.unavailable,
  'data-dir-in-use': exitCode.inUse,
  'data-dir-unusable': exitCode.cannotCreate,
  'storage-unreadable': exitCode.inputOutput,
  'storage-failed': exitCode.storageFailed,
  'ports-file-unwritable': exitCode.cannotCreate,
};
