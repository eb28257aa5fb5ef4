import type * as transport from '@nats-io/transport-node';
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import type { DriverOptions } from '../../connect.ts';
import { ClientError } from '../../errors.ts';
import { loadPeer } from '../../peer.ts';
import type { ServerUrl } from '../../target-url.ts';
import { errorCodes, type ApiAnswer, type ApiError } from './wire.ts';

/** The package that speaks NATS. */
export type NatsPackage = typeof transport;

const packageName = '@nats-io/transport-node';
/** How long the client waits between two tries to connect again. */
const reconnectWaitMs = 250;

/**
 * A connection to a NATS server, which connects again by itself for as long as it is open. It has the
 * requests of JetStream's API.
 */
export class Connection {
  readonly target: string;
  readonly nats: NatsPackage;
  readonly core: NatsConnection;
  readonly options: DriverOptions;
  readonly #reconnected = new Set<() => void>();
  /** Whether bytes go to a server now. */
  isUp = true;

  private constructor(target: string, nats: NatsPackage, core: NatsConnection, options: DriverOptions) {
    this.target = target;
    this.nats = nats;
    this.core = core;
    this.options = options;
    void this.#watch();
  }

  static async open(server: ServerUrl, options: DriverOptions): Promise<Connection> {
    const nats = await loadPeer(server.shown, packageName, () => import('@nats-io/transport-node'));
    const { name, token, requestTimeoutMs } = options;
    const user = options.user ?? server.user;
    const pass = options.password ?? server.password;
    const given: ConnectionOptions = {
      servers: [...server.hosts],
      name: name ?? 'pillarbox-client',
      timeout: requestTimeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectWaitMs,
      ...(token === undefined ? {} : { token }),
      ...(user === undefined ? {} : { user }),
      ...(pass === undefined ? {} : { pass }),
      ...(server.parameters.get('tls') === 'true' ? { tls: {} } : {}),
    };
    try {
      return new Connection(server.shown, nats, await nats.connect(given), options);
    } catch (error) {
      throw new ClientError(
        'unreachable',
        `${server.shown} cannot be reached: ${(error as Error).message}`,
        error,
      );
    }
  }

  /** Calls back after each new connection that follows a lost one. Returns the function that stops this. */
  onReconnect(callback: () => void): () => void {
    this.#reconnected.add(callback);
    return () => this.#reconnected.delete(callback);
  }

  /** Asks the API; throws a ClientError for a refusal, unless its code is expected: then it is undefined. */
  async ask<A extends ApiAnswer>(verb: string, body: object, ...expected: number[]): Promise<A | undefined> {
    let answer: A;
    try {
      const reply = await this.core.request(`$JS.API.${verb}`, JSON.stringify(body), {
        timeout: this.options.requestTimeoutMs,
      });
      answer = JSON.parse(Buffer.from(reply.data).toString('utf8')) as A;
    } catch (error) {
      throw new ClientError(
        'unreachable',
        `${this.target} does not answer ${verb}: ${(error as Error).message}`,
        error,
      );
    }
    if (!answer.error) return answer;
    if (expected.includes(answer.error.err_code ?? 0)) return undefined;
    throw refusal(`${this.target} refuses ${verb}`, answer.error);
  }

  /** Gives everything sent so far to the server, and ends the connection. */
  async close(): Promise<void> {
    this.#reconnected.clear();
    if (this.core.isClosed()) return;
    const { requestTimeoutMs, clock } = this.options;
    let timer: { cancel(): void } | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimer(this.isUp ? requestTimeoutMs : 0, resolve);
    });
    await Promise.race([this.core.flush().catch(() => undefined), late]);
    timer?.cancel();
    await this.core.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.core.status()) {
      if (status.type === 'disconnect') {
        this.isUp = false;
        this.options.fault(
          new ClientError('unreachable', `${this.target} is not connected any more; trying again.`),
        );
      } else if (status.type === 'reconnect') {
        this.isUp = true;
        for (const callback of this.#reconnected) callback();
      } else if (status.type === 'error') this.options.fault(status.error);
    }
  }
}

/** An error of the API in the client's words. */
export function refusal(what: string, error: ApiError): ClientError {
  const { description = '', err_code: code } = error;
  const message = `${what}: ${description} (${code ?? error.code})`;
  if (code === errorCodes.streamFull) return new ClientError('topic-full', message);
  if (code === errorCodes.messageTooLarge || code === errorCodes.headersTooLarge)
    return new ClientError('message-too-large', message);
  return new ClientError('refused', message);
}
