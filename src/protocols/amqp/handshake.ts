import { methods, type Arguments, type FieldTable, type Method } from '../../wire/amqp/index.ts';
import { AmqpError } from './errors.ts';
import { mayEnter } from './permissions.ts';
import { frameBytesMin } from './limits.ts';
import { logIn, offeredMechanisms, type LoggedIn } from './login.ts';
import { serverProperties } from './server-properties.ts';
import type { Session } from './session.ts';

/** What a client says about itself in connection.start-ok. */
export interface ClientFacts {
  /** The name that the program gives to its connection. */
  readonly name: string;
  readonly product: string;
  readonly version: string;
  /** It understands basic.cancel, connection.blocked, connection.close for a refused login. */
  readonly hearsCancels: boolean;
  readonly hearsBlocked: boolean;
  readonly hearsRefusedLogins: boolean;
}

type State = 'new' | 'starting' | 'tuning' | 'opening';

/** The handshake of a connection: `start`, `tune`, `open`; see the grammar of the class connection. */
export class Handshake {
  readonly #session: Session;
  #state: State = 'new';

  constructor(session: Session) {
    this.#session = session;
  }

  /** The client has sent the protocol header. */
  begin(): void {
    this.#state = 'starting';
    this.#session.send(0, methods.connection.start, {
      versionMajor: 0,
      versionMinor: 9,
      serverProperties,
      mechanisms: Buffer.from(offeredMechanisms(this.#session.host)),
      locales: Buffer.from('en_US'),
    });
  }

  /** Takes a method. Throws, or rejects with, an AmqpError. */
  step(channel: number, method: Method, values: Arguments<Method>): void | Promise<void> {
    const { startOk, tuneOk, open } = methods.connection;
    if (channel === 0 && this.#state === 'starting' && method === startOk)
      return this.#started(values as unknown as Arguments<typeof startOk>);
    if (channel === 0 && this.#state === 'tuning' && method === tuneOk)
      return this.#tuned(values as unknown as Arguments<typeof tuneOk>);
    if (channel === 0 && this.#state === 'opening' && method === open)
      return this.#opened(values as unknown as Arguments<typeof open>);
    throw new AmqpError(
      'COMMAND_INVALID',
      `unexpected method ${method.name} in connection state ${this.#state}`,
    );
  }

  #started({
    clientProperties,
    mechanism,
    response,
  }: Arguments<typeof methods.connection.startOk>): void | Promise<void> {
    const session = this.#session;
    session.client = factsOf(clientProperties);
    const refused = (error: unknown): void => {
      if (!(error instanceof AmqpError) || error.reply !== 'ACCESS_REFUSED') throw error;
      if (session.client.hearsRefusedLogins) session.fail(error);
      else session.refuseSilently(error);
    };
    try {
      const result = logIn(session.host, session.loginClient, mechanism, response);
      if (!(result instanceof Promise)) return this.#loggedIn(result);
      return result.then((loggedIn) => this.#loggedIn(loggedIn)).catch(refused);
    } catch (error) {
      return refused(error);
    }
  }

  #loggedIn({ login, userName }: LoggedIn): void {
    const session = this.#session;
    const { channelsMax, frameBytesMax, heartbeatSeconds } = session.host.limits;
    session.login = login;
    session.userName = userName;
    this.#state = 'tuning';
    session.send(0, methods.connection.tune, {
      channelMax: channelsMax,
      frameMax: frameBytesMax,
      heartbeat: heartbeatSeconds,
    });
  }

  #tuned({ channelMax, frameMax, heartbeat }: Arguments<typeof methods.connection.tuneOk>): void {
    const { channelsMax, frameBytesMax } = this.#session.host.limits;
    checkTuned('channel_max', channelMax, 1, channelsMax);
    checkTuned('frame_max', frameMax, frameBytesMin, frameBytesMax);
    this.#session.tuned(channelMax, frameMax, heartbeat);
    this.#state = 'opening';
  }

  #opened({ virtualHost: name }: Arguments<typeof methods.connection.open>): void {
    const session = this.#session;
    const host = session.host.inVhost(name);
    if (!host) throw new AmqpError('NOT_ALLOWED', `vhost ${name} not found`);
    const { userName, access } = session;
    if (!mayEnter(access, host.queues.names))
      throw new AmqpError('NOT_ALLOWED', `access to vhost '${name}' refused for user '${userName}'`);
    session.opened(host);
    session.send(0, methods.connection.openOk, { reserved1: '' });
  }
}

/** 0 means no limit, which is more than the server's. */
function checkTuned(what: string, value: number, min: number, max: number): void {
  const negotiated = `negotiated ${what} = ${value} is`;
  if (value !== 0 && value < min)
    throw new AmqpError('NOT_ALLOWED', `${negotiated} lower than the minimum allowed value (${min})`);
  if (value === 0 || value > max)
    throw new AmqpError('NOT_ALLOWED', `${negotiated} higher than the maximum allowed value (${max})`);
}

function factsOf(properties: FieldTable): ClientFacts {
  const text = (name: string): string => {
    const value = properties.get(name);
    return typeof value === 'string' ? value : '';
  };
  const capabilities = properties.get('capabilities');
  const can = (name: string): boolean =>
    capabilities instanceof Map && (capabilities as FieldTable).get(name) === true;
  return {
    name: text('connection_name'),
    product: text('product'),
    version: text('version'),
    hearsCancels: can('consumer_cancel_notify'),
    hearsBlocked: can('connection.blocked'),
    hearsRefusedLogins: can('authentication_failure_close'),
  };
}
