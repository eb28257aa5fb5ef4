import type { AMQPBaseClient } from '@cloudamqp/amqp-client/amqp-base-client';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  connectAmqpPatiently,
  exchange,
  placeOf,
  quieten,
  tolerateBrokenConnections,
} from './amqp-connection.ts';
import { EventWriter } from './event-log.ts';
import { hashOf, payloadOf } from './payload.ts';

// An AMQP publisher process: `amqp-publisher-process.js PORT LOG NAME RATE QUEUE`. It publishes RATE messages
// a second with confirms, by an exchange that the queue is bound to. A message without an answer when the
// connection breaks is given up, because AMQP has no ids by which a second publish would be known. The
// message 'rest' ends it when all is answered.

const [portText = '', logPath = '', name = '', rateText = '', queue = ''] = process.argv.slice(2);
const perMs = Number(rateText) / 1000;
const log = new EventWriter(logPath);

const windowMax = 64;
const keys = 3;
const turnMs = 2;

tolerateBrokenConnections();

let lastNumber = 0;
const state = { isResting: false, hasToldOfLoad: false };
process.on('message', () => (state.isResting = true));
process.once('disconnect', () => process.exit(1));

/** Publishes until the connection breaks or everything is answered. */
async function work(client: AMQPBaseClient): Promise<void> {
  const channel = await client.channel();
  quieten(channel);
  await channel.confirmSelect();
  const open = { count: 0 };
  const send = (): void => {
    const number = ++lastNumber;
    const id = `${name}-${number}`;
    const key = `${queue}.${name}.${number % keys}`;
    const payload = payloadOf(id);
    log.write({ kind: 'intent', stream: queue, id, subject: key, hash: hashOf(payload) });
    open.count++;
    channel.basicPublish(exchange, key, payload, { deliveryMode: 2 }).then(
      () => {
        open.count--;
        log.write({ kind: 'stored', stream: queue, id, seq: placeOf(id) });
        if (!state.hasToldOfLoad) process.send?.({ kind: 'load' });
        state.hasToldOfLoad = true;
      },
      (error: unknown) => {
        open.count--;
        // With a connection that is still there, it is a basic.nack.
        if (client.closed || channel.closed) return;
        log.write({ kind: 'refused', stream: queue, id });
        process.send?.({ kind: 'refused', text: String(error) });
      },
    );
  };
  let allowed = 0;
  for (let before = performance.now(); !client.closed && !channel.closed;) {
    await sleep(turnMs);
    const now = performance.now();
    allowed = Math.min(allowed + (now - before) * perMs, windowMax);
    before = now;
    if (state.isResting && open.count === 0) return;
    const room = state.isResting || client.closed ? 0 : windowMax - open.count;
    for (let left = Math.min(Math.floor(allowed), room); left > 0; left--, allowed--) send();
  }
}

while (!state.isResting) {
  const client = await connectAmqpPatiently(Number(portText), name);
  state.hasToldOfLoad = false;
  log.write({ kind: 'connected' });
  await work(client).catch(() => {});
  if (!client.closed) await client.close().catch(() => {});
}
process.exit(0);
