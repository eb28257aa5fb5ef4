import { WireError } from './errors.ts';

/**
 * The options of a client in CONNECT. An absent member keeps its value from an earlier CONNECT, or is the
 * default.
 */
export interface ConnectOptions {
  /** Send +OK after every verb but PING; the server's default is true. */
  readonly verbose?: boolean;
  /** Check the subjects of publishes; default true. */
  readonly pedantic?: boolean;
  /** Deliver its own messages to its own subscriptions; default true. */
  readonly echo?: boolean;
  readonly headers?: boolean;
  readonly no_responders?: boolean;
  readonly tls_required?: boolean;
  readonly user?: string;
  readonly pass?: string;
  readonly auth_token?: string;
  readonly nkey?: string;
  readonly jwt?: string;
  readonly sig?: string;
  readonly name?: string;
  readonly lang?: string;
  readonly version?: string;
  /** 1 if the client understands INFO at any time, else 0. */
  readonly protocol?: number;
}

/** The description of a server in INFO. */
export interface ServerInfo {
  readonly server_id: string;
  readonly server_name: string;
  /** The nats-server version whose features clients may use. */
  readonly version: string;
  /** The version of Pillarbox, by which clients know that its extensions are there. */
  readonly pillarbox?: string;
  readonly proto: number;
  readonly host: string;
  readonly port: number;
  readonly headers: boolean;
  readonly max_payload: number;
  readonly jetstream?: boolean;
  /** The JetStream API level, if there is JetStream. */
  readonly api_lvl?: number;
  readonly auth_required?: boolean;
  /** What a client with an nkey signs. */
  readonly nonce?: string;
  readonly tls_required?: boolean;
  /** Clients need a certificate. */
  readonly tls_verify?: boolean;
  readonly client_id?: number;
  readonly client_ip?: string;
  /** Lame duck mode: the server is about to stop. */
  readonly ldm?: boolean;
  /** This INFO answers CONNECT: the account is known. */
  readonly connect_info?: boolean;
  readonly remote_account?: string;
}

const memberTypes: { readonly [K in keyof ConnectOptions]-?: 'boolean' | 'string' | 'number' } = {
  verbose: 'boolean',
  pedantic: 'boolean',
  echo: 'boolean',
  headers: 'boolean',
  no_responders: 'boolean',
  tls_required: 'boolean',
  user: 'string',
  pass: 'string',
  auth_token: 'string',
  nkey: 'string',
  jwt: 'string',
  sig: 'string',
  name: 'string',
  lang: 'string',
  version: 'string',
  protocol: 'number',
};

/**
 * Decodes the argument of CONNECT. Null and unknown members are skipped; a member of a wrong type is an
 * error.
 */
export function decodeConnect(text: string): ConnectOptions {
  const json = parseObject(text, 'CONNECT');
  const options: Record<string, unknown> = {};
  for (const [name, type] of Object.entries(memberTypes)) {
    const value = json[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== type) {
      throw new WireError('bad-json', `The member "${name}" of CONNECT must be a ${type}.`);
    }
    options[name] = value;
  }
  return options;
}

/** Decodes the argument of INFO. */
export function decodeInfo(text: string): ServerInfo {
  return parseObject(text, 'INFO') as unknown as ServerInfo;
}

function parseObject(text: string, verb: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new WireError('bad-json', `The argument of ${verb} is no JSON: ${(cause as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WireError('bad-json', `The argument of ${verb} must be a JSON object.`);
  }
  return value as Record<string, unknown>;
}
