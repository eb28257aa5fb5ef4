/** A list of allowed names or patterns, or lists of allowed and denied ones. */
export type RuleSettings =
  | string
  | readonly string[]
  | { readonly allow?: string | readonly string[]; readonly deny?: string | readonly string[] };

/** A user as written in the configuration: one table of the key `users`. docs/users.md describes each key. */
export interface UserSettings {
  readonly name: string;
  /** The password, or the verifier that `pillarbox user hash` prints. */
  readonly password?: string;
  readonly token?: string;
  readonly nkey?: string | readonly string[];
  readonly certificate?: string | readonly string[];
  readonly protocols?: string | readonly string[];
  readonly permissions?: {
    readonly publish?: RuleSettings;
    readonly consume?: RuleSettings;
    readonly manage?: RuleSettings;
  };
  readonly nats?: {
    readonly publish?: RuleSettings;
    readonly subscribe?: RuleSettings;
    readonly 'allow-responses'?:
      | boolean
      | {
          readonly max?: number;
          /** `2m`, `500ms`. */
          readonly expires?: string;
        };
  };
}
