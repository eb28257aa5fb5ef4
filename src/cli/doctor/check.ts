export type CheckStatus = 'ok' | 'warning' | 'problem';

/**
 * A check is one finding about the machine: a problem keeps a broker from starting or from keeping its word.
 */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
  /** What was measured, for programs. */
  readonly figures?: { readonly [name: string]: number };
}

/** The settings the checks look at. */
export interface Examination {
  readonly data: string;
  /** The protocols that are switched on. */
  readonly doors: readonly { readonly title: string; readonly host: string; readonly port: number }[];
  readonly adminHost: string;
  readonly adminPort: number;
}
