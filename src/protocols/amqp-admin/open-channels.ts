import type { Channel, ManagedConnection } from '../amqp/index.ts';
import { inTurns, type TurnTaker } from '../connections/index.ts';

/** A channel and its connection. */
export interface OpenChannel {
  readonly channel: Channel;
  readonly connection: ManagedConnection;
}

/** The name of a connection, from its two ends, as in RabbitMQ. */
export function nameOfConnection({ ends: { peerHost, peerPort, host, port } }: ManagedConnection): string {
  return `${peerHost}:${peerPort} -> ${host}:${port}`;
}

/** The connection as channels and consumers name it. */
export function connectionDetails(connection: ManagedConnection): object {
  const { peerHost, peerPort } = connection.ends;
  return { name: nameOfConnection(connection), peer_host: peerHost, peer_port: peerPort };
}

/** The channels of a connection that are open. */
export function channelsOf(connection: ManagedConnection): OpenChannel[] {
  return [...connection.session.channels.values()]
    .filter(({ isClosing }) => !isClosing)
    .map((channel) => ({ channel, connection }));
}

/** The open channels of all these connections. */
export async function openChannels(
  connections: readonly ManagedConnection[],
  turns: TurnTaker,
): Promise<OpenChannel[]> {
  return (await inTurns(connections, turns, channelsOf)).flat();
}

/** The name of a channel: that of its connection, and its number. */
export function nameOfChannel({ channel, connection }: OpenChannel): string {
  return `${nameOfConnection(connection)} (${channel.number})`;
}
