import type { HttpRequest } from '../http/index.ts';
import type { Access, Login } from '../users/index.ts';

/** The caller of an operation: the account and the region that it means, and how it addressed this server. */
export interface Caller {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  /** The address by which the client knows this server: `http://127.0.0.1:9324`. */
  readonly origin: string;
  /** The user that has signed the request; null: no login is asked for, and the caller may do everything. */
  readonly user: string | null;
  readonly access: Access;
  /** The address of the client. */
  readonly address: string;
  /** Aborted when the client has gone or the server stops: for answers that wait. */
  readonly signal: AbortSignal;
}

/** The account and the region of clients that name none. */
const defaultAccount = '000000000000';
const defaultRegion = 'us-east-1';

/**
 * The caller of a request. The region stands in the scope of its credentials, or in a Host such as
 * `sqs.eu-west-1.localhost`. An access key of twelve digits names an account. What the caller may do is for
 * its login to say.
 */
export function callerOf(
  request: HttpRequest,
  scheme: 'http' | 'https',
  { user, access }: Pick<Login, 'user' | 'access'>,
): Caller {
  const { authorization, host = 'localhost' } = request.headers;
  const [, key = '', region] = credential.exec(authorization ?? request.target.replaceAll('%2F', '/')) ?? [];
  return {
    account: /^\d{12}$/.test(key) ? key : defaultAccount,
    region: region ?? regionOfHost(host) ?? defaultRegion,
    origin: `${scheme}://${host}`,
    user: user?.name ?? null,
    access,
    address: request.address,
    get signal() {
      return request.signal;
    },
  };
}

/** `Credential=AKID/20261201/us-east-1/sqs/aws4_request`; in a presigned URL each `/` is `%2F`. */
const credential = /Credential=([^/,\s]{1,128})\/\d{8}\/([a-z0-9-]{1,32})\//;

/** `sqs.eu-west-1.localhost`, and `eu-west-1.queue.localhost`, as older clients write it. */
function regionOfHost(host: string): string | undefined {
  return (
    /^s[qn]s\.([a-z]{2}[a-z0-9-]{1,30}-\d)\./.exec(host)?.[1] ??
    /^([a-z]{2}[a-z0-9-]{1,30}-\d)\.queue\./.exec(host)?.[1]
  );
}
