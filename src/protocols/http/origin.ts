import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { HttpError } from './error.ts';

export interface OriginRules {
  /** The address it listens on. */
  readonly boundHost: string;
  /** Any name will do: every request has to prove by itself that it may come, as by a token. */
  readonly takesAnyName: boolean;
  /** What its clients write before `://`. */
  readonly scheme: 'http' | 'https';
}

/**
 * Keeps web pages out. A page on another site may resolve its own name to 127.0.0.1 (DNS rebinding), so that
 * its requests come with a foreign Host; or send a form here, which comes with a foreign Origin. Neither is a
 * client of ours. Throws an HttpError.
 */
export function checkOrigin(
  { host = '', origin }: Pick<IncomingHttpHeaders, 'host' | 'origin'>,
  { boundHost, takesAnyName, scheme }: OriginRules,
): void {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  const isListeningEverywhere = boundHost === '0.0.0.0' || boundHost === '::';
  const isAllowed =
    takesAnyName ||
    ['localhost', '127.0.0.1', '::1', boundHost.toLowerCase()].includes(name) ||
    // A name can be made to point here, an address cannot.
    (isListeningEverywhere && isIP(name) !== 0);
  if (!isAllowed)
    throw new HttpError(
      403,
      'host-not-allowed',
      `The Host "${host.slice(0, 200)}" is not one of this server's; use localhost or the address it listens on.`,
    );
  if (origin !== undefined && origin !== `${scheme}://${host}`)
    throw new HttpError(403, 'origin-not-allowed', 'Web pages of other origins may not send requests here.');
}
