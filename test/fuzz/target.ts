/**
 * A target is one reader of bytes from outside. `run` may throw nothing: what the reader is allowed to throw
 * it catches itself. It looks at the answer, too, where something can be said of it.
 */
export interface Target {
  readonly name: string;
  /** Inputs that mean something, to begin with. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Words of its language. */
  readonly words?: readonly string[];
  /** Made ready once; returns what takes an input. */
  prepare(): Run | Promise<Run>;
}

export type Run = (input: Buffer) => void | Promise<void>;
