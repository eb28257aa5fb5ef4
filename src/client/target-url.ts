import { ClientError } from './errors.ts';

/** Where a client connects to, read from its URL. */
export type TargetUrl =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly dir: string }
  | { readonly kind: 'nats'; readonly isPillarbox: boolean; readonly server: ServerUrl }
  | { readonly kind: 'amqp' | 'sqs'; readonly server: ServerUrl };

/** A server on the network. */
export interface ServerUrl {
  /** As errors name it: without credentials. */
  readonly shown: string;
  /** `host:port`, one or more. */
  readonly hosts: readonly string[];
  /** What follows the slash after the hosts: AMQP's virtual host. */
  readonly path: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly parameters: URLSearchParams;
}

const ports = { nats: 4222, pillarbox: 4222, amqp: 5672, sqs: 443 } as const;

const targetForms =
  'memory:, file:DIR, pillarbox://HOST:PORT, nats://HOST:PORT,HOST:PORT, amqp://HOST:PORT/VHOST, sqs://HOST:PORT';

/**
 * Reads the URL of a target. A server may have several hosts, separated by commas: a cluster is reached
 * through any of them.
 */
export function readTarget(url: string): TargetUrl {
  const invalid = (problem: string): ClientError =>
    new ClientError(
      'target-invalid',
      `connect() cannot be called so: ${problem}. Targets are ${targetForms}.`,
    );
  if (typeof url !== 'string' || url === '') throw invalid('the target must be a URL, as a text');
  const [, scheme, rest = ''] = /^([a-z]+):(.*)$/is.exec(url) ?? [];
  const kind = scheme?.toLowerCase();
  switch (kind) {
    case 'memory':
      if (rest !== '') throw invalid('memory: takes nothing after its colon');
      return { kind: 'memory' };
    case 'file': {
      const dir = rest.startsWith('///') ? rest.slice(2) : rest;
      if (dir === '') throw invalid('file: needs a directory, such as file:./data');
      return { kind: 'file', dir };
    }
    case 'nats':
    case 'pillarbox':
    case 'amqp':
    case 'sqs': {
      const server = readServer(kind, rest, ports[kind]);
      if (!server) throw invalid(`${scheme}: needs a host, such as ${scheme}://127.0.0.1`);
      if (kind === 'amqp' || kind === 'sqs') return { kind, server };
      return { kind: 'nats', isPillarbox: kind === 'pillarbox', server };
    }
    case undefined:
      throw invalid('the target has no scheme');
    default:
      throw invalid(`there is no target "${scheme}:"`);
  }
}

function readServer(scheme: string, rest: string, port: number): ServerUrl | undefined {
  const [, authority = '', path = '', query = ''] =
    /^\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  const at = authority.lastIndexOf('@');
  const [user, password] = authority.slice(0, Math.max(0, at)).split(':').map(decodeURIComponent);
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .filter(Boolean)
    .map((host) => (/:\d+$/.test(host) ? host : `${host}:${port}`));
  if (hosts.length === 0) return undefined;
  return {
    shown: `${scheme}://${hosts.join(',')}`,
    hosts,
    path,
    user: user === '' ? undefined : user,
    password,
    parameters: new URLSearchParams(query),
  };
}
