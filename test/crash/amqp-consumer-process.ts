import type { AMQPBaseClient } from '@cloudamqp/amqp-client/amqp-base-client';
import type { AMQPMessage } from '@cloudamqp/amqp-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAmqpPatiently, placeOf, quieten, tolerateBrokenConnections } from './amqp-connection.ts';
import { EventWriter } from './event-log.ts';
import { hashOf, idOf } from './payload.ts';

// An AMQP consumer process: `amqp-consumer-process.js PORT LOG NAME - QUEUE`. AMQP answers no ack, but it
// does answer the commit of a transaction: acks that arrive while one is under way go into the next. It
// requeues some messages at first.

const [portText = '', logPath = '', name = '', , queue = ''] = process.argv.slice(2);
const log = new EventWriter(logPath);
const prefetch = 64;
/** One in so many is handed back the first time. */
const requeueEvery = 31;
const lookMs = 20;

process.on('message', () => process.exit(0));
process.once('disconnect', () => process.exit(1));

tolerateBrokenConnections();

async function consume(client: AMQPBaseClient): Promise<void> {
  const channel = await client.channel();
  quieten(channel);
  await channel.txSelect();
  await channel.basicQos(prefetch);
  const answered: number[] = [];
  let isCommitting = false;
  const commit = async (): Promise<void> => {
    isCommitting = true;
    while (answered.length > 0) {
      const places = answered.splice(0);
      await channel.txCommit();
      for (const seq of places) log.write({ kind: 'acked', stream: queue, seq });
    }
    isCommitting = false;
  };
  const take = (message: AMQPMessage): void => {
    const data = message.body ?? new Uint8Array();
    const id = idOf(data);
    const seq = placeOf(id);
    log.write({ kind: 'delivered', stream: queue, seq, id, subject: message.routingKey, hash: hashOf(data) });
    if (seq % requeueEvery === 0 && !message.redelivered) message.nack(true).catch(() => {});
    else {
      log.write({ kind: 'acking', stream: queue, seq });
      message.ack().catch(() => {});
      answered.push(seq);
    }
    if (!isCommitting) commit().catch(() => {});
  };
  await channel.basicConsume(queue, { noAck: false }, take);
  while (!client.closed && !channel.closed) await sleep(lookMs);
}

for (;;) {
  const client = await connectAmqpPatiently(Number(portText), name);
  log.write({ kind: 'connected' });
  await consume(client).catch(() => sleep(lookMs));
  if (!client.closed) await client.close().catch(() => {});
}
