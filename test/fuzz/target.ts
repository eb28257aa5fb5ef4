/**
 * A target is one reader of bytes from outside. `run` may throw nothing: it catches the errors that the
 * reader may throw. It also checks the result where possible.
 */
export interface Target {
  readonly name: string;
  /** Inputs that mean something, to begin with. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Words of its language. */
  readonly words?: readonly string[];
  /** Prepares the target once; returns the function that takes an input. */
  prepare(): Run | Promise<Run>;
}

export type Run = (input: Buffer) => void | Promise<void>;
