import { AckPolicy, RetentionPolicy, StorageType, jetstreamManager } from '@nats-io/jetstream';
import { connect, nanos, type NatsConnection } from '@nats-io/transport-node';

/** Names shared by the parts. */
export const streamName = 'FLIGHTS';
export const subject = 'flights.new';
export const consumerName = 'workers';

/** Messages held by a killed worker come again after this time. */
export const ackWaitMs = 2_000;

/** A connection that survives restarts of the broker: it reconnects as soon as the broker is back. */
export function connectTo(port: number, name: string): Promise<NatsConnection> {
  return connect({ servers: `127.0.0.1:${port}`, name, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
}

/**
 * Creates a work queue: a message is deleted once it is acked. Ids of messages are remembered, so that a
 * repeated publish is stored once.
 */
export async function createQueue(connection: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: streamName,
    subjects: ['flights.>'],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    duplicate_window: nanos(600_000),
  });
  await manager.consumers.add(streamName, {
    durable_name: consumerName,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: 10_000,
  });
}

/** The number of messages left, and of messages ever stored. */
export interface QueueState {
  readonly left: number;
  readonly stored: number;
}

export async function queueState(connection: NatsConnection): Promise<QueueState> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const { state } = await manager.streams.info(streamName);
  return { left: state.messages, stored: state.last_seq };
}
