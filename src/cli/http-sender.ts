import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as sendHttp } from 'node:http';
import type * as https from 'node:https';
import { createRequire } from 'node:module';
import { CliError, exitCode } from './exit-code.ts';

/** The TLS options of a connection to a broker: paths of PEM files. */
export interface TlsFiles {
  /** Certificates that must have signed the broker's, instead of those that the system trusts. */
  readonly ca?: string | undefined;
  /** The certificate of this client, and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The `ca` is the broker's own certificate, for any name of the broker. */
  readonly isPinned?: boolean;
}

interface HttpAsk {
  readonly method: string;
  readonly url: URL;
  readonly headers: { readonly [name: string]: string };
  /** Sent as JSON. */
  readonly body: object | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly text: string;
}

/** Sends requests to a broker, by http or https, and keeps the connection for the next. */
export class HttpSender {
  readonly #tls: TlsFiles;
  readonly #identity: https.AgentOptions;
  #plain: HttpAgent | undefined;
  #secure: { readonly send: typeof https.request; readonly agent: https.Agent } | undefined;

  /** Throws a CliError if a file cannot be read, or a certificate has no key. */
  constructor(tls: TlsFiles = {}) {
    if ((tls.cert === undefined) !== (tls.key === undefined))
      throw new CliError(exitCode.usage, 'A client certificate needs both --client-cert and --client-key.');
    this.#tls = tls;
    this.#identity = {
      ...(tls.ca === undefined ? {} : { ca: readPem('--ca', tls.ca) }),
      ...(tls.cert === undefined ? {} : { cert: readPem('--client-cert', tls.cert) }),
      ...(tls.key === undefined ? {} : { key: readPem('--client-key', tls.key) }),
    };
  }

  /** Rejects with the system's or TLS's error, which has a `code`. */
  send({ method, url, headers, body, signal }: HttpAsk): Promise<HttpReply> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const options = {
      method,
      headers: {
        ...headers,
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
      ...(signal === undefined ? {} : { signal }),
    };
    return new Promise((resolve, reject) => {
      const outgoing =
        url.protocol === 'https:' ? this.#sendSecure(url, options) : this.#sendPlain(url, options);
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
      });
      outgoing.end(text);
    });
  }

  #sendPlain(url: URL, options: https.RequestOptions): ReturnType<typeof sendHttp> {
    const agent = (this.#plain ??= new HttpAgent({ keepAlive: true }));
    return sendHttp(url, { ...options, agent });
  }

  #sendSecure(url: URL, options: https.RequestOptions): ReturnType<typeof sendHttp> {
    if (!this.#secure) {
      // Loaded only if it is used.
      const { Agent, request } = createRequire(import.meta.url)('node:https') as typeof https;
      const anyName = this.#tls.isPinned === true ? { checkServerIdentity: () => undefined } : {};
      const agent = new Agent({ keepAlive: true, ...this.#identity, ...anyName });
      this.#secure = { send: request, agent };
    }
    const { send, agent } = this.#secure;
    return send(url, { ...options, agent });
  }
}

function readPem(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new CliError(
      exitCode.usage,
      `The file ${path} given with ${flag} cannot be read (${code}).`,
      error,
    );
  }
}
