import type { Socket } from 'node:net';
import type { Broker } from '../../broker/index.ts';
import type { ListenOptions } from '../frontend.ts';
import type { Exchanges } from './exchanges/index.ts';
import type { AmqpLimits } from './limits.ts';
import type { Queues } from './queues.ts';
import type { Session } from './session.ts';
import type { VirtualHosts } from './vhosts/index.ts';

/** The parts of the AMQP frontend that its management API shows and changes. */
export interface ManagedAmqp {
  readonly broker: Broker;
  readonly exchanges: Exchanges;
  readonly queues: Queues;
  /** All virtual hosts; the exchanges and queues above are those of `/`. */
  readonly virtualHosts: VirtualHosts;
  readonly limits: AmqpLimits;
  /** The address that clients connect to; undefined before it listens. */
  readonly address: ListenOptions | undefined;
  /** Whether clients must use TLS. */
  readonly isSecured: boolean;
  /** Takes a connection whose bytes do not come by a socket of its own, such as a WebSocket. */
  admit(stream: Socket): void;
  /** The open connections, the oldest first. */
  connections(): readonly ManagedConnection[];
}

/** A connection, and the two ends of its socket. */
export interface ManagedConnection {
  readonly session: Session;
  readonly ends: ConnectionEnds;
}

/** The ends of a connection: that of the client, and the one here. */
export interface ConnectionEnds {
  readonly peerHost: string;
  readonly peerPort: number;
  readonly host: string;
  readonly port: number;
}

export function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): ConnectionEnds {
  return {
    peerHost: plain(remoteAddress),
    peerPort: remotePort ?? 0,
    host: plain(localAddress),
    port: localPort ?? 0,
  };
}

/** An IPv4 address in its own form. */
function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}
