import { openSync, writeSync } from 'node:fs';
import { jetstream } from '@nats-io/jetstream';
import { connectTo, consumerName, streamName } from './queue.ts';

// A worker process: `worker.js PORT LOG NAME`. It writes each record to its log, then acks it. In this order
// a record may be logged twice (killed in between), but is never acked without having been logged.

const [port = '', logPath = '', name = 'worker'] = process.argv.slice(2);
const log = openSync(logPath, 'a');
const connection = await connectTo(Number(port), name);
const consumer = await jetstream(connection).consumers.get(streamName, consumerName);
const messages = await consumer.consume({ max_messages: 100, expires: 5_000 });

let handled = 0;
let told = 0;
const tell = (): void => {
  if (handled === told) return;
  told = handled;
  process.send?.({ handled });
};
setInterval(tell, 20).unref();
process.once('SIGTERM', () => {
  tell();
  void messages.close().then(() => connection.close());
});
// The parent is gone: there is no work left.
process.once('disconnect', () => process.exit(1));

for await (const message of messages) {
  const id = message.headers?.get('Nats-Msg-Id') ?? '';
  writeSync(log, `${id}\t${message.string()}\n`);
  message.ack();
  handled++;
}
tell();
process.disconnect?.();
