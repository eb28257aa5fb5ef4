import { type JsMsg, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectPatiently, orClosed } from './connection.ts';
import { EventWriter } from './event-log.ts';
import { hashOf, idOf } from './payload.ts';

// A consumer process: `consumer-process.js PORT LOG NAME GROUP STREAM...`. It pulls from the group of each
// stream, acks each message so that the broker answers the ack, and logs its observations. It nacks some
// messages at first.

const [portText = '', logPath = '', name = '', group = '', ...streams] = process.argv.slice(2);
const port = Number(portText);
const log = new EventWriter(logPath);
const ackTimeoutMs = 10_000;
/** One in so many is handed back the first time. */
const nackEvery = 31;

process.on('message', () => process.exit(0));
process.once('disconnect', () => process.exit(1));

async function handle(nc: NatsConnection, stream: string, message: JsMsg): Promise<void> {
  const { seq, subject, data } = message;
  log.write({ kind: 'delivered', stream, seq, id: idOf(data), subject, hash: hashOf(data) });
  if (seq % nackEvery === 0 && message.info.deliveryCount === 1) return message.nak();
  log.write({ kind: 'acking', stream, seq });
  const isDone = await message.ackAck({ timeout: ackTimeoutMs }).catch(() => false);
  if (isDone && !nc.isClosed()) log.write({ kind: 'acked', stream, seq });
}

async function consume(nc: NatsConnection, stream: string): Promise<void> {
  const js = jetstream(nc, { timeout: 5_000 });
  const consumer = await js.consumers.get(stream, group);
  const messages = await consumer.consume({
    max_messages: 64,
    expires: 5_000,
    // A callback, not an iterator: events are written in the order in which the broker sent them.
    callback: (message) => void handle(nc, stream, message),
  });
  await messages.closed();
}

for (;;) {
  const nc = await connectPatiently(port, name);
  log.write({ kind: 'connected' });
  await orClosed(nc, Promise.all(streams.map((stream) => consume(nc, stream)))).catch(() => sleep(20));
  await nc.close().catch(() => {});
}
