import { jetstream } from '@nats-io/jetstream';
import { headers as natsHeaders, type NatsConnection } from '@nats-io/transport-node';
import { fromPg, outbox, type Publisher } from '../../src/outbox/index.ts';
import { connectPatiently } from '../crash/connection.ts';
import { address, makePool, repeat } from './process.ts';
import { setTimeout as sleep } from 'node:timers/promises';

// A relay publishes with the JetStream client: what an outbox needs of a publisher is one method.

const pool = makePool();
const box = outbox({ database: fromPg(pool) });
let connection: NatsConnection | undefined;

async function publisherOf(topic: string): Promise<Publisher> {
  if (!connection || connection.isClosed()) connection = await connectPatiently(address.natsPort, 'relay');
  const js = jetstream(connection, { timeout: 2_000 });
  return {
    async publish(value, { key = '', headers, dedupeId }) {
      const sent = natsHeaders();
      for (const [name, text] of headers) sent.append(name, text);
      const { duplicate } = await js.publish(`${topic}.${key}`, value, { msgID: dedupeId, headers: sent });
      return { duplicate };
    },
  };
}

const relay = box.relay({ publisher: publisherOf, leaseMs: 300, pollMs: 50, backoffMs: 20, roundRows: 50 });
await repeat(() => sleep(20));
await relay.close();
process.exit(0);
