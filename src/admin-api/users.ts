/** All users that there are. */
export interface UsersJson {
  readonly users: readonly UserJson[];
}

/** A user, without its secrets. */
export interface UserJson {
  readonly name: string;
  /** False: a client of a protocol added it, and may change it. */
  readonly configured: boolean;
  /** The kinds of its credentials. */
  readonly credentials: readonly ('password' | 'token' | 'nkey' | 'certificate' | 'access-key')[];
  /** The protocols that it may log in by; null: all. */
  readonly protocols: readonly string[] | null;
  /** What it may do with topics; null: everything. An action that is absent is allowed for none. */
  readonly permissions: {
    readonly publish?: UserRulesJson;
    readonly consume?: UserRulesJson;
    readonly manage?: UserRulesJson;
  } | null;
}

/** Names, beginnings (`orders-*`) or `*`. What is denied is denied even if it is allowed, too. */
export interface UserRulesJson {
  /** Null: all. */
  readonly allow: readonly string[] | null;
  readonly deny: readonly string[];
}
