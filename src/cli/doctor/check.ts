export type CheckStatus = 'ok' | 'warning' | 'problem';

/**
 * A check is one finding about the machine. A problem keeps a broker from starting or from keeping its
 * promises.
 */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  readonly message: string;
  /** How to solve the problem. */
  readonly advice?: string;
  /** Measurements, for programs. */
  readonly figures?: { readonly [name: string]: number };
}

/** The settings that the checks use. */
export interface Examination {
  readonly data: string;
  /** The enabled protocols. */
  readonly doors: readonly { readonly title: string; readonly host: string; readonly port: number }[];
  readonly adminHost: string;
  readonly adminPort: number;
  /** The certificate of the admin HTTP, if it speaks https. */
  readonly adminTlsCert?: string | undefined;
}
