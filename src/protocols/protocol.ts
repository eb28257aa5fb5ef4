import type { Broker } from '../broker/index.ts';
import type { Hall, TlsGuard } from './connections/index.ts';
import type { Frontend } from './frontend.ts';
import type { CommonSettings, ProtocolName, SettingTable } from './settings.ts';
import type { User, Users } from './users/index.ts';

/** The log for messages to operators. */
export interface ProtocolLog {
  debug(message: string, fields?: { readonly [name: string]: unknown }): void;
  warn(message: string, fields?: { readonly [name: string]: unknown }): void;
}

/** The parts of the server that a frontend uses. */
export interface ProtocolContext<S> {
  readonly broker: Broker;
  readonly hall: Hall;
  readonly users: Users;
  readonly settings: S;
  readonly log: ProtocolLog;
  /** Defined if the settings of the protocol name TLS files. */
  readonly tls: TlsGuard | undefined;
  /** The version of this server. */
  readonly version: string;
  /** Loads the frontend of another protocol that is switched on. */
  readonly frontendOf: (name: ProtocolName) => Promise<Frontend>;
}

/** The TLS files of a protocol: paths of PEM files. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** The CA certificates that client certificates must be signed by. */
  readonly ca: string | undefined;
  /** With `ca`: whether clients must have a certificate. Default: required. */
  readonly clientCertificates?: 'required' | 'requested';
}

/**
 * A protocol, as the server knows it before its code is loaded: its name, its settings, and how to make its
 * frontend.
 *
 * `Own` are the settings of the protocol, `All` the settings that it reads.
 */
export interface Protocol<Own, All = Own & CommonSettings, Name extends string = string> {
  /**
   * The name in the ports file, the admin HTTP and settings: `nats`. The setting `NAME-port` sets its port.
   */
  readonly name: Name;
  /** The name in sentences: `NATS`. */
  readonly title: string;
  readonly settings: SettingTable<Own>;
  /** The protocol whose users log in here. Default: its own. */
  readonly usersOf?: ProtocolName;
  /** The flags that make its clients log in, as the text after "set". */
  readonly loginFlags: string;
  port(settings: All): number | 'off';
  /** Users that settings of the protocol are shorthands for: one user with all permissions. */
  users(settings: All): readonly User[];
  /** Passes the users that the broker keeps for this protocol to the table; called before any door opens. */
  restoreUsers?(broker: Broker, users: Users): void;
  tls(settings: All): TlsFiles | undefined;
  /** Why the settings do not fit together and what to do, in one sentence; undefined if they fit. */
  problemOf(settings: All): string | undefined;
  /** The address as clients of the protocol write it, from `HOST:PORT`. */
  addressOf(endpoint: string): string;
  /**
   * What the start says of an address at which no login is asked for. For clients that cannot do without one.
   */
  readonly openRemark?: string;
  /** A command for trying the protocol, from `HOST:PORT`. */
  exampleOf?(endpoint: string): string;
  /** Loads the code of the protocol and makes its frontend. */
  create(context: ProtocolContext<All>): Promise<Frontend>;
}

/** An event that a frontend reports of a connection. */
interface ConnectionEvent {
  readonly kind: string;
  readonly connection: { readonly id: number; readonly address: string; readonly name: string };
  readonly reason?: { readonly kind: string };
}

/** Logs the events of connections at `debug`, or at `warn` if they end for one of the `alarming` reasons. */
export function connectionReporter(
  title: string,
  log: ProtocolLog,
  alarming: readonly string[],
): (event: ConnectionEvent) => void {
  return ({ kind, connection: { id, address, name }, ...rest }) => {
    const fields = { id, address, name, ...rest };
    if (rest.reason !== undefined && alarming.includes(rest.reason.kind))
      log.warn(`${title} connection ${kind}`, fields);
    else log.debug(`${title} connection ${kind}`, fields);
  };
}

/** Describes the problem if one of two settings is missing. */
export function bothOrNone(
  what: string,
  one: readonly [flag: string, value: unknown],
  other: readonly [flag: string, value: unknown],
): string | undefined {
  return (one[1] === undefined) === (other[1] === undefined)
    ? undefined
    : `${what} needs both ${one[0]} and ${other[0]}; one of them is missing.`;
}

/** The TLS settings of a protocol as paths; undefined: no TLS. */
export function tlsFilesOf(
  certificate: string | undefined,
  key: string | undefined,
  ca: string | undefined,
): TlsFiles | undefined {
  return certificate === undefined || key === undefined ? undefined : { certificate, key, ca };
}

/**
 * Describes a problem with the TLS settings of a protocol: certificate and key are needed together, and a CA
 * is of no use without them.
 */
export function problemOfTls(
  { title, name }: { readonly title: string; readonly name: string },
  [certificate, key, ca]: readonly [string | undefined, string | undefined, string | undefined],
): string | undefined {
  const problem = bothOrNone(
    `TLS for ${title}`,
    [`--${name}-tls-cert`, certificate],
    [`--${name}-tls-key`, key],
  );
  if (problem !== undefined || ca === undefined || certificate !== undefined) return problem;
  return `--${name}-tls-ca asks ${title} clients for certificates, which needs TLS: set --${name}-tls-cert and --${name}-tls-key, too.`;
}
