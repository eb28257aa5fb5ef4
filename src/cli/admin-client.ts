import { CliError, exitCode } from './exit-code.ts';

/** The address of a broker with default settings. */
export const defaultUrl = 'http://127.0.0.1:8222';

export interface AdminClientOptions {
  readonly url: string;
  readonly token?: string | undefined;
}

type Query = { readonly [name: string]: string | number | undefined };

/** The admin client is the command line's only access to a broker: the admin HTTP of docs/admin-api.md. */
export class AdminClient {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(options: AdminClientOptions) {
    const url = /^https?:\/\//.test(options.url) ? options.url : `http://${options.url}`;
    if (!URL.canParse(url))
      throw new CliError(
        exitCode.usage,
        `"${options.url}" is not an address of a broker; one looks like ${defaultUrl}.`,
      );
    this.url = url.replace(/\/+$/, '');
    this.#token = options.token;
  }

  async get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return (await this.#send('GET', path, query, undefined, signal)) as T;
  }

  async post<T>(path: string, body?: object, signal?: AbortSignal): Promise<T> {
    return (await this.#send('POST', path, {}, body, signal)) as T;
  }

  async delete<T>(path: string): Promise<T> {
    return (await this.#send('DELETE', path, {}, undefined, undefined)) as T;
  }

  async #send(
    method: string,
    path: string,
    query: Query,
    body: object | undefined,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const url = new URL(`${this.url}${path}`);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: {
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw this.#unreachable(error);
    }
    const reply = parseJson(text);
    if (response.ok && reply !== undefined) return reply;
    throw this.#refused(response.status, reply);
  }

  #unreachable(error: unknown): CliError {
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    const reason = cause?.code ?? (error instanceof Error ? error.message : String(error));
    const hint =
      this.url === defaultUrl
        ? 'Start one with "pillarbox serve", or name another with --url or PILLARBOX_URL.'
        : 'Check the address given with --url or PILLARBOX_URL, and that the broker runs.';
    return new CliError(
      exitCode.unavailable,
      `There is no broker at ${this.url} (${reason}). ${hint}`,
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
        `The broker at ${this.url} wants a token: give it with --token or PILLARBOX_TOKEN.`,
      );
    // The broker is stopping, or has no room for another connection: a later try may succeed.
    if (error.code === 'closed' || error.code === 'connections-exceeded')
      return new CliError(
        exitCode.unavailable,
        `The broker at ${this.url} does not answer now: ${error.message}`,
      );
    return new CliError(status === 404 ? exitCode.notFound : exitCode.failure, error.message);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A path from its escaped parts: `apiPath('topics', 'a/b')` is `/api/v1/topics/a%2Fb`. */
export function apiPath(...parts: readonly string[]): string {
  return `/api/v1/${parts.map(encodeURIComponent).join('/')}`;
}
