import { Reader, readTable, type FieldTable } from '../../wire/amqp/index.ts';
import type { Login, Proof } from '../users/index.ts';
import { AmqpError } from './errors.ts';
import type { SessionHost } from './session-host.ts';

/** The ways to log in, in the order in which they are offered. */
const mechanisms = ['AMQPLAIN', 'PLAIN', 'EXTERNAL'] as const;
export type Mechanism = (typeof mechanisms)[number];

/** The client that logs in. */
export interface LoginClient {
  readonly address: string;
  /** The names in the certificate of the client. */
  readonly certificateNames: readonly string[];
}

/** What a client has proved, and the name that it gave. */
export interface LoggedIn {
  readonly login: Login;
  readonly userName: string;
}

/** The mechanisms that a server offers, as the text of connection.start. */
export function offeredMechanisms({ asksForCertificates }: Pick<SessionHost, 'asksForCertificates'>): string {
  return mechanisms.filter((name) => name !== 'EXTERNAL' || asksForCertificates).join(' ');
}

/**
 * The login for a connection.start-ok. It is returned at once, unless a password must wait for its turn with
 * the throttle or has to be derived. Throws, or rejects with, an AmqpError.
 */
export function logIn(
  host: SessionHost,
  client: LoginClient,
  mechanism: string,
  response: Uint8Array,
): LoggedIn | Promise<LoggedIn> {
  if (!offeredMechanisms(host).split(' ').includes(mechanism))
    throw new AmqpError('COMMAND_INVALID', `unsupported authentication mechanism '${mechanism}'`);
  const proof = proofOf(client, mechanism as Mechanism, response);
  const userName = proof.kind === 'password' ? proof.user : '';
  const { users, logins, clock } = host;
  if (!users.requires('amqp')) return { login: users.openLogin('amqp'), userName };
  const waitMs = logins.admit(client.address, userName);
  if (waitMs === undefined) throw refused(mechanism);
  const finish = (login: Login | undefined): LoggedIn => {
    if (login) logins.succeeded(client.address, userName);
    else logins.failed(client.address, userName);
    if (!login) throw refused(mechanism);
    return { login, userName: login.user?.name ?? userName };
  };
  const prove = (): LoggedIn | Promise<LoggedIn> => {
    const login = users.logIn('amqp', proof);
    return login instanceof Promise ? login.then(finish) : finish(login);
  };
  if (waitMs === 0) return prove();
  return new Promise<void>((resolve) => void clock.setTimer(waitMs, resolve)).then(prove);
}

function refused(mechanism: string): AmqpError {
  return new AmqpError(
    'ACCESS_REFUSED',
    `Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`,
  );
}

function proofOf({ certificateNames }: LoginClient, mechanism: Mechanism, response: Uint8Array): Proof {
  switch (mechanism) {
    case 'PLAIN':
      return plainProof(Buffer.from(response).toString('utf8'));
    case 'AMQPLAIN':
      return tableProof(response);
    case 'EXTERNAL':
      return { kind: 'certificate', names: certificateNames };
    default:
      return mechanism satisfies never;
  }
}

/** `[authorization] NUL user NUL password` */
function plainProof(text: string): Proof {
  const [, user, password, ...rest] = text.split('\0');
  if (user === undefined || password === undefined || rest.length > 0)
    throw new AmqpError('SYNTAX_ERROR', 'the response of PLAIN has a user and a password');
  return { kind: 'password', user, password };
}

/** The entries of a table with LOGIN and PASSWORD, without the length in front. */
function tableProof(response: Uint8Array): Proof {
  const bytes = Buffer.alloc(4 + response.length);
  bytes.writeUInt32BE(response.length);
  bytes.set(response, 4);
  const table: FieldTable = readTable(new Reader(bytes));
  const [user, password] = [table.get('LOGIN'), table.get('PASSWORD')];
  if (typeof user !== 'string' || typeof password !== 'string')
    throw new AmqpError('SYNTAX_ERROR', 'the response of AMQPLAIN has LOGIN and PASSWORD');
  return { kind: 'password', user, password };
}
