import { AMQPClient, AMQPError } from '@cloudamqp/amqp-client';
import type { AMQPBaseClient } from '@cloudamqp/amqp-client/amqp-base-client';
import { setTimeout as sleep } from 'node:timers/promises';

const retryMs = 10;

/** Connects to a broker that listens. */
export function connectAmqp(port: number, name: string): Promise<AMQPBaseClient> {
  const client = new AMQPClient(`amqp://guest:guest@127.0.0.1:${port}?name=${name}`);
  quieten(client);
  return client.connect();
}

/** Connects as soon as a broker listens. The client does not connect again by itself. */
export async function connectAmqpPatiently(port: number, name: string): Promise<AMQPBaseClient> {
  for (;;) {
    try {
      return await connectAmqp(port, name);
    } catch {
      await sleep(retryMs);
    }
  }
}

/** Errors of a connection or a channel show in what is called on it; the client would print them, too. */
export function quieten(one: object): void {
  Object.assign(one, { onerror: () => {} });
}

/**
 * For a process of clients. A publish whose write fails while the connection closes rejects twice inside the
 * client, and nobody can wait for the second rejection. The same goes for the first bytes of a connection.
 */
export function tolerateBrokenConnections(): void {
  process.on('unhandledRejection', (error) => {
    const isOfSocket = error instanceof Error && 'syscall' in error;
    if (!isOfSocket && !(error instanceof AMQPError)) throw error;
  });
}

/** Queues that this exchange fills are bound to it by their names. */
export const exchange = 'amq.topic';

/**
 * An AMQP client does not hear of offsets. There is one publisher of a queue, and the number of a message,
 * with which its id ends, is its place.
 */
export function placeOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}
