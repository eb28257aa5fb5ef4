import { type JsMsg, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { fromPg, inbox } from '../../src/inbox/index.ts';
import { connectPatiently, orClosed } from '../crash/connection.ts';
import { address, makePool, repeat } from './process.ts';
import { group, topic, type Transfer } from './schema.ts';

// A consumer gives the money to the other account, once.

const pool = makePool();
const box = inbox({ database: fromPg(pool), consumer: group });

async function handle(message: JsMsg): Promise<void> {
  const { to, cents } = message.json<Transfer>();
  const headers = { get: (name: string): string | undefined => message.headers?.get(name) };
  try {
    await box.once({ topic, headers }, async (tx) => {
      await tx.query('UPDATE account SET cents = cents + $1 WHERE id = $2', [cents, to]);
      const id = message.headers?.get('Pillarbox-Message-Id');
      await tx.query('INSERT INTO received VALUES ($1, $2, $3)', [id, to, cents]);
    });
    message.ack();
  } catch {
    message.nak(20);
  }
}

async function consume(connection: NatsConnection): Promise<void> {
  const consumer = await jetstream(connection, { timeout: 2_000 }).consumers.get(topic, group);
  const messages = await consumer.consume({
    max_messages: 16,
    expires: 5_000,
    callback: (message) => void handle(message),
  });
  await messages.closed();
}

await repeat(async () => {
  const connection = await connectPatiently(address.natsPort, 'consumer');
  try {
    await orClosed(connection, consume(connection));
  } finally {
    await connection.close().catch(() => undefined);
  }
});
process.exit(0);
