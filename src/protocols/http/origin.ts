import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { HttpError } from './error.ts';

export interface OriginRules {
  /** The address that the server listens on. */
  readonly boundHost: string;
  /** Accepts any name, because every request proves by itself, as by a token, that it is allowed. */
  readonly takesAnyName: boolean;
  /**
   * Accepts pages of other origins: `all` if every request proves by itself, by no means of the browser, that
   * it is allowed; `local` if a server on this machine has served them. Default: none.
   */
  readonly otherPages?: 'all' | 'local' | undefined;
  /** The scheme that clients write before `://`. */
  readonly scheme: 'http' | 'https';
}

const localOrigin = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * Keeps out web pages. A page on another site may resolve its own name to 127.0.0.1 (DNS rebinding): its
 * requests have a foreign Host. Or it may send a form here, which has a foreign Origin. Neither is a client
 * of this server. Throws an HttpError.
 */
export function checkOrigin(
  { host = '', origin }: Pick<IncomingHttpHeaders, 'host' | 'origin'>,
  { boundHost, takesAnyName, otherPages, scheme }: OriginRules,
): void {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  const isListeningEverywhere = boundHost === '0.0.0.0' || boundHost === '::';
  const isAllowed =
    takesAnyName ||
    ['localhost', '127.0.0.1', '::1', boundHost.toLowerCase()].includes(name) ||
    // A page can make a name point here, but not an address.
    (isListeningEverywhere && isIP(name) !== 0);
  if (!isAllowed)
    throw new HttpError(
      403,
      'host-not-allowed',
      `The Host "${host.slice(0, 200)}" is not one of this server's; use localhost or the address it listens on.`,
    );
  // A proxy that ends TLS has pages of https in front of a server of http.
  const isOwnPage = origin === `${scheme}://${host}` || origin === `https://${host}`;
  const isOtherPage = origin !== undefined && !isOwnPage && otherPages !== 'all';
  if (isOtherPage && !(otherPages === 'local' && localOrigin.test(origin)))
    throw new HttpError(403, 'origin-not-allowed', 'Web pages of other origins may not send requests here.');
}
