/** The session of a browser, or what is needed for one. */
export interface SessionJson {
  /** Whether requests have to log in here. */
  readonly needsLogin: boolean;
  readonly isLoggedIn: boolean;
  /** Null: no particular user. */
  readonly user: string | null;
  /** To be sent as `X-Pillarbox-Csrf` with every change; empty without a session. */
  readonly csrf: string;
  /** Whether the user may manage all topics, which connections and the server's own figures take. */
  readonly managesAll: boolean;
}

/** A user with its password, or a token. */
export interface SessionToBeginJson {
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}
