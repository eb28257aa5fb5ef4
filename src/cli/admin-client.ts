import type { AdminParams, AdminReplies, AdminRoute } from '../admin-api/index.ts';
import { type HttpReply, HttpSender, type TlsFiles } from './http-sender.ts';
import { CliError, type ExitCode, exitCode } from './exit-code.ts';
import { packageVersion } from './program.ts';

/** The address of a broker with default settings. */
export const defaultUrl = 'http://127.0.0.1:8222';

export interface AdminClientOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** A user to log in as, instead of the token. */
  readonly user?: AdminUser | undefined;
  /** For https. */
  readonly tls?: TlsFiles | undefined;
}

/** A user of the broker; the password is asked for with the first request. */
export interface AdminUser {
  readonly name: string;
  readonly password: () => Promise<string>;
}

export interface AskOptions {
  readonly query?: { readonly [name: string]: string | number | undefined };
  /** Sent as JSON. */
  readonly body?: object | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A broker that answers has refused a request. */
export class RefusedError extends CliError {
  /** The code of the refusal, such as `topic-not-found`. */
  readonly code: string;

  constructor(exitCode: ExitCode, code: string, message: string) {
    super(exitCode, message);
    this.code = code;
  }
}

/** The admin client is the command line's only access to a broker: the admin HTTP of docs/admin-api.md. */
export class AdminClient {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #user: AdminUser | undefined;
  #authorization: Promise<string> | undefined;
  readonly #sender: HttpSender;
  readonly #software = `pillarbox-cli/${packageVersion()}`;

  /** Throws a CliError when the address is none or a file of TLS cannot be read. */
  constructor({ url: given, token, user, tls }: AdminClientOptions) {
    const url = /^https?:\/\//.test(given) ? given : `http://${given}`;
    if (!URL.canParse(url))
      throw new CliError(
        exitCode.usage,
        `"${given}" is not an address of a broker; one looks like ${defaultUrl}.`,
      );
    this.url = url.replace(/\/+$/, '');
    this.#token = token;
    this.#user = user;
    this.#sender = new HttpSender(tls);
  }

  /** Sends a request of the route, with the names of its path filled in. Throws a CliError. */
  async ask<R extends AdminRoute>(
    route: R,
    params: { readonly [N in AdminParams<R>]: string },
    { query = {}, body, signal }: AskOptions = {},
  ): Promise<AdminReplies[R]> {
    const [method = '', path = ''] = route.split(' ');
    const url = new URL(this.url + filledIn(path, params));
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const authorization = await this.#authorize();
    const headers = {
      'user-agent': this.#software,
      ...(authorization === undefined ? {} : { authorization }),
    };
    let answer: HttpReply;
    try {
      answer = await this.#sender.send({ method, url, headers, body, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw this.#unreachable(error);
    }
    const reply = parseJson(answer.text);
    if (answer.status < 300 && reply !== undefined) return reply as AdminReplies[R];
    throw this.#refused(answer.status, reply);
  }

  #authorize(): Promise<string> | undefined {
    const user = this.#user;
    if (user) this.#authorization ??= user.password().then((password) => basic(user.name, password));
    else if (this.#token !== undefined) this.#authorization ??= Promise.resolve(`Bearer ${this.#token}`);
    return this.#authorization;
  }

  #unreachable(error: unknown): CliError {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const problem = tlsProblem(code, this.url);
    if (problem !== undefined) return new CliError(exitCode.failure, `${problem} (${code}).`, error);
    const hint =
      this.url === defaultUrl
        ? 'Start one with "pillarbox serve", or name another with --url or PILLARBOX_URL.'
        : 'Check the address given with --url or PILLARBOX_URL, and that the broker runs.';
    return new CliError(
      exitCode.unavailable,
      `There is no broker at ${this.url} (${code || message}). ${hint}`,
      error,
    );
  }

  #refused(status: number, reply: unknown): CliError {
    const { error } = (reply ?? {}) as { error?: { code?: string; message?: string } };
    if (typeof error?.message !== 'string')
      return new CliError(
        exitCode.failure,
        `What answers at ${this.url} is not a Pillarbox broker (HTTP ${status}); check --url or PILLARBOX_URL.`,
      );
    if (status === 401)
      return new CliError(
        exitCode.failure,
        this.#user
          ? `The broker at ${this.url} knows no user "${this.#user.name}" with this password: check --user and PILLARBOX_PASSWORD.`
          : `The broker at ${this.url} wants a token or a user: give --token or PILLARBOX_TOKEN, or --user and PILLARBOX_PASSWORD.`,
      );
    // The broker is stopping, or has no room for another connection: a later try may succeed.
    if (error.code === 'closed' || error.code === 'connections-exceeded')
      return new CliError(
        exitCode.unavailable,
        `The broker at ${this.url} does not answer now: ${error.message}`,
      );
    const exit = status === 404 ? exitCode.notFound : exitCode.failure;
    return new RefusedError(exit, error.code ?? '', error.message);
  }
}

function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Explains a TLS problem with a broker that answers, and what to do; undefined if it is another problem. */
function tlsProblem(code: string, url: string): string | undefined {
  if (untrusted.has(code))
    return `The certificate of the broker at ${url} is not signed by an authority that this machine trusts: name the authority's certificate with --ca or PILLARBOX_CA`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The certificate of the broker at ${url} is for another name: use a name that it has in --url`;
  if (code.startsWith('CERT_'))
    return `The certificate of the broker at ${url} is not valid: see that it and the clock of this machine are right`;
  if (/^ERR_SSL_.*(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|UNKNOWN_CA|BAD_CERTIFICATE)$/.test(code))
    return `The broker at ${url} wants a certificate that it trusts: give one with --client-cert and --client-key`;
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO')
    return `What answers at ${url} does not speak TLS: use http:// if the broker has no certificate`;
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** `/topics/:topic` with the topic `a/b` is `/topics/a%2Fb`. */
function filledIn(path: string, params: { readonly [name: string]: string }): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}
