import { createHash, randomBytes } from 'node:crypto';
import type { Login, Users } from '../../protocols/index.ts';
import { sameText } from '../../util/index.ts';

/** What a session is of: a user, or the admin token. */
export interface SessionLogin {
  /** Null: no particular user. */
  readonly user: string | null;
  /** Undefined: the admin token, which may do everything. */
  readonly login: Login | undefined;
}

/** A session of a browser. */
export interface Session extends SessionLogin {
  /** Must come in a header with every change: a page of another origin does not know it. */
  readonly csrf: string;
  readonly endsMs: number;
}

export interface SessionLimits {
  readonly sessionsMax: number;
  readonly lifeMs: number;
}

const defaults: SessionLimits = { sessionsMax: 1000, lifeMs: 12 * 3_600_000 };

/**
 * The sessions of browsers, by a random token of 256 bits that only its cookie has: here is its digest. They
 * are in memory, and end with the process.
 */
export class Sessions {
  readonly limits: SessionLimits;
  /** In the order in which they began. */
  readonly #sessions = new Map<string, Session>();

  constructor(limits: Partial<SessionLimits> = {}) {
    this.limits = { ...defaults, ...limits };
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Begins a session. If there are too many, the oldest ends. */
  begin(login: SessionLogin, nowMs: number): { readonly token: string; readonly session: Session } {
    for (const [key, { endsMs }] of this.#sessions) if (endsMs <= nowMs) this.#sessions.delete(key);
    const { sessionsMax, lifeMs } = this.limits;
    while (this.#sessions.size >= sessionsMax) {
      const [oldest] = this.#sessions.keys();
      if (oldest === undefined) break;
      this.#sessions.delete(oldest);
    }
    const token = randomBytes(32).toString('base64url');
    const session = { ...login, csrf: randomBytes(32).toString('base64url'), endsMs: nowMs + lifeMs };
    this.#sessions.set(keyOf(token), session);
    return { token, session };
  }

  /**
   * The session of a token, with the permissions that its user has now. It ends when the user is gone, or has
   * another password.
   */
  find(token: string, users: Users, nowMs: number): Session | undefined {
    const key = keyOf(token);
    const session = this.#sessions.get(key);
    if (!session) return undefined;
    const login = session.login && users.renew(session.login);
    if (session.endsMs > nowMs && (login !== undefined || session.login === undefined))
      return { ...session, login };
    this.#sessions.delete(key);
    return undefined;
  }

  end(token: string): void {
    this.#sessions.delete(keyOf(token));
  }
}

/** Whether a request that changes something proves that it comes from a page of this server. */
export function provesOwnPage({ csrf }: Session, header: unknown): boolean {
  return typeof header === 'string' && sameText(csrf, header);
}

/** Cookies are shared by all ports of a machine, so that its name has the port. */
export function cookieName(port: number): string {
  return `pillarbox-session-${port}`;
}

/** The value of a cookie in the header `Cookie`. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
