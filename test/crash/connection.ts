import { type NatsConnection, connect } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';

const retryMs = 10;

/**
 * Connects as soon as a broker listens. The client library does not repair a broken connection: requests in
 * flight are then known to be unanswered, and the caller starts over.
 */
export async function connectPatiently(port: number, name: string): Promise<NatsConnection> {
  for (;;) {
    try {
      return await connect({ servers: `127.0.0.1:${port}`, name, reconnect: false, timeout: 5_000 });
    } catch {
      await sleep(retryMs);
    }
  }
}

/** Resolves when the promise has resolved, or the connection is gone. */
export async function orClosed<T>(nc: NatsConnection, promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, nc.closed().then(() => undefined)]);
}
