// The same broker through an unmodified NATS client. Start it first (npm start), then:
//
//   node dist/examples/nats-client.js [127.0.0.1:4222]

import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const servers = process.argv[2] ?? '127.0.0.1:4222';
const connection = await connect({ servers }).catch((error: Error) => {
  console.error(`No broker at ${servers} (${error.message}). Start one with: npm start`);
  process.exit(69);
});

// Core NATS: live, at most once.
const greetings = connection.subscribe('greet.*', { max: 1 });
connection.publish('greet.world', 'hello');
for await (const message of greetings) console.log(`${message.subject}: ${message.string()}`);

// JetStream: a stream is a topic, on disk before the publish is acked.
const manager = await jetstreamManager(connection);
const stream = `EXAMPLE-${process.pid}`;
await manager.streams.add({ name: stream, subjects: [`${stream}.>`] });
const client = jetstream(connection);
for (const item of ['tea', 'milk', 'sand']) {
  const { seq } = await client.publish(`${stream}.orders`, item, { msgID: item });
  console.log(`${item} is on disk, sequence ${seq}`);
}
const { duplicate } = await client.publish(`${stream}.orders`, 'tea', { msgID: 'tea' });
console.log(`tea again: ${duplicate ? 'recognised' : 'stored twice'}`);

// A consumer is a group. An extension of ours: with max_deliver it has a dead-letter topic, which is a stream
// like any other.
await manager.consumers.add(stream, {
  durable_name: 'kitchen',
  ack_policy: AckPolicy.Explicit,
  max_deliver: 2,
});
const consumer = await client.consumers.get(stream, 'kitchen');
const messages = await consumer.consume();
let done = 0;
for await (const message of messages) {
  if (message.string() === 'sand') {
    console.log(`sand, delivery ${message.info.deliveryCount}: refused`);
    message.nak();
    if (message.info.deliveryCount === 2) break;
    continue;
  }
  console.log(`${message.string()}: done`);
  message.ack();
  done++;
}
console.log(`${done} done`);

const deadLetters = `${stream}-kitchen-dlq`;
let letter = null;
while (!letter) {
  const found = await manager.streams.info(deadLetters).then(
    () => true,
    () => false, // it is created with its first message
  );
  if (found) letter = await manager.streams.getMessage(deadLetters, { seq: 1 });
}
console.log(
  `${deadLetters}: ${letter.string()}, because of ${letter.header.get('Pillarbox-Dead-Letter-Cause')}`,
);

await manager.streams.delete(deadLetters);
await manager.streams.delete(stream);
await connection.close();
